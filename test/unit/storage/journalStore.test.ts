import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { formatDecision, parseDecision, type Decision } from '../../../src/core/labels/decision';
import { JournalState, type DecisionDraft } from '../../../src/core/labels/journal';
import { exampleId } from '../../../src/core/text/normalize';
import { JournalStore } from '../../../src/storage/journalStore';
import { journalFiles } from '../../../src/storage/paths';
import { MemoryFileSystem } from '../app/memoryFileSystem';
import { anyDecision, decision, task } from '../labels/decisions';

const folder = '/w/.label-lens/reviews/labels';
const own = `${folder}/mei.jsonl`;
const start = Date.UTC(2026, 10, 20, 12);
const breathe = (): Promise<void> => Promise.resolve();

const draft = (text: string, label: string | undefined = 'good'): DecisionDraft => ({ example: exampleId(text), text, origin: 'key', ...(label === undefined ? { status: 'skipped' } : { status: 'labeled', label }) });
const journal = (decisions: readonly Decision[]): string => decisions.map((each) => `${formatDecision(each)}\n`).join('');
const codes = (problems: readonly HumanError[]): string[] => problems.map(({ code }) => code);
const rejects = async (promise: Promise<unknown>, code: string): Promise<void> => assert.rejects(promise, (error) => error instanceof HumanError && error.code === code);

/** All that is on the disk. */
const contents = (files: MemoryFileSystem): Record<string, string> => Object.fromEntries([...files.files].map(([path, content]) => [path, new TextDecoder().decode(content)]));
const linesOf = (files: MemoryFileSystem, path = own): Decision[] =>
  (contents(files)[path] ?? '').split('\n').filter((line) => line !== '').map((line) => {
    const parsed = parseDecision(line, path);
    assert.ok(parsed.kind === 'decision', line);
    return parsed.decision;
  });

async function open(files: MemoryFileSystem, more: { readonly annotator?: string; readonly reading?: boolean } = {}): Promise<{ readonly store: JournalStore; readonly problems: readonly HumanError[] }> {
  return await JournalStore.open({ fileSystem: files, folder, task, now: () => start, breathe, ...(more.reading === true ? {} : { annotator: more.annotator ?? 'mei' }) });
}

/** The state that replaying a file's whole content gives. */
function replayed(files: MemoryFileSystem): JournalState {
  const state = new JournalState(task);
  for (const path of files.files.keys()) if (!path.endsWith('.damaged.jsonl')) state.add(linesOf(files, path));
  return state;
}

describe('a task’s journals', () => {
  let files: MemoryFileSystem;
  beforeEach(() => (files = new MemoryFileSystem()));

  it('hold what was decided, in the order of the calls, with rising times', async () => {
    const { store, problems } = await open(files);
    assert.deepStrictEqual(problems, []);
    const undone = await Promise.all(['a', 'b', 'c', 'd'].map((text) => store.append([draft(text)])));
    assert.deepStrictEqual(linesOf(files).map(({ text, at }) => [text, at]), [0, 1, 2, 3].map((index) => ['abcd'[index], new Date(start + index).toISOString()]));
    assert.deepStrictEqual(undone.map(({ examples }) => examples), ['a', 'b', 'c', 'd'].map((text) => [exampleId(text)]));
    assert.deepStrictEqual(undone.at(-1), { examples: [exampleId('d')], canUndo: true, canRedo: false });
    assert.deepStrictEqual([...store.state.decisions()], linesOf(files));
  });

  it('write what comes in meanwhile at once', async () => {
    let writes = 0;
    const append = files.append.bind(files);
    files.append = (...args) => (writes++, append(...args));
    const { store } = await open(files);
    await Promise.all(Array.from({ length: 100 }, (_, index) => store.append([draft(`${index}`)])));
    assert.strictEqual(linesOf(files).length, 100);
    assert.strictEqual(writes, 2);
  });

  it('take back and do again, also right behind a decision and after a restart', async () => {
    let { store } = await open(files);
    const bulk = ['x', 'y'].map((text) => draft(text, 'bad'));
    const [, , undone] = await Promise.all([store.append([draft('x')]), store.append([...bulk, draft('y', 'mixed')]), store.undo()]);
    assert.deepStrictEqual([...undone!.examples].sort(), [exampleId('x'), exampleId('y')].sort());
    assert.deepStrictEqual([undone!.canUndo, undone!.canRedo], [true, true]);
    assert.deepStrictEqual([store.state.stateOf(exampleId('x'))?.value, store.state.stateOf(exampleId('y'))], ['good', undefined]);
    ({ store } = await open(files));
    await store.redo();
    assert.deepStrictEqual(['x', 'y'].map((text) => store.state.stateOf(exampleId(text))?.value), ['bad', 'mixed']);
    assert.strictEqual(await store.redo(), undefined);
    await store.undo();
    await store.undo();
    assert.strictEqual(await store.undo(), undefined);
    assert.deepStrictEqual(store.state.counts(), { labeled: 0, skipped: 0, flagged: 0, byLabel: {} });
    const groups = linesOf(files).map(({ group, undo, redo }) => [group, undo, redo].filter((each) => each !== undefined).length);
    assert.deepStrictEqual(groups, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1], 'lines say what they belong to');
  });

  it('give back any decision that may stand in them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyDecision.filter(({ label }) => label === undefined || typeof label === 'string')), async (decisions) => {
        const memory = new MemoryFileSystem();
        memory.put(own, journal(decisions));
        const { store, problems } = await open(memory);
        assert.deepStrictEqual(problems, []);
        const expected = new JournalState(task);
        expected.add(decisions);
        assert.deepStrictEqual([...store.state.decisions()], [...expected.decisions()]);
        await store.append([draft('new')]);
        assert.ok(contents(memory)[own]!.startsWith(journal(decisions)), 'nothing is rewritten');
      }),
      { numRuns: 50 },
    );
  });

  it('lose no whole line when the file is cut anywhere, and keep the cut one aside', async () => {
    const whole = new TextEncoder().encode(journal([decision(1, 'so, là là 👍', 'good'), decision(2, 'b', 'bad'), decision(3, 'c', undefined)]));
    for (let cut = 0; cut <= whole.length; cut++) {
      const memory = new MemoryFileSystem();
      memory.put(own, whole.slice(0, cut));
      const { store, problems } = await open(memory);
      const ends = [...whole.keys()].filter((index) => whole[index] === 10);
      // the line feed alone may be missing
      const lines = ends.filter((end) => end <= cut).length;
      const torn = cut === 0 || whole[cut - 1] === 10 || whole[cut] === 10 ? undefined : whole.slice((ends.filter((end) => end < cut).at(-1) ?? -1) + 1, cut);
      assert.strictEqual([...store.state.decisions()].length, lines, `${cut}`);
      assert.deepStrictEqual(codes(problems), torn ? ['journal.torn'] : []);
      const aside = memory.files.get(`${folder}/mei.damaged.jsonl`);
      assert.deepStrictEqual(aside && [...aside], torn && [...torn, 10], 'nothing is thrown away');
      await store.append([draft('next')]);
      assert.strictEqual(linesOf(memory).length, lines + 1);
      assert.deepStrictEqual(codes((await open(memory)).problems), [], 'told once');
    }
  });

  it('leave foreign lines as they are, and say where they stand', async () => {
    const content = `${journal([decision(1, 'a', 'good')])}<<<<<<< HEAD\n\n${journal([decision(2, 'b', 'bad', { annotator: 'li' })])}{"at":1}\n${journal([decision(3, 'c', ['x'])])}`;
    files.put(own, content);
    const { store, problems } = await open(files);
    assert.deepStrictEqual(codes(problems), ['journal.foreign']);
    assert.match(problems[0]!.message, /mei\.jsonl .*: 3, the first of them line 2\./);
    assert.deepStrictEqual(store.foreign.map(({ file, line, reason }) => [file, line, reason.code]), [['mei.jsonl', 2, 'json.syntax'], ['mei.jsonl', 5, 'json.choice'], ['mei.jsonl', 6, 'decision.kind']]);
    assert.deepStrictEqual(store.state.annotators, ['li', 'mei']);
    await store.append([draft('d')]);
    assert.ok(contents(files)[own]!.startsWith(content));
    assert.deepStrictEqual((await store.refresh()).problems, []);
  });

  it('of others are read and never written, broken ones neither', async () => {
    files.put(`${folder}/li.jsonl`, `${journal([decision(1, 'a', 'bad', { annotator: 'li' })])}{"at":"2026`);
    const before = contents(files);
    const { store, problems } = await open(files);
    assert.deepStrictEqual(codes(problems), ['journal.partial']);
    assert.deepStrictEqual(store.foreign.map(({ file, line }) => [file, line]), [['li.jsonl', 2]]);
    await store.append([draft('a')]);
    assert.deepStrictEqual({ ...contents(files), [own]: undefined }, { ...before, [own]: undefined });
    assert.strictEqual(store.state.stateOf(exampleId('a'))?.others[0]?.annotator, 'mei');
  });

  it('opened for reading are not touched', async () => {
    files.put(own, '{"torn');
    const before = contents(files);
    const { store, problems } = await open(files, { reading: true });
    assert.deepStrictEqual(codes(problems), ['journal.partial']);
    assert.deepStrictEqual(contents(files), before);
    await assert.rejects(store.append([draft('a')]));
    await assert.rejects(store.undo());
  });

  it('refuse what they could not read again, and nothing else with it', async () => {
    const { store } = await open(files);
    const results = await Promise.allSettled([store.append([draft('a')]), store.append([{ ...draft('b'), prediction: { label: 'good', score: NaN, model: 'v1' } }]), store.append([{ ...draft('c'), label: 4 }]), store.append([draft('d')])]);
    assert.deepStrictEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    assert.deepStrictEqual(linesOf(files).map(({ text }) => text), ['a', 'd']);
  });
});

describe('journals that cannot be written', () => {
  let files: MemoryFileSystem;
  let failing: HumanError | undefined;
  beforeEach(() => {
    failing = undefined;
    files = new MemoryFileSystem();
    const append = files.append.bind(files);
    files.append = (...args) => (failing ? Promise.reject(failing) : append(...args));
  });

  for (const code of ['file.full', 'file.readOnly', 'file.denied', 'file.failed'])
    it(`say so at once, change nothing, and take the same again: ${code}`, async () => {
      const { store } = await open(files);
      await store.append([draft('a')]);
      const [before, disk] = [[...store.state.decisions()], contents(files)];
      failing = new HumanError(code, 'No. Do that.');
      const attempts = await Promise.allSettled([store.append([draft('b')]), store.append([draft('c')]), store.undo(), store.append([draft('d')])]);
      assert.ok(attempts.every((attempt) => attempt.status === 'rejected' && attempt.reason === failing));
      assert.deepStrictEqual([...store.state.decisions()], before);
      assert.deepStrictEqual(contents(files), disk);
      failing = undefined;
      await store.append([draft('b')]);
      assert.deepStrictEqual(linesOf(files).map(({ text }) => text), ['a', 'b']);
    });

  it('are not made anew without a word when the folder is deleted, and come back from what is known', async () => {
    files.put(own, `foreign\n${journal([decision(-60, 'old', 'bad')])}`);
    files.put(`${folder}/li.jsonl`, journal([decision(-50, 'old', 'good', { annotator: 'li' })]));
    const { store } = await open(files);
    await store.append([draft('a')]);
    const before = [...store.state.decisions()];
    await files.remove('/w/.label-lens');
    await rejects(store.append([draft('b')]), 'journal.gone');
    assert.deepStrictEqual(codes((await store.refresh()).problems), ['journal.gone', 'journal.gone']);
    assert.deepStrictEqual(codes((await store.refresh()).problems), [], 'told once');
    await rejects(store.append([draft('b')]), 'journal.gone');
    assert.deepStrictEqual([[...store.state.decisions()], contents(files)], [before, {}]);
    assert.deepStrictEqual((await store.recreate()).problems, []);
    assert.deepStrictEqual([...store.state.decisions()], before);
    await store.append([draft('b')]);
    assert.deepStrictEqual([...store.state.decisions()].map(({ text }) => text), ['old', 'old', 'a', 'b']);
    assert.deepStrictEqual([...(await open(files)).store.state.decisions()], [...store.state.decisions()]);
    assert.match(contents(files)[own]!, /^foreign$/m);
  });

  it('go on where the folder was put back by hand', async () => {
    const { store } = await open(files);
    await store.append([draft('a')]);
    const disk = new Map(files.files);
    await files.remove('/w/.label-lens');
    await rejects(store.append([draft('b')]), 'journal.gone');
    for (const [path, content] of disk) files.files.set(path, content);
    await store.append([draft('b')]);
    assert.deepStrictEqual(linesOf(files).map(({ text }) => text), ['a', 'b']);
    assert.deepStrictEqual((await store.refresh()).problems, []);
  });
});

describe('what others bring to journals', () => {
  let files: MemoryFileSystem;
  beforeEach(() => (files = new MemoryFileSystem()));

  it('in another window comes in without being asked for when both write', async () => {
    const [one, two] = [(await open(files)).store, (await open(files)).store];
    for (let round = 0; round < 10; round++) await Promise.all([one.append([draft(`one ${round}`)]), two.append([draft(`two ${round}`)])]);
    for (const store of [one, two]) {
      assert.deepStrictEqual((await store.refresh()).problems, []);
      assert.deepStrictEqual([...store.state.decisions()], [...replayed(files).decisions()]);
    }
    assert.strictEqual(linesOf(files).length, 20);
    assert.strictEqual([...one.state.decisions()].length, 20);
  });

  it('in any mixture of windows, annotators and restarts comes together in every one of them', async () => {
    const step = fc.record({ window: fc.nat(2), act: fc.constantFrom('decide', 'bulk', 'undo', 'redo', 'refresh', 'reopen'), text: fc.constantFrom('a', 'b', 'c') });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const memory = new MemoryFileSystem();
        const annotators = ['mei', 'mei', 'li 李'];
        const windows = await Promise.all(annotators.map(async (annotator) => (await open(memory, { annotator })).store));
        for (const [index, { window, act, text }] of steps.entries()) {
          const store = windows[window]!;
          if (act === 'decide') await store.append([draft(text, index % 2 ? 'good' : 'bad')]);
          else if (act === 'bulk') await store.append(['a', 'b', 'c'].map((each) => draft(each, undefined)));
          else if (act === 'reopen') windows[window] = (await open(memory, { annotator: annotators[window]! })).store;
          else await store[act]();
        }
        const expected = replayed(memory);
        for (const store of windows) {
          assert.deepStrictEqual((await store.refresh()).problems, []);
          assert.deepStrictEqual([...store.state.decisions()], [...expected.decisions()]);
          assert.deepStrictEqual(store.state.counts(), expected.counts());
          assert.deepStrictEqual([...(store.state.undo('mei') ?? [])], [...(expected.undo('mei') ?? [])]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is told by example: new lines, a new annotator, a file that git rewrote or took', async () => {
    const lines = [decision(1, 'a', 'good'), decision(2, 'b', 'bad'), decision(3, 'c', 'good')];
    files.put(own, journal(lines.slice(0, 2)));
    const { store } = await open(files);
    assert.deepStrictEqual(await store.refresh(), { examples: [], problems: [] });
    files.put(own, journal(lines));
    assert.deepStrictEqual(await store.refresh(), { examples: [exampleId('c')], problems: [] });
    files.put(`${folder}/li.jsonl`, journal([decision(4, 'a', 'bad', { annotator: 'li' })]));
    assert.deepStrictEqual(await store.refresh(), { examples: [exampleId('a')], problems: [] });
    assert.strictEqual(store.state.stateOf(exampleId('a'))?.others.length, 1);
    // a merge puts lines in between
    files.put(own, journal([lines[0]!, decision(0, 'd', 'good'), lines[1]!, lines[2]!]));
    const merged = await store.refresh();
    assert.deepStrictEqual(merged.problems, []);
    assert.ok(merged.examples.includes(exampleId('d')));
    files.put(own, journal([lines[0]!]));
    const rewritten = await store.refresh();
    assert.deepStrictEqual(codes(rewritten.problems), ['journal.rewritten']);
    assert.deepStrictEqual(rewritten.problems[0]!.args, [own, 3]);
    assert.deepStrictEqual([...rewritten.examples].sort(), ['a', 'b', 'c', 'd'].map(exampleId).sort());
    await files.remove(`${folder}/li.jsonl`);
    assert.deepStrictEqual(await store.refresh(), { examples: [exampleId('a')], problems: [] });
    assert.deepStrictEqual([...store.state.decisions()], [lines[0]]);
    await store.append([draft('e')]);
    assert.deepStrictEqual([...store.state.decisions()], [...replayed(files).decisions()]);
  });

  it('half a line is waited for', async () => {
    const line = journal([decision(1, 'a', 'good')]);
    files.put(`${folder}/li.jsonl`, line.slice(0, 30));
    const { store } = await open(files);
    assert.deepStrictEqual((await store.refresh()).examples, []);
    files.put(`${folder}/li.jsonl`, line);
    assert.deepStrictEqual((await store.refresh()).examples, [exampleId('a')]);
    assert.deepStrictEqual(store.foreign, []);
  });

  it('may be much', async () => {
    const many = Array.from({ length: 3000 }, (_, index) => decision(index + 1, `${index}`, 'good', { annotator: 'li' }));
    const { store } = await open(files);
    files.put(`${folder}/li.jsonl`, journal(many));
    assert.strictEqual((await store.refresh()).examples.length, 3000);
    const undone = await store.append(many.map(({ text }) => draft(text, 'bad')));
    assert.strictEqual(undone.examples.length, 3000);
    assert.deepStrictEqual(store.state.counts().byLabel, { good: 3000 });
    await store.undo();
    assert.strictEqual(linesOf(files).length, 6000);
    assert.strictEqual(store.state.canUndo('mei'), false);
  });
});

describe('names of journals', () => {
  it('are the annotators’ where that can be, else distinct', () => {
    assert.deepStrictEqual(journalFiles('mei'), { journal: 'mei.jsonl', damaged: 'mei.damaged.jsonl' });
    assert.strictEqual(journalFiles('李雷').journal, '李雷.jsonl');
    for (const name of ['con', 'a/b', '../x', 'mei.damaged', ' mei', 'a b', '', '.', 'x'.repeat(61)]) assert.match(journalFiles(name).journal, /^[\p{L}\p{N}_-]+-[0-9a-f]{8}\.jsonl$/u);
    assert.notStrictEqual(journalFiles('a/b').journal, journalFiles('a:b').journal);
  });
});
