import * as assert from 'node:assert';
import { HumanError } from '../../../../src/core/errors';
import type { OpenTask } from '../../../../src/app/labeling/openTask';
import { formatDecision } from '../../../../src/core/labels/decision';
import { labelsFolder } from '../../../../src/storage/paths';
import { exampleId } from '../../../../src/core/text/normalize';
import { planImport } from '../../../../src/app/labeling/importLabels';
import { writeBundle } from '../../../../src/app/taskModels';
import { createEnsemble, validateBundle } from '../../../../src/core/model/bundle';
import { wordBundle } from '../../../fixtures/wordModel';
import { humanError } from '../../humanErrors';
import { folder, Harness, until } from './harness';
import { pause } from './inputs';

/** Texts of two kinds, each different. */
const rows = Array.from({ length: 120 }, (_, row) => `${row % 2 === 0 ? 'bad' : 'good'} text number ${row}`);
const idOf = (row: number): string => exampleId(rows[row] ?? '');
const truthOf = (text: string): string => (text.startsWith('good') ? 'positive' : 'negative');

describe('an open task', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = new Harness();
    await harness.fill(rows);
  });
  afterEach(() => harness.dispose());

  const opened = async (): Promise<OpenTask> => {
    const task = await harness.open();
    await task.ready;
    return task;
  };
  /** Labels texts as the queue offers them. */
  const label = async (task: OpenTask, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const [item] = await task.next(1);
      assert.ok(item);
      await task.decide({ targets: [item.example.id], status: 'labeled', value: truthOf(item.example.text), origin: 'key' });
    }
  };

  it('offers, decides, counts, undoes and redoes', async () => {
    const task = await opened();
    assert.deepStrictEqual([task.counts.examples, task.counts.open, task.canUndo], [120, 120, false]);
    const [first, second] = await task.next(2);
    assert.ok(first && second && first.example.id !== second.example.id);
    assert.deepStrictEqual(await task.decide({ targets: [first.example.id], status: 'labeled', value: 'positive', origin: 'key' }), { examples: [first.example.id], canUndo: true, canRedo: false });
    assert.deepStrictEqual([task.stateOf(first.example.id)?.value, task.counts.labeled, task.counts.byLabel], ['positive', 1, { positive: 1 }]);
    const [line] = harness.decisions();
    assert.deepStrictEqual([line?.text, line?.source, line?.annotator, line?.origin], [first.example.text, first.example.sources[0], 'mei', 'key']);
    assert.ok(!(await task.next(200)).some(({ example }) => example.id === first.example.id), 'what is decided is not offered');
    assert.strictEqual((await task.undo())?.canUndo, false);
    assert.deepStrictEqual([task.stateOf(first.example.id), task.counts.labeled], [undefined, 0]);
    assert.strictEqual(await task.undo(), undefined);
    await task.redo();
    assert.strictEqual(task.stateOf(first.example.id)?.value, 'positive');
    assert.deepStrictEqual(harness.decisions().map(({ status }) => status), ['labeled', 'cleared', 'labeled']);
  });

  it('undoes a bulk decision at once, also after a restart', async () => {
    const before = await opened();
    await before.decide({ targets: [idOf(0), idOf(2), idOf(4), idOf(0)], status: 'labeled', value: 'negative', origin: 'bulk' });
    assert.strictEqual(before.counts.labeled, 3);
    before.dispose();
    const task = await opened();
    assert.strictEqual(task.counts.labeled, 3);
    assert.strictEqual((await task.undo())?.examples.length, 3);
    assert.deepStrictEqual([task.counts.labeled, task.canUndo, task.canRedo], [0, false, true]);
  });

  it('takes what is decided while a bulk of many is written in the order of the keys, loses none, and undoes the bulk at once', async () => {
    const many = Array.from({ length: 2500 }, (_, row) => `${row % 2 === 0 ? 'bad' : 'good'} text of many ${row}`);
    await harness.fill(many);
    const task = await opened();
    const ids = many.map((text) => exampleId(text));
    const [first = '', second = '', third = ''] = ids;
    const key = (id: string): ReturnType<OpenTask['decide']> => task.decide({ targets: [id], status: 'labeled', value: 'negative', origin: 'key' });
    await Promise.all([
      key(first),
      task.decide({ targets: ids, status: 'labeled', value: 'positive', origin: 'bulk' }),
      key(second),
      key(third),
      task.undo(),
    ]);
    const values = (): unknown[] => [first, second, third].map((id) => task.stateOf(id)?.value);
    assert.deepStrictEqual(values(), ['positive', 'negative', 'positive']);
    assert.deepStrictEqual([task.counts.labeled, task.counts.byLabel], [2500, { positive: 2499, negative: 1 }]);
    const told = harness.changes.flatMap((change) => (change.kind === 'decisions' ? [change.examples.length] : []));
    assert.deepStrictEqual(told, [1, 2500, 1, 1, 1]);
    const lines = harness.decisions();
    assert.deepStrictEqual(lines.map(({ example }) => example), [first, ...ids, second, third, third]);
    assert.ok(lines.every(({ at }, index) => index === 0 || at >= (lines[index - 1]?.at ?? '')));
    assert.strictEqual(new Set(lines.slice(1, 2501).map(({ group }) => group)).size, 1);
    await task.undo();
    assert.strictEqual((await task.undo())?.examples.length, 2500);
    assert.deepStrictEqual([values(), task.counts.labeled], [['negative', undefined, undefined], 1]);
    assert.strictEqual((await task.redo())?.examples.length, 2500);
    assert.deepStrictEqual([values(), task.counts.labeled], [['positive', 'positive', 'positive'], 2500]);
  });

  it('does not let an import take back what is decided after it was planned', async () => {
    const task = await opened();
    const [first, second] = [idOf(0), idOf(1)];
    await task.decide({ targets: [first, second], status: 'labeled', value: 'positive', origin: 'bulk' });
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(new TextEncoder().encode(`text,label\n${rows.slice(0, 3).map((text) => `${text},negative\n`).join('')}`));
    };
    const target = { task: task.definition, annotator: task.annotator, example: (id: string) => task.example(id), stateOf: (id: string) => task.stateOf(id), wordOf: (id: string, who: string) => task.wordOf(id, who) };
    const plan = await planImport({ file: 'old.csv', chunks: chunks(), fields: {}, target, pause });
    assert.deepStrictEqual([plan.decisions.length, plan.replacing], [3, 2]);
    const key = task.decide({ targets: [first], status: 'flagged', origin: 'key' });
    const imported = await task.importPlanned(plan);
    await key;
    assert.deepStrictEqual(imported.examples, [second, idOf(2)]);
    assert.deepStrictEqual([first, second, idOf(2)].map((id) => task.stateOf(id)?.value), ['positive', 'negative', 'negative']);
    await task.undo();
    assert.deepStrictEqual([first, second, idOf(2)].map((id) => task.stateOf(id)?.status), ['flagged', 'labeled', undefined]);
  });

  it('writes a bulk of many wholly or not at all', async () => {
    const many = Array.from({ length: 1500 }, (_, row) => `text of many ${row}`);
    await harness.fill(many);
    const task = await opened();
    const bulk = task.decide({ targets: [...many.map((text) => exampleId(text)), exampleId('not among them')], status: 'skipped', origin: 'bulk' });
    const key = task.decide({ targets: [exampleId(many[0] ?? '')], status: 'labeled', value: 'positive', origin: 'key' });
    await assert.rejects(bulk, (error) => error instanceof HumanError && error.code === 'labeling.example');
    await key;
    assert.deepStrictEqual([harness.decisions().length, task.counts.labeled, task.counts.skipped], [1, 1, 0]);
  });

  it('lets every decision become every other, in the counts and in the queue, and back by undo', async () => {
    const task = await opened();
    const id = idOf(3);
    const statuses = ['labeled', 'skipped', 'flagged', 'cleared'] as const;
    const seen = (): unknown => [task.stateOf(id)?.status ?? 'cleared', task.counts.labeled, task.counts.skipped, task.counts.flagged, task.counts.open];
    const decide = async (status: (typeof statuses)[number]): Promise<unknown> => {
      await task.decide({ targets: [id], status, ...(status === 'labeled' ? { value: 'positive' } : {}), origin: 'key' });
      return seen();
    };
    for (const from of statuses) {
      for (const to of statuses) {
        const before = await decide(from);
        assert.deepStrictEqual(await decide(to), [to, ...(['labeled', 'skipped', 'flagged'] as const).map((each) => (each === to ? 1 : 0)), to === 'cleared' ? 120 : 119], `${from} → ${to}`);
        assert.strictEqual((await task.next(200)).some(({ example }) => example.id === id), to === 'cleared');
        await task.undo();
        assert.deepStrictEqual(seen(), before, `${from} → ${to} → back`);
      }
    }
  });

  it('takes an answer of its own for each text as one act, if all of them fit', async () => {
    const task = await opened();
    const targets = [0, 1, 2].map((row) => ({ text: rows[row] ?? '', source: { file: 'reviews.csv', row: row + 1 }, value: truthOf(rows[row] ?? '') }));
    await assert.rejects(task.decide({ targets: [...targets, { text: 'x', source: { file: 'x.txt' }, value: 'unheard of' }], status: 'labeled', origin: 'bulk' }), (error) => error instanceof HumanError && error.code === 'labeling.label');
    await assert.rejects(task.decide({ targets: [...targets, idOf(4)], status: 'labeled', origin: 'bulk' }), (error) => error instanceof HumanError && error.code === 'labeling.label');
    assert.strictEqual(task.counts.labeled, 0);
    await task.decide({ targets, status: 'labeled', origin: 'bulk' });
    assert.deepStrictEqual([0, 1, 2].map((row) => task.stateOf(idOf(row))?.value), ['negative', 'positive', 'negative']);
    assert.strictEqual((await task.undo())?.examples.length, 3);
    assert.strictEqual(task.counts.labeled, 0);
  });

  it('writes a journal again that was deleted meanwhile, with all that was decided before', async () => {
    const task = await opened();
    await label(task, 3);
    const before = harness.decisions();
    await harness.fileSystem.remove(labelsFolder(folder, task.definition.name));
    const [item] = await task.next(1);
    assert.ok(item);
    const decision = { targets: [item.example.id], status: 'labeled', value: 'positive', origin: 'key' } as const;
    await assert.rejects(task.decide(decision), { code: 'journal.gone' });
    assert.deepStrictEqual([harness.decisions(), task.counts.labeled], [[], 3], 'nobody makes a journal that lacks what was decided before');
    await task.writeAgain();
    assert.deepStrictEqual(harness.decisions(), before);
    await task.decide(decision);
    assert.deepStrictEqual([harness.decisions().length, task.counts.labeled], [4, 4]);
  });

  it('changes nothing and says so at once when a decision cannot be written', async () => {
    const task = await opened();
    const full = new HumanError('file.full', '{0} cannot be written: the disk is full. Make room, then decide again.', ['mei.jsonl']);
    harness.refuse = full;
    const [item] = await task.next(1);
    assert.ok(item);
    const before = [task.counts, task.canUndo];
    await assert.rejects(task.decide({ targets: [item.example.id], status: 'labeled', value: 'positive', origin: 'key' }), full);
    assert.deepStrictEqual([task.counts, task.canUndo], before);
    assert.strictEqual(task.stateOf(item.example.id), undefined);
    assert.deepStrictEqual(harness.changes.filter(({ kind }) => kind === 'problem'), [{ kind: 'problem', problem: full }]);
    assert.ok(!harness.changes.some(({ kind }) => kind === 'decisions'));
    assert.strictEqual((await task.next(1))[0]?.example.id, item.example.id, 'it is offered again');
    harness.refuse = undefined;
    await task.decide({ targets: [item.example.id], status: 'labeled', value: 'positive', origin: 'key' });
    assert.strictEqual(task.counts.labeled, 1, 'and what is decided later is not dropped');
  });

  it('refuses labels, numbers and texts that are not the task’s', async () => {
    const task = await opened();
    await assert.rejects(task.decide({ targets: [idOf(0)], status: 'labeled', value: 'neutral', origin: 'key' }), humanError('labeling.label'));
    await assert.rejects(task.decide({ targets: [idOf(0)], status: 'labeled', origin: 'key' }), humanError('labeling.label'));
    await assert.rejects(task.decide({ targets: [idOf(0)], status: 'labeled', value: ['positive'], origin: 'key' }), humanError('labeling.label'));
    await assert.rejects(task.decide({ targets: ['0'.repeat(32)], status: 'skipped', origin: 'key' }), humanError('labeling.example'));
    assert.strictEqual(harness.decisions().length, 0);
  });

  it('keeps the order of what was decided for going back and forth', async () => {
    const task = await opened();
    for (const row of [5, 3, 8, 3]) await task.decide({ targets: [idOf(row)], status: 'skipped', origin: 'key' });
    const current = idOf(20);
    assert.deepStrictEqual(
      [task.neighbour(current, -1), task.neighbour(idOf(3), -1), task.neighbour(idOf(8), -1), task.neighbour(idOf(5), -1), task.neighbour(idOf(5), 1), task.neighbour(idOf(3), 1)],
      [idOf(3), idOf(8), idOf(5), undefined, idOf(8), undefined],
    );
  });

  it('learns with each decision: guesses, order and trust follow', async () => {
    const task = await opened();
    await until(() => task.learning.cached === 1);
    await label(task, 40);
    await until(() => task.learning.trusted && task.learning.decisions === 40);
    const { rows: listed } = await task.list({ status: ['open'] }, 0, 100);
    const right = listed.filter(({ excerpt, guess }) => guess?.value === truthOf(excerpt)).length;
    assert.ok(right >= 0.9 * listed.length, `${right} of ${listed.length}`);
    const latest = harness.decisions().at(-1);
    assert.strictEqual(latest?.prediction?.model, 'sentiment@1');
  });

  it('goes on learning after its worker has died', async () => {
    const task = await opened();
    await until(() => task.learning.cached === 1);
    await label(task, 10);
    harness.learners[0]?.end(new Error('out of memory'));
    await label(task, 30);
    await until(() => harness.learners.length === 2);
    for (let right = 0; right < 100; ) {
      const { rows: listed } = await task.list({}, 0, 120);
      right = listed.filter(({ excerpt, guess }) => guess?.value === truthOf(excerpt)).length;
    }
  });

  it('filters by words, expressions, status, label, guess and disagreement', async () => {
    const task = await opened();
    await until(() => task.learning.cached === 1);
    await task.decide({ targets: [idOf(0)], status: 'labeled', value: 'positive', origin: 'key' });
    await task.decide({ targets: [idOf(1)], status: 'labeled', value: 'positive', origin: 'key' });
    await task.decide({ targets: [idOf(2)], status: 'skipped', origin: 'key' });
    const found = async (filter: Parameters<OpenTask['list']>[0]): Promise<number[]> => (await task.matching(filter)).map((id) => task.example(id)?.position ?? -1);
    assert.deepStrictEqual(await found({ text: 'NUMBER 11' }), [11, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119]);
    assert.deepStrictEqual(await found({ text: '/number 1[12]$/' }), [11, 12]);
    assert.deepStrictEqual(await found({ status: ['labeled'] }), [0, 1]);
    assert.deepStrictEqual(await found({ status: ['skipped'] }), [2]);
    assert.strictEqual((await found({ status: ['open'] })).length, 117);
    assert.deepStrictEqual(await found({ label: 'positive', text: 'good' }), [1]);
    assert.strictEqual((await found({ guess: 'positive' })).length, 60);
    assert.deepStrictEqual(await found({ disagreement: true }), [0]);
    assert.deepStrictEqual(await found({ annotator: 'mei' }), [0, 1, 2]);
    assert.deepStrictEqual(await found({ conflict: true }), []);
    const page = await task.list({ status: ['open'] }, 115, 10);
    assert.deepStrictEqual([page.total, page.rows.map(({ position }) => position)], [117, [118, 119]]);
    for (const [text, code] of [['/(/', 'filter.pattern'], ['/(a+)+$/', 'filter.slow'], ['x'.repeat(2000), 'filter.length']] as const)
      await assert.rejects(task.list({ text }, 0, 10), (error) => error instanceof HumanError && error.code === code);
  });

  it('takes up what others wrote, and changed files, and keeps all decisions', async () => {
    const task = await opened();
    await task.decide({ targets: [idOf(7)], status: 'labeled', value: 'positive', origin: 'key' });
    harness.fileSystem.put(
      `${folder}/.label-lens/reviews/labels/ann.jsonl`,
      `${formatDecision({ at: new Date().toISOString(), example: idOf(7), text: 'good', status: 'labeled', label: 'negative', annotator: 'ann', origin: 'key' })}\n`,
    );
    harness.fileSystem.put(`${folder}/reviews.csv`, `text\nsomething new\n${rows[7]}\n`);
    await task.refresh();
    assert.deepStrictEqual([task.counts.examples, task.counts.labeled], [2, 1]);
    assert.strictEqual(task.example(idOf(7))?.position, 1);
    assert.strictEqual(task.stateOf(idOf(7))?.others.length, 1);
    assert.deepStrictEqual(await task.matching({ conflict: true }), [idOf(7)]);
    const reads = harness.fileSystem.read.length;
    await task.refresh();
    assert.ok(harness.fileSystem.read.length - reads < 5, 'unchanged files are not parsed again');
  });

  it('edits labels without losing a decision', async () => {
    const task = await opened();
    await task.decide({ targets: [idOf(1)], status: 'labeled', value: 'positive', origin: 'key' });
    await task.editLabel({ do: 'add', name: 'Great' });
    await task.editLabel({ do: 'merge', label: 'positive', into: 'Great' });
    assert.deepStrictEqual(task.labels.map(({ id }) => id), ['negative', 'Great']);
    assert.deepStrictEqual([task.stateOf(idOf(1))?.value, task.counts.byLabel], ['Great', { Great: 1 }]);
    task.dispose();
    const again = await opened();
    assert.deepStrictEqual([again.labels.map(({ id }) => id), again.stateOf(idOf(1))?.value], [['negative', 'Great'], 'Great']);
  });

  it('tells a text that was edited after its decision', async () => {
    const task = await opened();
    await task.decide({ targets: [{ text: 'The service was very slow today', source: { file: 'notes.md', start: 10, end: 41 } }], status: 'labeled', value: 'negative', origin: 'editor' });
    assert.strictEqual(task.stateOf(exampleId('The service was very slow today'))?.value, 'negative');
    assert.strictEqual(task.staleAt({ file: 'notes.md', start: 12, end: 45 }, 'The service was very slow yesterday')?.value, 'negative');
    assert.strictEqual(task.staleAt({ file: 'notes.md', start: 12, end: 45 }, 'Something else altogether stands here'), undefined);
    assert.strictEqual(task.staleAt({ file: 'notes.md', start: 10, end: 41 }, 'The service was very slow today'), undefined);
    assert.strictEqual(task.staleAt({ file: 'notes.md', start: 50, end: 90 }, 'The service was very slow yesterday'), undefined);
  });

  it('says which words decided', async () => {
    const task = await opened();
    await until(() => task.learning.cached === 1);
    const words = await task.explain(idOf(1));
    const text = rows[1] ?? '';
    const [strongest] = [...words].sort((a, b) => b.weight - a.weight);
    assert.strictEqual(text.slice(strongest?.start, strongest?.end), 'good');
    assert.strictEqual(strongest?.weight, 0.5);
  });

  it('heeds the threshold of its model: in guesses, in reasons, in fine-tuning and the version that comes of it', async () => {
    // the model gives texts without `good` a quarter for positive
    await writeBundle(harness.fileSystem, '/models/sentiment', wordBundle({ name: 'sentiment', version: '1', good: ['good'], bad: ['bad'], threshold: 0.2 }));
    const task = await opened();
    await until(() => task.learning.cached === 1);
    const { total } = await task.list({ guess: 'positive' }, 0, 1);
    assert.deepStrictEqual([total, task.guessOf(idOf(0))?.value, task.guessOf(idOf(0))?.confidence], [120, 'positive', 0.25]);
    const reasonsFor = async (row: number): Promise<number | undefined> => (await task.explain(idOf(row))).find(({ start }) => start === 0)?.weight;
    assert.deepStrictEqual([await reasonsFor(0), await reasonsFor(1)], [0, 0.5], 'both are about positive');
    await label(task, 60);
    const { before, after, version } = await task.fineTune();
    assert.ok(before && after);
    assert.ok(before.accuracy > 0 && before.accuracy < 1 && after.accuracy === before.accuracy, 'positive is all that either says');
    assert.strictEqual(harness.trained[0]?.threshold, 0.2);
    assert.strictEqual((await harness.session.models.open(`${folder}/.label-lens/reviews/models/${version}`)).manifest.task.threshold, 0.2);
  });

  describe('fine-tuning', () => {
    it('keeps a version that is not worse, follows it, and goes back', async () => {
      harness.settings.model = 'reviews';
      const task = await opened();
      await until(() => task.learning.cached === 1);
      await label(task, 60);
      let reloads = 0;
      harness.session.onDidChangeModel(() => reloads++);
      const first = await task.fineTune();
      assert.deepStrictEqual([first.status, first.version, first.error], ['kept', 'v1', undefined]);
      assert.strictEqual(reloads, 1);
      assert.ok(first.before && first.after && first.after.rows === first.before.rows && first.after.low < first.after.accuracy + 1e-9);
      const [call] = harness.trained;
      const trained = new Set([...(call?.rows ?? []), ...(call?.validation ?? [])].map(({ text }) => text));
      assert.strictEqual(trained.size + first.after.rows, 60, 'what it is judged by was not trained on');
      await until(() => task.learning.cached === 1);
      await label(task, 1);
      assert.strictEqual(harness.decisions().at(-1)?.prediction?.model, 'v1');
      assert.strictEqual((await task.fineTune()).version, 'v2');
      assert.deepStrictEqual((await task.versions()).map(({ version, current }) => [version, current]), [['v1', false], ['v2', true]]);
      await task.restore('v1');
      assert.deepStrictEqual((await task.versions()).map(({ version, current }) => [version, current]), [['v1', true], ['v2', false]]);
      assert.strictEqual(reloads, 3);
      await assert.rejects(task.restore('v9'), (error) => error instanceof HumanError && error.code === 'model.version');
    });

    it('begins by itself every so many decisions, and not on too few', async () => {
      harness.fineTuneEvery = 30;
      const task = await opened();
      await label(task, 29);
      assert.strictEqual(harness.trained.length, 0);
      await label(task, 5);
      await until(() => task.learning.fineTune?.status === 'kept');
      assert.strictEqual(harness.trained.length, 1);
      assert.ok((task.learning.untilFineTune ?? 0) > 20);
    });

    it('leaves an ensemble as it is, and says why once', async () => {
      const members = ['one', 'two'].map((name) => ({ bundle: validateBundle(wordBundle({ name, version: '1', good: ['good'], bad: ['bad'] }), name), weight: 0.5 }));
      await writeBundle(harness.fileSystem, '/models/sentiment', createEnsemble({ ...members[0]!.bundle.manifest, name: 'sentiment' }, members));
      harness.fineTuneEvery = 20;
      const task = await opened();
      await label(task, 25);
      const problems = (): (HumanError | undefined)[] => harness.changes.flatMap((change) => (change.kind === 'problem' ? [change.problem] : []));
      await until(() => problems().length > 0);
      assert.strictEqual(task.learning.untilFineTune, undefined);
      await label(task, 30);
      assert.deepStrictEqual(problems().map((problem) => problem?.code), ['training.ensemble']);
      assert.deepStrictEqual([harness.trained.length, task.learning.fineTune], [0, undefined]);
      assert.strictEqual(((await task.fineTune()).error as HumanError).code, 'training.ensemble', 'who asks for it hears it again');
      assert.strictEqual(harness.trained.length, 0);
    });

    it('says why it cannot be done yet', async () => {
      const task = await opened();
      await label(task, 3);
      const state = await task.fineTune();
      assert.deepStrictEqual([state.status, state.error instanceof HumanError && state.error.code], ['failed', 'fineTune.few']);
    });

    it('is cancelled and leaves nothing behind', async () => {
      const task = await opened();
      await label(task, 60);
      harness.course = () => new Promise(() => undefined);
      const ended = task.fineTune();
      await until(() => harness.trained.length === 1);
      task.cancelFineTune();
      assert.strictEqual((await ended).status, 'cancelled');
      assert.deepStrictEqual(await task.versions(), []);
    });
  });

  it('sums up: report, curve, balance', async () => {
    const task = await opened();
    await until(() => task.learning.cached === 1);
    await label(task, 60);
    const insight = await task.insight();
    assert.strictEqual(insight.evaluated, 60);
    assert.ok((insight.accuracy?.accuracy ?? 0) > 0.8);
    assert.deepStrictEqual(insight.balance.map(({ decided }) => decided).reduce((a, b) => a + b), 60);
    assert.deepStrictEqual(insight.balance.map(({ guessed }) => guessed).reduce((a, b) => a + b), 120);
    assert.deepStrictEqual(insight.annotators, ['mei']);
  });
});
