/** What an import would change: told before anything is written. */
import { HumanError } from '../errors';
import { exampleId, normalizeText } from '../text/normalize';
import { decidedAt, excerptOf, isSameValue, type Decision, type DecisionStatus, type DecisionValue } from './decision';
import type { ImportedAnswer } from './importFormats';
import type { DecisionDraft } from './journal';
import { unsafeCell } from './labelCells';
import { resolveValue, taskLimits, type TaskDefinition } from './task';
import type { Example, ExampleState } from './view';

/** Labels that an import may bring along; a column with more different values is hardly one of labels. */
export const mostNewLabels = 200;
/** Problems and rows that a plan lists; it counts the others. */
const mostListed = 100;
/** Answers between two looks at what has come in. */
const answersAtOnce = 2000;

/** The task that answers are imported into. */
export interface ImportTarget {
  readonly task: TaskDefinition;
  /** Who the answers are by where the file does not say. */
  readonly annotator: string;
  example(id: string): Pick<Example, 'text' | 'sources'> | undefined;
  stateOf(id: string): ExampleState | undefined;
  /** An annotator's own word on an example, as `JournalState.wordOf` says it. */
  wordOf(id: string, annotator: string): Pick<Decision, 'at' | 'decidedAt' | 'status' | 'label'> | undefined;
}

/** A decision to be written, with names where its labels are new. */
export interface PlannedDecision {
  readonly row: number;
  readonly example: string;
  readonly status: DecisionStatus;
  /** Ids of labels, names of new ones. */
  readonly value?: DecisionValue;
  readonly annotator: string;
  /** ISO 8601 in UTC, if the file says when it was decided, and that is not in the future. */
  readonly at?: string;
  /** When the annotator's word was written that there was when this was planned. */
  readonly before?: string;
}

export interface ImportPlan {
  /** Answers in the file, those of texts that are not in the task included. */
  readonly answers: number;
  /** Rows of the file that say nothing. */
  readonly unanswered: number;
  readonly decisions: readonly PlannedDecision[];
  /** Answers that say what the task says already. */
  readonly unchanged: number;
  /** Answers that the same annotator has changed since. */
  readonly outdated: number;
  /** Of `decisions`, those that go along as their annotator's word, while what somebody else decided later counts. */
  readonly overruled: number;
  /** Of `decisions`, those in whose place something else counted so far. */
  readonly replacing: number;
  /** Answers about a text that another row answers too. */
  readonly repeated: number;
  /** Labels that the task lacks, by name, the most frequent first. */
  readonly newLabels: readonly { readonly name: string; readonly count: number }[];
  /** Rows whose text is not in the task: how many, and the numbers of the first ones. */
  readonly unmatched: { readonly count: number; readonly rows: readonly number[] };
  /** Rows that cannot be imported, and why: how many, and the first ones. */
  readonly problems: { readonly count: number; readonly first: readonly HumanError[] };
}

/**
 * Gathers the answers of a file and finds out what they would change. Equal texts are one example, as everywhere.
 *
 * An answer is as old as the file says; without a time, or with one in the future, it is as if decided now. So what an annotator has decided since, or taken back and decided anew, stays as it is, and of several
 * annotators' words the one that was decided last counts, in the file or in the task. The plan says how many answers do not count for that reason, and how many take the place of others.
 */
export class ImportPlanner {
  private readonly labels: LabelNames;
  /** New labels by their names without letter case: two names that differ in nothing else are one label. */
  private readonly fresh = new Map<string, string>();
  private readonly gathered = new Map<string, PlannedDecision & { readonly isNamed: boolean }>();
  private readonly unmatchedRows: number[] = [];
  private readonly firstProblems: HumanError[] = [];
  private answers = 0;
  private unanswered = 0;
  private repeated = 0;
  private unmatched = 0;
  private problems = 0;

  /** @param file for messages @param now ISO 8601 in UTC */
  constructor(
    private readonly file: string,
    private readonly target: ImportTarget,
    private readonly now: string,
  ) {
    this.labels = new LabelNames(target.task);
  }

  /** A row that says nothing. */
  skip(): void {
    this.unanswered++;
  }

  problem(problem: HumanError): void {
    this.problems++;
    if (this.firstProblems.length < mostListed) this.firstProblems.push(problem);
  }

  add(answer: ImportedAnswer): void {
    this.answers++;
    const example = typeof answer.text === 'string' ? exampleId(answer.text) : answer.text.id;
    if (this.target.example(example) === undefined) {
      this.unmatched++;
      if (this.unmatchedRows.length < mostListed) this.unmatchedRows.push(answer.row);
      return;
    }
    try {
      this.gather({
        row: answer.row,
        example,
        status: answer.status,
        ...(answer.value === undefined ? {} : { value: this.known(answer, answer.value) }),
        annotator: answer.annotator ?? this.target.annotator,
        isNamed: answer.annotator !== undefined,
        ...(answer.at === undefined || answer.at > this.now ? {} : { at: answer.at }),
      });
    } catch (error) {
      if (!(error instanceof HumanError)) throw error;
      this.problem(error);
    }
  }

  /** @throws HumanError `import.labels` when the values are hardly labels */
  async finish(breathe: () => Promise<void>): Promise<ImportPlan> {
    const decisions: PlannedDecision[] = [];
    const fresh = new Map<string, number>();
    let unchanged = 0;
    let outdated = 0;
    let overruled = 0;
    let replacing = 0;
    let looked = 0;
    for (const { isNamed, ...decision } of this.gathered.values()) {
      if (++looked % answersAtOnce === 0) await breathe();
      const change = this.changeOf(decision, isNamed);
      if (change === 'unchanged') unchanged++;
      else if (change === 'outdated') outdated++;
      else {
        const before = this.target.wordOf(decision.example, decision.annotator)?.at;
        decisions.push({ ...decision, ...(before === undefined ? {} : { before }) });
        const standing = this.target.stateOf(decision.example);
        if (standing && this.isOverruled(decision, standing)) overruled++;
        else if (standing) replacing++;
        for (const name of namesIn(decision.value)) if (!this.labels.has(name)) fresh.set(name, (fresh.get(name) ?? 0) + 1);
      }
    }
    if (fresh.size > mostNewLabels) {
      throw new HumanError('import.labels', '{0} has {1} different values that are no labels of the task, such as {2}; an import can bring {3} new labels. Choose the column that holds the labels.', [
        this.file,
        fresh.size,
        [...fresh.keys()].slice(0, 3).map((name) => name.slice(0, 40)).join(', '),
        mostNewLabels,
      ]);
    }
    const { answers, unanswered, repeated } = this;
    return {
      ...{ answers, unanswered, decisions, unchanged, outdated, overruled, replacing, repeated },
      newLabels: [...fresh].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)),
      unmatched: { count: this.unmatched, rows: this.unmatchedRows },
      problems: { count: this.problems, first: this.firstProblems },
    };
  }

  /** Of several answers of one annotator to one text the latest counts, or without times the first. */
  private gather(planned: PlannedDecision & { readonly isNamed: boolean }): void {
    const key = `${planned.example} ${planned.annotator}`;
    const before = this.gathered.get(key);
    if (before === undefined) {
      this.gathered.set(key, planned);
      return;
    }
    this.repeated++;
    if (planned.at !== undefined && (before.at === undefined || planned.at >= before.at)) this.gathered.set(key, planned);
    else if (planned.at === undefined && (planned.status !== before.status || !isSameValue(planned.value, before.value))) {
      this.problem(
        new HumanError('import.conflict', '{0}: rows {1} and {2} hold the same text with different labels, and the first one counts. Make them agree, or take one out.', [this.file, before.row, planned.row]),
      );
    }
  }

  private changeOf({ example, status, value, annotator, at }: PlannedDecision, isNamed: boolean): 'new' | 'unchanged' | 'outdated' {
    const word = this.target.wordOf(example, annotator);
    const state = this.target.stateOf(example);
    const isSame = (mine: DecisionStatus | undefined, label: DecisionValue | undefined): boolean =>
      mine === status && (status !== 'labeled' || (value !== undefined && label !== undefined && isSameValue(resolveValue(this.target.task, label), value)));
    if (isSame(word?.status, word?.label)) return 'unchanged';
    // where nobody is named, it is enough that the task says so
    if (!isNamed && isSame(state?.status, state?.value)) return 'unchanged';
    if (status === 'cleared' && word === undefined) return 'unchanged';
    return at !== undefined && word !== undefined && decidedAt(word) >= at ? 'outdated' : 'new';
  }

  /** Whether somebody else's word goes on to count, as the journal will say. */
  private isOverruled({ status, annotator, at = this.now }: PlannedDecision, standing: ExampleState): boolean {
    if (standing.annotator === annotator || status === 'cleared') return false;
    // a skip says nothing about the text
    if ((standing.status === 'skipped') !== (status === 'skipped')) return status === 'skipped';
    return standing.at > at || (standing.at === at && standing.annotator > annotator);
  }

  private known({ row, column }: ImportedAnswer, value: DecisionValue): DecisionValue {
    if (typeof value === 'number') {
      const { range } = this.target.task;
      if (range && !(value >= range.minimum && value <= range.maximum)) {
        throw new HumanError('import.range', '{0}, row {1}, {2}: {3} is not between {4} and {5}, where the task expects its numbers. Correct it, or import into a task with a wider range.', [
          this.file,
          row,
          column,
          value,
          range.minimum,
          range.maximum,
        ]);
      }
      return value;
    }
    const idOf = (name: string): string => {
      if (name.length > taskLimits.labelNameLength && !this.labels.has(name)) {
        throw new HumanError('import.label', '{0}, row {1}, {2}: "{3}…" is too long for a label, which has at most {4} characters. Choose the column that holds the labels, or shorten it.', [
          this.file,
          row,
          column,
          name.slice(0, 40),
          taskLimits.labelNameLength,
        ]);
      }
      if (this.labels.has(name)) return this.labels.idOf(name);
      const folded = foldedName(name);
      if (!this.fresh.has(folded)) this.fresh.set(folded, name);
      return this.fresh.get(folded) ?? name;
    };
    return typeof value === 'string' ? idOf(value) : [...new Set(value.map(idOf))];
  }
}

/**
 * Planned decisions as they are to be written. Where the annotator has decided otherwise since it was planned, that stays. The labels that are new have to be in the task by then.
 *
 * @param task with the new labels
 */
export function* importDrafts(decisions: readonly PlannedDecision[], task: TaskDefinition, target: Pick<ImportTarget, 'example' | 'wordOf'>): Iterable<DecisionDraft> {
  const labels = new LabelNames(task);
  for (const { example, status, value, annotator, at, before } of decisions) {
    if (target.wordOf(example, annotator)?.at !== before) continue;
    const found = target.example(example);
    const source = found?.sources[0];
    const label = value === undefined || typeof value === 'number' ? value : typeof value === 'string' ? labels.idOf(value) : [...new Set(value.map((name) => labels.idOf(name)))];
    yield {
      example,
      ...(source === undefined ? {} : { source }),
      text: excerptOf(found?.text ?? ''),
      status,
      ...(label === undefined ? {} : { label }),
      origin: 'import',
      ...(at === undefined ? {} : { decidedAt: at }),
    };
  }
}

/** Planned decisions by whose they are. */
export function byAnnotator(decisions: readonly PlannedDecision[]): ReadonlyMap<string, readonly PlannedDecision[]> {
  const groups = new Map<string, PlannedDecision[]>();
  for (const decision of decisions) {
    const own = groups.get(decision.annotator);
    if (own) own.push(decision);
    else groups.set(decision.annotator, [decision]);
  }
  return groups;
}

/** Finds labels by what files call them: the id, the name, the name in other letter case, or one of these with the apostrophe of spreadsheet-safe cells. */
class LabelNames {
  private readonly ids: ReadonlyMap<string, string>;

  constructor(private readonly task: TaskDefinition) {
    // earlier ones win: ids over names, names over other letter cases
    const ids = new Map<string, string>();
    const add = (name: string, id: string): void => void (ids.has(name) || ids.set(name, id));
    for (const { id } of task.labels) add(id, id);
    for (const { id, name } of task.labels) add(name, id);
    for (const { id, name } of task.labels) for (const each of [name, id]) add(foldedName(each), id);
    this.ids = ids;
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  /** The id that decisions are to have, after merges; the name as it is for a label that is new. */
  idOf(name: string): string {
    const id = this.find(name);
    if (id === undefined) return name;
    const resolved = resolveValue(this.task, id);
    return typeof resolved === 'string' ? resolved : id;
  }

  private find(name: string): string | undefined {
    const plain = unsafeCell(name);
    return this.ids.get(name) ?? this.ids.get(foldedName(name)) ?? this.ids.get(plain) ?? this.ids.get(foldedName(plain));
  }
}

function foldedName(name: string): string {
  return normalizeText(name).toLowerCase();
}

function namesIn(value: DecisionValue | undefined): readonly string[] {
  return value === undefined || typeof value === 'number' ? [] : typeof value === 'string' ? [value] : value;
}
