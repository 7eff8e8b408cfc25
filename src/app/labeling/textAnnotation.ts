/**
 * What stands beside a text where it is read: what was decided about it, that it was edited since, or what a model holds to be right. CodeLenses, rows, hovers and Quick Fixes
 * all show what is worked out here.
 */
import type { DecisionSource, DecisionStatus, DecisionValue } from '../../core/labels/decision';
import { resolveLabel, type Label, type TaskDefinition } from '../../core/labels/task';
import type { ExampleState, Guess, StaleState } from '../../core/labels/view';
import type { TaskKind } from '../../core/model/onnxWriter';
import { decided, ranked, type Prediction } from '../prediction';
import type { LabelingTask } from './labeling';

/** A label as it is shown: the task's, or one that only the model knows. */
export interface ShownLabel {
  readonly id: string;
  readonly name: string;
  /** Index of its colour and shape. */
  readonly style: number;
}

export interface ShownScore extends ShownLabel {
  /** Probability in 0..1. */
  readonly score: number;
}

/** What a model holds to be right about a text. */
export interface ShownGuess {
  readonly kind: TaskKind;
  /** All labels, the most probable first. None for `number`. */
  readonly scores: readonly ShownScore[];
  /** Those that it holds to be right. */
  readonly chosen: readonly ShownScore[];
  /** For `number`; of a joint model the number beside the labels, which is called {@link numberName}. */
  readonly number?: number;
  readonly numberName?: string;
  /** What accepting it decides; absent where it is no answer to the task's question, or no task is open. */
  readonly value?: DecisionValue;
  /** Name and version of the model in use; absent: the open task's own guess. */
  readonly model?: string;
}

/** An answer as it is shown. */
export interface ShownAnswer {
  readonly status: Exclude<DecisionStatus, 'cleared'>;
  readonly labels: readonly ShownLabel[];
  /** For `number`. */
  readonly number?: number;
  readonly annotator: string;
}

/** What was decided about a text. */
export interface ShownDecision extends ShownAnswer {
  /** ISO 8601. */
  readonly at: string;
  readonly value?: DecisionValue;
  /** It was about the text as it read before it was edited. */
  readonly stale: boolean;
  /** Answers of others, where they disagree. */
  readonly others: readonly ShownAnswer[];
}

export interface TextAnnotation {
  readonly decision?: ShownDecision;
  readonly guess?: ShownGuess;
  /** Whether a prediction of the model in use is still to be asked for, and would be shown. */
  readonly awaits: boolean;
  /** Whether there is a task in which the text can be labelled. */
  readonly labelable: boolean;
}

/** What the task of a {@link TextAnnotation} is asked. */
export type AnnotatingTask = Pick<LabelingTask, 'definition' | 'labels' | 'stateOf' | 'guessOf' | 'staleAt'>;

/** A text where it stands. */
export interface PlacedText {
  readonly text: string;
  /** `exampleId` of the text. */
  readonly id: string;
  /** Absent where the place cannot be found again, as in a document that was never saved. */
  readonly source?: DecisionSource;
}

/** What is known besides the task. */
export interface AnnotationContext {
  /** Whether the text is one of those that the task asks about: then no guess counts that does not speak the task's labels. */
  readonly covered: boolean;
  readonly prediction?: Prediction | undefined;
  /** The labels of the model in use; undefined if it is not loaded yet. */
  readonly model?: { readonly kind: TaskKind; readonly labels: readonly string[] } | undefined;
  /** Whether the model in use does not answer. */
  readonly failed: boolean;
  /** The example that stood there before the document was edited, if that is known. */
  readonly anchored?: () => string | undefined;
  /** Whether the text of an example stands elsewhere in the document: then it moved, and was not edited. */
  readonly stands: (example: string) => boolean;
}

/** Never waits, never computes a prediction. */
export function annotationOf(task: AnnotatingTask | undefined, place: PlacedText, context: AnnotationContext): TextAnnotation {
  const { prediction } = context;
  if (!task) return { ...(prediction ? { guess: guessOfPrediction(prediction) } : {}), awaits: !prediction && !context.failed, labelable: false };
  const decision = decisionOf(task, place, context);
  const own = task.guessOf(place.id);
  const fits = !context.covered || !context.model || answers(context.model, task.definition);
  const guess = own ? guessOfTask(own, task) : prediction && fits ? guessOfPrediction(prediction, task) : undefined;
  const isDecided = decision !== undefined && !decision.stale;
  return {
    ...(decision ? { decision } : {}),
    ...(guess ? { guess } : {}),
    awaits: !isDecided && !guess && fits && !context.failed,
    labelable: true,
  };
}

function decisionOf(task: AnnotatingTask, { text, id, source }: PlacedText, context: AnnotationContext): ShownDecision | undefined {
  const state = task.stateOf(id);
  // clearing a stale text takes the old decision from it
  if (state) return state.status === 'cleared' ? undefined : shownDecision(state, task, false);
  const anchored = context.anchored?.();
  const before = anchored === undefined ? undefined : task.stateOf(anchored);
  const stale: StaleState | undefined = anchored !== undefined && before ? { ...before, example: anchored } : source && task.staleAt(source, text);
  return stale && stale.status !== 'cleared' && stale.example !== id && !context.stands(stale.example) ? shownDecision(stale, task, true) : undefined;
}

function shownDecision(state: ExampleState, { definition }: Pick<AnnotatingTask, 'definition'>, stale: boolean): ShownDecision {
  return {
    ...shownAnswer(state, definition),
    at: state.at,
    ...(state.value === undefined ? {} : { value: state.value }),
    stale,
    others: state.others.filter(({ status }) => status !== 'cleared').map((other) => shownAnswer(other, definition)),
  };
}

function shownAnswer({ status, value, annotator }: ExampleState['others'][number], definition: TaskDefinition): ShownAnswer {
  return {
    // what was cleared is not shown, see above
    status: status === 'cleared' ? 'skipped' : status,
    labels: typeof value === 'number' || value === undefined ? [] : (typeof value === 'string' ? [value] : value).map((id) => shownLabel(definition, id)),
    ...(typeof value === 'number' ? { number: value } : {}),
    annotator,
  };
}

/** The label that a decision for `id` counts for. */
export function shownLabel(definition: TaskDefinition, id: string): ShownLabel {
  return shown(resolveLabel(definition, id));
}

function shown({ id, name, color }: Label): ShownLabel {
  return { id, name, style: color };
}

/** The task's label that a model calls so: by its id, else by its name. */
function labelNamed(definition: TaskDefinition, name: string): Label | undefined {
  const { labels } = definition;
  const label = labels.find(({ id }) => id === name) ?? labels.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
  return label && resolveLabel(definition, label.id);
}

/** Whether a model with these labels answers the task's question, at least in part. */
export function answers(model: { readonly kind: TaskKind; readonly labels: readonly string[] }, definition: TaskDefinition): boolean {
  if (model.kind === 'number' || definition.kind === 'number') return model.kind === definition.kind;
  return model.labels.some((name) => labelNamed(definition, name));
}

function guessOfTask(guess: Guess, task: Pick<AnnotatingTask, 'definition' | 'labels'>): ShownGuess {
  const { kind } = task.definition;
  if (kind === 'number') return { kind, scores: [], chosen: [], number: Number(guess.value), value: guess.value };
  const scores = task.labels
    .map((label, index) => ({ ...shown(label), score: guess.scores[index] ?? 0 }))
    .sort((a, b) => b.score - a.score);
  const ids = typeof guess.value === 'string' ? [guess.value] : Array.isArray(guess.value) ? guess.value : [];
  return { kind, scores, chosen: scores.filter(({ id }) => ids.includes(id)), value: guess.value };
}

/** A prediction of the model in use; labels that are the task's have the task's names and colours. */
export function guessOfPrediction(prediction: Prediction, task?: Pick<AnnotatingTask, 'definition' | 'labels'>): ShownGuess {
  const shownScore = ({ label, index, score }: { readonly label: string; readonly index: number; readonly score: number }): ShownScore => {
    const own = task && labelNamed(task.definition, label);
    return own ? { ...shown(own), score } : { id: label, name: label, style: index, score };
  };
  const { kind, value: beside, valueName } = prediction;
  const chosen = decided(prediction).map(shownScore);
  const value = task && valueOf(prediction, chosen, task);
  return {
    kind,
    scores: kind === 'number' ? [] : ranked(prediction).map(shownScore),
    chosen: kind === 'number' ? [] : chosen,
    ...(kind === 'number' ? { number: prediction.scores[0] ?? 0 } : beside === undefined ? {} : { number: beside, ...(valueName === undefined ? {} : { numberName: valueName }) }),
    ...(value === undefined ? {} : { value }),
    model: `${prediction.model.name} ${prediction.model.version}`,
  };
}

/** What the prediction says in the task's terms; undefined where it says something else. */
function valueOf(prediction: Prediction, chosen: readonly ShownScore[], { definition, labels }: Pick<AnnotatingTask, 'definition' | 'labels'>): DecisionValue | undefined {
  if (prediction.kind === 'number' || definition.kind === 'number') return prediction.kind === definition.kind ? prediction.scores[0] : undefined;
  const ids = chosen.map(({ id }) => id);
  if (ids.some((id) => !labels.some((label) => label.id === id))) return undefined;
  if (definition.kind === 'multi') return answers(prediction, definition) ? ids : undefined;
  return ids[0];
}

/** How the style of a text with several labels is chosen: by the first. */
export function styleOfGuess({ chosen, scores }: ShownGuess): number {
  return (chosen[0] ?? scores[0])?.style ?? 0;
}

// ---- where a task asks

/** How a task reads a file: the rows of a table by the columns of that name, or the segments of a text. */
export type Coverage = { readonly kind: 'table'; readonly textColumns: readonly string[] } | { readonly kind: 'text'; readonly unit: 'document' | 'paragraph' };

/** @param file path relative to the task's folder, with `/` @returns undefined if the file is none of the task's sources */
export function coverageOf({ sources }: Pick<TaskDefinition, 'sources'>, file: string): Coverage | undefined {
  for (const source of sources) {
    if (source.kind === 'table' && plainPath(source.file) === file) return { kind: 'table', textColumns: source.textColumns };
    if (source.kind === 'folder') {
      const folder = plainPath(source.folder);
      if (folder === '' || file.startsWith(`${folder}/`)) return { kind: 'text', unit: source.unit };
    }
  }
  return undefined;
}

/** Without `./` before it and `/` after it. */
function plainPath(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '').replace(/^\.$/, '');
}

// ---- what can be done

/** One of the CodeLenses of a text: what is held or decided, and what can be done about it. */
export type LensPart =
  | 'state'
  /** Decides as guessed. */
  | 'accept'
  /** Decides for the new text what was decided for the old. */
  | 'confirm'
  | 'label'
  /** As `label`, where there is a label already. */
  | 'change';

/** @param mayAccept whether a guess that is still awaited can be expected to be one that answers the task's question */
export function lensParts({ decision, guess, awaits, labelable }: TextAnnotation, mayAccept: boolean): readonly LensPart[] {
  if (!labelable) return ['state'];
  if (decision && !decision.stale) return ['state', decision.status === 'labeled' ? 'change' : 'label'];
  if (decision) return decision.value === undefined ? ['state', 'label'] : ['state', 'confirm', 'label'];
  if (guess) return guess.value === undefined ? ['state', 'label'] : ['state', 'accept', 'label'];
  if (awaits) return mayAccept ? ['state', 'accept', 'label'] : ['state', 'label'];
  return ['label'];
}

/** What a Quick Fix offers. */
export type LabelChoice =
  | { readonly do: 'accept'; readonly guess: ShownGuess; readonly value: DecisionValue }
  | { readonly do: 'confirm'; readonly decision: ShownDecision; readonly value: DecisionValue }
  | { readonly do: 'label'; readonly label: ShownLabel; readonly value: DecisionValue }
  /** Asks for the label. */
  | { readonly do: 'choose' }
  | { readonly do: 'clear' | 'skip' | 'flag' };

/** Labels that a Quick Fix lists; the others are found by search. */
const LISTED_LABELS = 12;

/**
 * What can be done about one text, or about several together, the likeliest first.
 *
 * @param annotation of the only text; undefined for several
 */
export function labelChoices({ definition, labels }: Pick<AnnotatingTask, 'definition' | 'labels'>, annotation: TextAnnotation | undefined): readonly LabelChoice[] {
  const decision = annotation?.decision;
  const guess = annotation?.guess;
  const isDecided = decision !== undefined && !decision.stale;
  const choices: LabelChoice[] = [];
  if (decision?.stale && decision.value !== undefined) choices.push({ do: 'confirm', decision, value: decision.value });
  if (guess?.value !== undefined && !isDecided) choices.push({ do: 'accept', guess, value: guess.value });
  if (definition.kind !== 'number') {
    const has = (id: string): boolean => isDecided && decision.status === 'labeled' && decision.labels.length === 1 && decision.labels[0]?.id === id;
    for (const label of labels.slice(0, LISTED_LABELS)) {
      if (!has(label.id)) choices.push({ do: 'label', label: shown(label), value: definition.kind === 'multi' ? [label.id] : label.id });
    }
  }
  choices.push({ do: 'choose' });
  if (!annotation || decision) choices.push({ do: 'clear' });
  if (!isDecided || decision.status !== 'skipped') choices.push({ do: 'skip' });
  if (!isDecided || decision.status !== 'flagged') choices.push({ do: 'flag' });
  return choices;
}

/** The label that a person means by typing exactly this in a list of labels: its key, as long as no name begins with it. */
export function labelByKey(labels: readonly Label[], typed: string): Label | undefined {
  const key = typed.toLowerCase();
  if (labels.some(({ name }) => name.toLowerCase().startsWith(key))) return undefined;
  return labels.find((label) => label.key === key);
}
