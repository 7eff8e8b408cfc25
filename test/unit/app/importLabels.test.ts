import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { exportLabels, type ExportChoices } from '../../../src/app/labeling/exportLabels';
import { guessImportFields, planImport, type ImportRequest } from '../../../src/app/labeling/importLabels';
import { CancelledError, HumanError } from '../../../src/core/errors';
import type { Decision, DecisionStatus, DecisionValue } from '../../../src/core/labels/decision';
import { formatDecision } from '../../../src/core/labels/decision';
import type { ExportColumn } from '../../../src/core/labels/exportFormats';
import type { ImportFields } from '../../../src/core/labels/importFormats';
import { importDrafts, type ImportPlan, type ImportTarget } from '../../../src/core/labels/importPlan';
import { JournalState } from '../../../src/core/labels/journal';
import { JsonItems } from '../../../src/core/labels/jsonItems';
import { taskFormatVersion, type TaskDefinition } from '../../../src/core/labels/task';
import type { TaskKind } from '../../../src/core/model/onnxWriter';
import { exampleId } from '../../../src/core/text/normalize';
import { MemorySink } from './memorySink';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const now = '2026-11-24T12:00:00.000Z';

function taskOf(kind: TaskKind, labels: readonly string[]): TaskDefinition {
  return { formatVersion: taskFormatVersion, name: 'reviews', kind, labels: labels.map((id, color) => ({ id, name: id, color: color % 8 })), sources: [] };
}

/** A task in memory: its texts, and what was decided. */
class World implements ImportTarget {
  readonly annotator = 'me';
  readonly journal: JournalState;
  private readonly texts: ReadonlyMap<string, string>;

  constructor(
    readonly task: TaskDefinition,
    texts: readonly string[],
    decisions: readonly Decision[] = [],
  ) {
    this.texts = new Map(texts.map((text) => [exampleId(text), text]));
    this.journal = new JournalState(task);
    this.journal.add(decisions);
  }

  readonly example = (id: string): { readonly text: string; readonly sources: readonly { readonly file: string; readonly row: number }[] } | undefined => {
    const text = this.texts.get(id);
    return text === undefined ? undefined : { text, sources: [{ file: 'r.csv', row: 1 }] };
  };
  readonly stateOf: ImportTarget['stateOf'] = (id) => this.journal.stateOf(id);
  readonly wordOf: ImportTarget['wordOf'] = (id, annotator) => this.journal.wordOf(id, annotator);

  decided(plan: ImportPlan): Decision[] {
    return plan.decisions.flatMap((planned) => [...importDrafts([planned], this.task, this)].map((draft) => ({ ...draft, at: now, annotator: planned.annotator, group: 'g' })));
  }

  /** What anybody would see: status, value and annotator of every text. */
  seen(): unknown[] {
    return [...this.texts].map(([id, text]) => {
      const state = this.stateOf(id);
      return state && { text, status: state.status, value: typeof state.value === 'object' ? [...state.value].sort() : state.value, annotator: state.annotator, at: state.at };
    });
  }
}

async function plan(file: string, content: string | Uint8Array, target: ImportTarget, fields: ImportFields = {}, own: Partial<ImportRequest> = {}): Promise<ImportPlan> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 1000) {
      await turn();
      yield bytes.subarray(at, at + 1000);
    }
  };
  return await planImport({ file, chunks: chunks(), fields, target, pause: turn, now: Date.parse(now), ...own });
}

/** What a plan would write, in short. */
const inShort = ({ decisions }: ImportPlan, target: World): unknown[] =>
  decisions.map(({ example, status, value, annotator, at }) => [target.example(example)?.text, status === 'labeled' ? value : status, annotator, ...(at === undefined ? [] : [at])]);

const cell = (value: string): string => `"${value.replaceAll('"', '""')}"`;

describe('export and import', () => {
  it('come to nothing when one follows the other, and bring all of it into a new task', async () => {
    const ids = ['a', 'b;c', '=d', '[]', '\\', 'it’s, "so"', '很好'];
    const valueOf = (kind: TaskKind): fc.Arbitrary<DecisionValue> =>
      kind === 'single' ? fc.constantFrom(...ids) : kind === 'multi' ? fc.subarray(ids) : fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0);
    const act = (kind: TaskKind, texts: number): fc.Arbitrary<readonly [number, DecisionStatus, DecisionValue, string]> =>
      fc.tuple(fc.nat({ max: texts - 1 }), fc.constantFrom<DecisionStatus>('labeled', 'labeled', 'labeled', 'skipped', 'flagged', 'cleared'), valueOf(kind), fc.constantFrom('mei', 'me', '=tom', '李'));
    const world = fc.constantFrom<TaskKind>('single', 'multi', 'number').chain((kind) =>
      fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '"', ',', '\n', '=', '好'), minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8, selector: exampleId }).chain((texts) =>
        fc.record({ kind: fc.constant(kind), texts: fc.constant(texts), acts: fc.array(act(kind, texts.length), { maxLength: 20 }) }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.constantFrom('r.csv', 'r.tsv', 'r.jsonl', 'jsonl' as const),
        fc.subarray<ExportColumn>(['annotator', 'time', 'guess', 'score', 'status']),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 5 }),
        async ({ kind, texts, acts }, file, others, safeCells, repeats) => {
          const task = taskOf(kind, ids);
          const decisions = acts.map(([text, status, label, annotator], i): Decision => {
            const example = texts[text] ?? '';
            return { at: new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString(), example: exampleId(example), text: example, status, ...(status === 'labeled' ? { label } : {}), annotator, origin: 'key' };
          });
          const before = new World(task, texts, decisions);
          const rows = [...texts, ...repeats.map((n) => texts[n % texts.length] ?? '')];
          const isJsonl = file.endsWith('jsonl');
          const delimiter = file === 'r.tsv' ? '\t' : ',';
          const content = isJsonl
            ? rows.map((text, n) => `${JSON.stringify({ text, n })}\n`).join('')
            : [['text', 'n', 'status'], ...rows.map((text, n) => [cell(text), String(n), 'ok'])].map((fields) => `${fields.join(delimiter)}\r\n`).join('');
          const columns: readonly ExportColumn[] = ['label', ...others];
          const choices: ExportChoices = { format: file === 'jsonl' ? 'jsonl' : 'copy', columns, rows: 'all', safeCells };
          const sink = new MemorySink();
          const name = file === 'jsonl' ? 'r.jsonl' : file;
          const chunks = async function* (): AsyncGenerator<Uint8Array> {
            await turn();
            yield Buffer.from(content);
          };
          const source = { kind: 'table', file: name, textColumns: ['text'], open: () => Promise.resolve({ chunks: chunks() }) } as const;
          await exportLabels({ ...choices, sources: [source], texts: { stateOf: before.stateOf, guessOf: () => ({ scores: [], value: kind === 'single' ? 'a' : kind === 'multi' ? ['a', '[]'] : -1, confidence: 0.5 }) }, pause: turn }, [sink]);

          const fields = { text: ['text'], label: 'label' };
          const again = await plan(name, sink.bytes, before, fields);
          assert.deepStrictEqual([again.decisions, again.newLabels, again.problems.count, again.unmatched.count, again.outdated], [[], [], 0, 0, 0]);

          if (!others.includes('annotator') || !others.includes('time') || !others.includes('status')) return;
          const fresh = new World(task, texts);
          const brought = await plan(name, sink.bytes, fresh, fields);
          assert.strictEqual(brought.problems.count, 0);
          fresh.journal.add(fresh.decided(brought));
          assert.deepStrictEqual(fresh.seen(), before.seen());
        },
      ),
      { numRuns: 300 },
    );
  });

  it('merges a journal, and comes to nothing the second time', async () => {
    const texts = ['a', 'b', 'c'];
    const line = (second: number, text: string, annotator: string, status: DecisionStatus, label?: string): Decision => ({
      at: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
      example: exampleId(text),
      text,
      status,
      ...(label === undefined ? {} : { label }),
      annotator,
      origin: 'key',
    });
    const mine = [line(5, 'a', 'me', 'labeled', 'x')];
    const theirs = [line(1, 'a', 'tom', 'labeled', 'x'), line(2, 'b', 'tom', 'labeled', 'y'), line(3, 'b', 'tom', 'cleared'), line(4, 'c', 'tom', 'skipped'), line(4, 'a', 'me', 'labeled', 'y')];
    const world = new World(taskOf('single', ['x', 'y']), texts, mine);
    const journal = theirs.map((decision) => `${formatDecision(decision)}\n`).join('');
    const first = await plan('tom.jsonl', journal, world);
    assert.deepStrictEqual(inShort(first, world), [['a', 'x', 'tom', '2026-01-01T00:00:01.000Z'], ['c', 'skipped', 'tom', '2026-01-01T00:00:04.000Z']]);
    assert.deepStrictEqual([first.unchanged, first.outdated, first.repeated], [1, 1, 1]);
    world.journal.add(world.decided(first));
    const second = await plan('tom.jsonl', journal, world);
    assert.deepStrictEqual(second.decisions, []);
  });
});

describe('planImport', () => {
  const world = (kind: TaskKind = 'single', labels: readonly string[] = ['positive', 'negative']): World => new World(taskOf(kind, labels), ['good', 'bad', 'so so', '很好', 'ok']);

  it('takes a column of a table, by id or name, and says what is new, unknown and wrong', async () => {
    const target = world('single', ['positive']);
    const found = await plan('old.csv', 'Review,Sentiment\ngood,POSITIVE\nbad, negative \nso so,\nnever seen,positive\n很好,neutral\nok,Neutral\ngood,negative\n', target, { text: ['review'], label: 'sentiment' });
    assert.deepStrictEqual(inShort(found, target), [['good', 'positive', 'me'], ['bad', 'negative', 'me'], ['很好', 'neutral', 'me'], ['ok', 'neutral', 'me']]);
    assert.deepStrictEqual([found.answers, found.unanswered, found.repeated], [6, 1, 1]);
    assert.deepStrictEqual(found.newLabels, [{ name: 'neutral', count: 2 }, { name: 'negative', count: 1 }]);
    assert.deepStrictEqual(found.unmatched, { count: 1, rows: [4] });
    assert.match(found.problems.first[0]?.message ?? '', /^old\.csv: rows 1 and 7 hold the same text with different labels/);
    const withLabels = { ...target.task, labels: [...target.task.labels, { id: 'negative-1', name: 'negative', color: 1 }, { id: 'neutral', name: 'neutral', color: 2 }] };
    const decisions = [...importDrafts(found.decisions, withLabels, target)];
    assert.deepStrictEqual(decisions[1], { example: exampleId('bad'), source: { file: 'r.csv', row: 1 }, text: 'bad', status: 'labeled', label: 'negative-1', origin: 'import' });
  });

  it('says what does not count because somebody decided later, and what takes the place of something else', async () => {
    const line = (text: string, annotator: string, at: string, label = 'positive'): Decision => ({ at, example: exampleId(text), text, status: 'labeled', label, annotator, origin: 'key' });
    const texts = ['good', 'bad', 'so so', '很好', 'ok'];
    const target = new World(taskOf('single', ['positive', 'negative']), texts, texts.map((text) => line(text, text === 'ok' ? 'mei' : 'li', '2026-05-05T00:00:00.000Z')));
    const rows = [
      'good,negative,mei,2026-05-04T00:00:00Z',
      'bad,negative,mei,2026-05-06T00:00:00Z',
      'so so,negative,mei,',
      '很好,negative,mei,2126-05-06T00:00:00Z',
      'ok,negative,mei,2026-05-04T00:00:00Z',
    ];
    const found = await plan('a.csv', `text,label,annotator,time\n${rows.join('\n')}\n`, target);
    assert.deepStrictEqual(inShort(found, target), [
      ['good', 'negative', 'mei', '2026-05-04T00:00:00.000Z'],
      ['bad', 'negative', 'mei', '2026-05-06T00:00:00.000Z'],
      ['so so', 'negative', 'mei'],
      ['很好', 'negative', 'mei'],
    ]);
    assert.deepStrictEqual([found.outdated, found.overruled, found.replacing], [1, 1, 3]);
    target.journal.add(target.decided(found));
    assert.deepStrictEqual(texts.map((text) => target.stateOf(exampleId(text))?.annotator), ['li', 'mei', 'mei', 'mei', 'mei']);
    assert.strictEqual(target.stateOf(exampleId('bad'))?.at, '2026-05-06T00:00:00.000Z');
  });

  it('counts decisions for a label that was merged as decisions for the other', async () => {
    const merged = { ...taskOf('single', ['good', 'positive']) };
    const task: TaskDefinition = { ...merged, labels: merged.labels.map((label) => (label.id === 'good' ? { ...label, mergedInto: 'positive' } : label)) };
    const target = new World(task, ['x']);
    const found = await plan('a.csv', 'text,label\nx,good\n', target);
    assert.deepStrictEqual(inShort(found, target), [['x', 'positive', 'me']]);
  });

  it('reads doccano’s JSONL and CSV', async () => {
    const multi = world('multi');
    const lines = ['{"id":1,"text":"good","label":["positive"]}', '{"id":2,"text":"bad","label":["negative","rude"]}', '{"id":3,"text":"so so","label":[]}'];
    assert.deepStrictEqual(inShort(await plan('all.jsonl', lines.join('\n'), multi), multi), [['good', ['positive'], 'me'], ['bad', ['negative', 'rude'], 'me']]);
    const single = world();
    assert.deepStrictEqual(inShort(await plan('all.jsonl', '{"id":1,"data":"good","labels":"positive"}\n{"id":2,"text":"bad","annotations":[{"label":"negative","user":1}]}\n', single), single), [
      ['good', 'positive', 'me'],
      ['bad', 'negative', 'me'],
    ]);
    const csv = 'id,data,label\n1,good,positive\n2,bad,negative#rude\n3,so so,\n';
    assert.deepStrictEqual(inShort(await plan('tom.csv', csv, multi), multi), [['good', ['positive'], 'me'], ['bad', ['negative', 'rude'], 'me']]);
    const spans = await plan('a.jsonl', '{"id":1,"text":"good","label":[[0,4,"LOC"]]}\n', single);
    assert.deepStrictEqual([spans.decisions.length, spans.problems.first.map(({ code }) => code)], [0, ['import.spans']]);
  });

  const choice = (name: string, ...choices: readonly string[]): unknown => ({ from_name: name, to_name: 'text', type: 'choices', value: { choices } });
  const studio = [
    {
      id: 1,
      data: { text: 'good', source: 'a longer string than the text' },
      annotations: [
        { completed_by: { id: 7, email: 'mei@example.org' }, result: [choice('sentiment', 'positive'), choice('topic', 'film')], was_cancelled: false, updated_at: '2026-01-02T03:04:05.678901Z' },
        { completed_by: 8, result: [choice('sentiment', 'negative')] },
      ],
      predictions: [{ result: [choice('sentiment', 'negative')] }],
    },
    { id: 2, data: { text: 'bad' }, annotations: [{ completed_by: 8, result: [], was_cancelled: true }] },
    { id: 3, data: { text: 'so so' }, annotations: [] },
    { id: 4, data: { text: '很好' }, annotations: [{ completed_by: 8, result: [choice('sentiment', 'positive', 'negative')] }] },
  ];

  it('reads Label Studio’s JSON: several annotators, skipped tasks, one control of several', async () => {
    const target = world();
    const found = await plan('project.json', JSON.stringify(studio, undefined, 2), target);
    assert.deepStrictEqual(inShort(found, target), [
      ['good', 'positive', 'mei@example.org', '2026-01-02T03:04:05.678Z'],
      ['good', 'negative', '8'],
      ['bad', 'skipped', '8'],
    ]);
    assert.strictEqual(found.unanswered, 1);
    assert.match(found.problems.first[0]?.message ?? '', /^project\.json, row 4, sentiment: there are 2 labels/);
    const topics = await plan('project.json', JSON.stringify(studio.slice(0, 1)), target, { label: 'topic' });
    assert.deepStrictEqual(inShort(topics, target), [['good', 'film', 'mei@example.org', '2026-01-02T03:04:05.678Z']]);
    const multi = world('multi');
    assert.deepStrictEqual(inShort(await plan('project.json', JSON.stringify(studio.slice(3)), multi), multi), [['很好', ['positive', 'negative'], '8']]);
    const number = world('number');
    const rated = [{ id: 1, data: { review: 'good' }, annotations: [{ result: [{ from_name: 'stars', type: 'rating', value: { rating: 4 } }] }] }];
    assert.deepStrictEqual(inShort(await plan('project.json', JSON.stringify(rated), number), number), [['good', 4, 'me']]);
  });

  it('reads Label Studio’s JSON-MIN and CSV', async () => {
    const rest = { annotator: 3, annotation_id: 9, created_at: '2026-01-02T03:04:05Z', updated_at: '2026-01-02T03:04:05Z', lead_time: 2 };
    const multi = world('multi');
    const min = [
      { title: 'a title that is longer than the text', text: 'good', id: 1, sentiment: { choices: ['positive', 'x'] }, ...rest },
      { text: 'bad', id: 2, sentiment: 'negative', ...rest },
    ];
    const at = '2026-01-02T03:04:05.000Z';
    assert.deepStrictEqual(inShort(await plan('min.json', JSON.stringify(min), multi), multi), [['good', ['positive', 'x'], '3', at], ['bad', ['negative'], '3', at]]);
    const number = world('number');
    assert.deepStrictEqual(inShort(await plan('min.json', JSON.stringify([{ text: 'good', id: 1, stars: [{ rating: 2 }], ...rest }]), number), number), [['good', 2, '3', at]]);
    const csv = `text,id,sentiment\ngood,1,"{""choices"":[""positive"",""x""]}"\nbad,2,negative\n`;
    assert.deepStrictEqual(inShort(await plan('ls.csv', csv, multi, { label: 'sentiment', text: ['text'] }), multi), [['good', ['positive', 'x'], 'me'], ['bad', ['negative'], 'me']]);
  });

  it('names row, column and remedy of what it cannot import, and imports the rest', async () => {
    const target = new World({ ...taskOf('number', []), range: { minimum: 1, maximum: 5 } }, ['good', 'bad', 'so so', '很好']);
    const found = await plan('n.csv', 'text,label\ngood,4\nbad,many\nso so,9\n很好,5.5e0\n', target);
    assert.deepStrictEqual(inShort(found, target), [['good', 4, 'me']]);
    assert.deepStrictEqual(found.problems.first.map(({ message }) => message), [
      'n.csv, row 2, label: "many" is no number, and the task asks for one. Correct it, or choose the column that holds the numbers.',
      'n.csv, row 3, label: 9 is not between 1 and 5, where the task expects its numbers. Correct it, or import into a task with a wider range.',
      'n.csv, row 4, label: 5.5 is not between 1 and 5, where the task expects its numbers. Correct it, or import into a task with a wider range.',
    ]);
    const broken = await plan('a.jsonl', '{"text":"good","label":"x"}\nnot json\n{"label":"x"}\n', world());
    assert.deepStrictEqual([broken.decisions.length, broken.problems.first.map(({ code }) => code)], [1, ['jsonl.object', 'import.text']]);
    const cut = await plan('a.json', '[{"text":"good","label":"x"},{"text":"ba', world());
    assert.deepStrictEqual([cut.decisions.length, cut.problems.first.map(({ code }) => code)], [1, ['import.json']]);
    const code = async (file: string, content: string, fields?: ImportFields): Promise<string> =>
      await plan(file, content, world(), fields).then(
        () => 'none',
        (error: unknown) => (error instanceof HumanError ? error.code : String(error)),
      );
    assert.strictEqual(await code('a.txt', 'good\n'), 'import.format');
    assert.strictEqual(await code('a.csv', 'x,y\n1,2\n'), 'import.columns');
    assert.strictEqual(await code('a.csv', 'text,label\n1,2\n', { label: 'gone' }), 'csv.column');
    const many = new World(taskOf('single', []), Array.from({ length: 300 }, (_, i) => `text ${i}`));
    await assert.rejects(plan('a.csv', `text,label\n${Array.from({ length: 300 }, (_, i) => `text ${i},l${i}`).join('\n')}\n`, many), (error) => error instanceof HumanError && error.code === 'import.labels');
  });

  it('throws nothing but HumanErrors, whatever JSON it gets', async () => {
    const entry = fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc.record({ text: fc.jsonValue(), label: fc.jsonValue(), status: fc.jsonValue(), annotator: fc.jsonValue(), example: fc.jsonValue(), at: fc.jsonValue() }, { requiredKeys: [] }).map((value) => JSON.stringify(value)),
      fc.record({ data: fc.jsonValue(), annotations: fc.array(fc.record({ result: fc.jsonValue(), completed_by: fc.jsonValue() })), annotation_id: fc.jsonValue() }, { requiredKeys: [] }).map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 6 }), fc.boolean(), fc.constantFrom<TaskKind>('single', 'multi', 'number'), async (entries, isArray, kind) => {
        try {
          await plan('x.json', isArray ? `[${entries.join(',')}]` : entries.join('\n'), world(kind));
        } catch (error) {
          if (!(error instanceof HumanError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('stops when it is cancelled', async () => {
    const controller = new AbortController();
    const running = plan('a.csv', `text,label\n${'good,positive\n'.repeat(20_000)}`, world(), {}, { signal: controller.signal });
    await turn();
    controller.abort();
    await assert.rejects(running, CancelledError);
  });
});

describe('JsonItems', () => {
  it('cuts any array into its items, in pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 20 }), fc.constantFrom(undefined, 2), (values, size, indent) => {
        const bytes = Buffer.from(`\uFEFF ${JSON.stringify(values, undefined, indent)}\n`);
        const items = new JsonItems('a.json');
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += size) found.push(...items.push(Uint8Array.from(bytes.subarray(at, at + size))));
        found.push(...items.end());
        assert.deepStrictEqual(found.map((item) => JSON.parse(item) as unknown), JSON.parse(JSON.stringify(values)));
      }),
    );
  });
});

describe('guessImportFields', () => {
  it('knows our exports, doccano’s tables, and what else looks like labels', () => {
    assert.deepStrictEqual(guessImportFields(['id', 'text', 'label', 'label_2', 'annotator', 'time'], []), { text: ['text'], label: 'label_2' });
    assert.deepStrictEqual(guessImportFields(['id', 'data', 'label'], []), { text: ['data'], label: 'label' });
    assert.deepStrictEqual(guessImportFields(['review', 'sentiment'], [['a good film', 'pos'], ['a bad film', 'neg'], ['well', 'pos'], ['so it goes', 'neg']]), { text: ['review'], label: 'sentiment' });
    assert.deepStrictEqual(guessImportFields(['x', 'y'], []), { text: undefined, label: undefined });
  });
});
