import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { parseDecision, type Decision, type DecisionValue } from '../../../src/core/labels/decision';
import { JournalState, type DecisionDraft } from '../../../src/core/labels/journal';
import { applyLabelEdit, type TaskDefinition } from '../../../src/core/labels/task';
import { exampleId } from '../../../src/core/text/normalize';
import { anyDecision, decision, task } from './decisions';

const texts = ['one', 'two', 'three', 'four'];
const start = Date.UTC(2026, 10, 20, 12);

/** All that a state tells, for comparisons. */
function told(state: JournalState): unknown {
  return {
    decisions: [...state.decisions()],
    counts: state.counts(),
    states: Object.fromEntries([...state.decidedExamples()].sort().map((id) => [id, state.stateOf(id)])),
    history: texts.map((text) => state.historyOf(exampleId(text))),
    undo: state.annotators.map((annotator) => [annotator, [...(state.undo(annotator) ?? [])], [...(state.redo(annotator) ?? [])], state.nextTime(annotator, 0), state.pace(annotator, start)]),
  };
}

const stateOf = (decisions: readonly Decision[], of: TaskDefinition = task): JournalState => {
  const state = new JournalState(of);
  state.add(decisions);
  return state;
};

/** Writes as a store does. */
class Writer {
  readonly lines: Decision[] = [];
  constructor(
    readonly state: JournalState,
    readonly annotator = 'mei',
    private now = start,
  ) {}

  write(drafts: Iterable<DecisionDraft>): void {
    const at = this.state.nextTime(this.annotator, this.now);
    const written = [...drafts].map((draft) => ({ ...draft, at, annotator: this.annotator }));
    this.lines.push(...written);
    this.state.add(written);
  }

  decide(on: readonly string[], label: DecisionValue | undefined): void {
    this.write(on.map((text) => ({ example: exampleId(text), text, origin: 'key', ...(label === undefined ? { status: 'skipped' } : { status: 'labeled', label }), ...(on.length > 1 ? { group: `bulk ${[...this.state.decisions()].length}` } : {}) })));
  }

  undo(): boolean {
    const lines = this.state.undo(this.annotator);
    if (lines) this.write(lines);
    return lines !== undefined;
  }

  redo(): boolean {
    const lines = this.state.redo(this.annotator);
    if (lines) this.write(lines);
    return lines !== undefined;
  }

  /** What the annotator's words are. */
  get words(): unknown {
    return texts.map((text) => {
      const word = this.state.wordOf(exampleId(text), this.annotator);
      return word && [word.status, word.label];
    });
  }
}

type Step = { readonly kind: 'decide'; readonly texts: readonly string[]; readonly label: string | undefined } | { readonly kind: 'undo' | 'redo' } | { readonly kind: 'clock'; readonly by: number };
const decide = fc.record({ kind: fc.constant('decide' as const), texts: fc.uniqueArray(fc.constantFrom(...texts), { minLength: 1 }), label: fc.constantFrom('good', 'bad', undefined) });
const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof({ weight: 3, arbitrary: decide }, { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('undo' as const, 'redo' as const) }) }, fc.record({ kind: fc.constant('clock' as const), by: fc.integer({ min: -5000, max: 5000 }) })), { maxLength: 30 });

function written(of: readonly Step[], annotator: string): Decision[] {
  const state = new JournalState(task);
  let now = start;
  const lines: Decision[] = [];
  for (const step of of) {
    if (step.kind === 'clock') now += step.by;
    else {
      const writer = new Writer(state, annotator, now);
      if (step.kind === 'decide') writer.decide(step.texts, step.label);
      else writer[step.kind]();
      lines.push(...writer.lines);
    }
  }
  return lines;
}

/** Decisions on few texts by few annotators at few times, so that all of them meet. */
const meeting = fc.array(
  fc
    .tuple(anyDecision, fc.nat(3), fc.constantFrom('mei', 'li'), fc.nat(5), fc.constantFrom('a', 'b', undefined))
    .map(([any, text, annotator, second, group]): Decision => {
      const { undo, redo, ...rest } = any;
      delete (rest as { group?: string }).group;
      const id = (name: string | undefined): string | undefined => (name === undefined ? undefined : name.length % 2 ? 'a' : decision(second, '', 'x').at);
      const [undone, redone] = [id(undo), id(redo)];
      return { ...rest, example: exampleId(texts[text]!), annotator, at: decision(second, '', 'x').at, ...(group ? { group } : {}), ...(undone ? { undo: undone } : {}), ...(redone ? { redo: redone } : {}) };
    }),
  { maxLength: 20 },
);

describe('replaying a journal', () => {
  it('gives the same state in whatever order and however often lines come in', async () => {
    await fc.assert(
      fc.asyncProperty(meeting, fc.array(fc.nat()), async (lines, cuts) => {
        const expected = told(stateOf(lines));
        assert.deepStrictEqual(told(stateOf([...lines, ...lines])), expected, 'twice');
        assert.deepStrictEqual(told(stateOf([...lines].reverse())), expected, 'backwards');
        const halves = [lines.filter((_, index) => (cuts[index] ?? 0) % 2 === 0), lines.filter((_, index) => (cuts[index] ?? 0) % 2 === 1)];
        for (const [first, second] of [halves, [...halves].reverse()]) {
          const state = stateOf(first!);
          state.add(second!);
          assert.deepStrictEqual(told(state), expected, 'in halves');
        }
        const single = new JournalState(task);
        for (const line of lines) single.add([line]);
        assert.deepStrictEqual(told(single), expected, 'one by one');
        const sliced = new JournalState(task);
        await sliced.addMany(halves[0]!, () => Promise.resolve());
        await sliced.addMany(halves[1]!, () => Promise.resolve());
        assert.deepStrictEqual(told(sliced), expected, 'in slices');
      }),
    );
  });

  it('gives the same for any interleaving of what two annotators wrote', () => {
    fc.assert(
      fc.property(steps, steps, fc.array(fc.boolean()), (mei, li, turns) => {
        const [first, second] = [written(mei, 'mei'), written(li, 'li')];
        const expected = told(stateOf([...first, ...second]));
        const state = new JournalState(task);
        const queues: readonly [Decision[], Decision[]] = [[...first], [...second]];
        for (let turn = 0; queues[0].length + queues[1].length > 0; turn++) {
          const queue = queues[(turns[turn] ?? turn % 2 === 0) ? 0 : 1];
          const line = queue.shift();
          if (line) state.add([line]);
          else state.add((queue === queues[0] ? queues[1] : queues[0]).splice(0));
        }
        assert.deepStrictEqual(told(state), expected);
        // each has their own word, whatever the other does
        for (const [annotator, own] of [['mei', first], ['li', second]] as const) {
          const alone = stateOf(own);
          for (const text of texts) assert.deepStrictEqual(state.wordOf(exampleId(text), annotator), alone.wordOf(exampleId(text), annotator));
          assert.deepStrictEqual([...(state.undo(annotator) ?? [])], [...(alone.undo(annotator) ?? [])]);
        }
      }),
    );
  });

  it('takes the latest word of each, and says who differs', () => {
    const id = exampleId('x');
    const state = stateOf([decision(1, 'x', 'good'), decision(2, 'x', 'bad', { annotator: 'li' }), decision(3, 'x', 'good', { annotator: 'wu' })]);
    assert.deepStrictEqual(state.stateOf(id), { status: 'labeled', value: 'good', annotator: 'wu', at: decision(3, '', 'x').at, others: [{ annotator: 'li', status: 'labeled', value: 'bad' }] });
    state.add([decision(4, 'x', undefined, { annotator: 'wu' })]);
    assert.deepStrictEqual(state.stateOf(id), { status: 'labeled', value: 'bad', annotator: 'li', at: decision(2, '', 'x').at, others: [{ annotator: 'mei', status: 'labeled', value: 'good' }] }, 'a skip hides nobody’s label');
    assert.deepStrictEqual(state.wordsOf(id).map(({ annotator, status }) => [annotator, status]), [['li', 'labeled'], ['mei', 'labeled'], ['wu', 'skipped']]);
    state.add([decision(5, 'x', undefined, { annotator: 'li', status: 'cleared' }), decision(6, 'x', undefined, { status: 'cleared' })]);
    assert.strictEqual(state.stateOf(id)?.status, 'skipped');
    state.add([decision(7, 'x', undefined, { annotator: 'wu', status: 'cleared' })]);
    assert.strictEqual(state.stateOf(id), undefined);
    assert.strictEqual(state.historyOf(id).length, 7);
  });

  it('goes by when something was decided, of what was imported with a time of its own, and undoes it as what was written last', () => {
    const id = exampleId('x');
    const lastYear = '2025-11-20T12:00:00.000Z';
    const imported = [decision(2, 'x', 'bad', { annotator: 'li', origin: 'import', decidedAt: lastYear }), decision(3, 'y', 'bad', { origin: 'import', decidedAt: lastYear })];
    const state = stateOf([decision(1, 'x', 'good'), ...imported]);
    assert.deepStrictEqual(state.stateOf(id), { status: 'labeled', value: 'good', annotator: 'mei', at: decision(1, '', 'x').at, others: [{ annotator: 'li', status: 'labeled', value: 'bad' }] });
    assert.strictEqual(state.stateOf(exampleId('y'))?.at, lastYear);
    assert.deepStrictEqual([...(state.undo('mei') ?? [])].map(({ text, status }) => [text, status]), [['y', 'cleared']]);
    state.add([decision(4, 'x', undefined, { status: 'cleared' })]);
    assert.deepStrictEqual([state.stateOf(id)?.value, state.stateOf(id)?.at], ['bad', lastYear]);
    // an older word that an undo brings back does not become a new one
    state.add([decision(5, 'x', 'good', { annotator: 'li' })]);
    assert.deepStrictEqual([...(state.undo('li') ?? [])].map(({ label, decidedAt }) => [label, decidedAt]), [['bad', lastYear]]);
  });

  it('sees labels through merges, in agreement too', () => {
    const state = stateOf([decision(1, 'x', 'good'), decision(2, 'x', 'mixed', { annotator: 'li' }), decision(3, 'y', 'gone')]);
    assert.strictEqual(state.stateOf(exampleId('x'))?.others.length, 1);
    assert.deepStrictEqual(state.counts(), { labeled: 2, skipped: 0, flagged: 0, byLabel: { mixed: 1, gone: 1 } });
    state.useTask(applyLabelEdit(task, { do: 'merge', label: 'mixed', into: 'good' }));
    assert.strictEqual(state.stateOf(exampleId('x'))?.others.length, 0);
    assert.deepStrictEqual(state.counts(), { labeled: 2, skipped: 0, flagged: 0, byLabel: { good: 1, gone: 1 } });
    assert.deepStrictEqual([...state.answers()].map((answers) => [...answers]), [[['li', 'good'], ['mei', 'good']], [['mei', 'gone']]]);
    const multi: TaskDefinition = { ...applyLabelEdit(task, { do: 'merge', label: 'mixed', into: 'good' }), kind: 'multi' };
    assert.deepStrictEqual(stateOf([decision(1, 'x', ['good', 'mixed', 'bad'])], multi).counts().byLabel, { good: 1, bad: 1 });
  });

  it('counts what is in the pool, and as a recount would after every line, also while one is being made and as the pool grows', async () => {
    await fc.assert(
      fc.asyncProperty(meeting, fc.nat(20), async (lines, early) => {
        const state = new JournalState(task);
        const pool = new Set([exampleId('one')]);
        const inPool = (id: string): boolean => pool.has(id);
        const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
        await state.addMany(lines.slice(0, early), turn);
        const counted = state.countWithin(inPool, turn);
        const read = ['three', 'four'].map((text) => exampleId(text));
        for (const id of read) pool.add(id);
        state.countAlso(read);
        for (const line of lines.slice(early)) state.add([line]);
        await counted;
        const states = [...state.decidedExamples()].filter(inPool).map((id) => state.stateOf(id));
        const counts = state.counts();
        for (const id of texts.map((text) => exampleId(text))) assert.strictEqual(state.isDecided(id), state.stateOf(id) !== undefined);
        for (const status of ['labeled', 'skipped', 'flagged'] as const) assert.strictEqual(counts[status], states.filter((each) => each?.status === status).length);
        const recounted = stateOf(lines);
        await recounted.countWithin(inPool, turn);
        assert.deepStrictEqual(counts, recounted.counts());
      }),
    );
  });

  it('tells the pace of the last ten minutes by acts, without imports and what was undone', () => {
    const at = (minute: number): number => start + minute * 60_000;
    const state = stateOf([...[0, 60, 120, 120, 180].map((second, index) => decision(second, `t${index}`, 'good')), decision(200, 'i', 'good', { origin: 'import' }), ...['a', 'b'].map((text) => decision(240, text, 'bad', { group: 'g' }))]);
    // acts at minutes 0, 1, 2 and 3 (those of one time are one) and the bulk at 4
    assert.strictEqual(state.pace('mei', at(5)), 1);
    assert.strictEqual(state.pace('mei', at(13.5)), 1 / 9.5);
    assert.strictEqual(state.pace('mei', at(30)), 0);
    assert.strictEqual(state.pace('li', at(5)), 0);
    assert.strictEqual(stateOf([decision(0, 'x', 'good')]).pace('mei', start + 10), 1);
    const writer = new Writer(state);
    writer.undo();
    assert.strictEqual(state.pace('mei', at(5)), 4 / 5);
  });
});

describe('undo and redo', () => {
  it('are each other’s inverse, without limit, also after a restart at any moment', () => {
    fc.assert(
      fc.property(fc.array(decide, { maxLength: 12 }), fc.array(fc.boolean(), { maxLength: 30 }), (decisions, moves) => {
        let writer = new Writer(new JournalState(task));
        const restart = (): void => {
          const lines = writer.lines.map((line) => JSON.stringify(line)).map((line) => {
            const parsed = parseDecision(line, 'x');
            assert.ok(parsed.kind === 'decision');
            return parsed.decision;
          });
          writer = new Writer(stateOf(lines));
          writer.lines.push(...lines);
        };
        const timeline = [writer.words];
        for (const step of decisions) {
          writer.decide(step.texts, step.label);
          timeline.push(writer.words);
        }
        let at = decisions.length;
        for (const isUndo of [...moves, ...moves.map(() => true)]) {
          restart();
          const moved = isUndo ? writer.undo() : writer.redo();
          assert.strictEqual(moved, isUndo ? at > 0 : at < decisions.length);
          if (moved) at += isUndo ? -1 : 1;
          assert.deepStrictEqual(writer.words, timeline[at]);
          assert.deepStrictEqual([writer.state.canUndo('mei'), writer.state.canRedo('mei')], [at > 0, at < decisions.length]);
        }
        // all the way back and forth
        while (writer.undo()) at--;
        assert.strictEqual(decisions.length === 0 ? 0 : at, 0);
        assert.deepStrictEqual(writer.words, timeline[0]);
        while (writer.redo());
        assert.deepStrictEqual(writer.words, timeline.at(-1));
      }),
    );
  });

  it('forget what was undone once something new is decided', () => {
    const writer = new Writer(new JournalState(task));
    writer.decide(['one'], 'good');
    writer.decide(['two', 'three'], 'bad');
    writer.undo();
    writer.decide(['four'], undefined);
    assert.ok(!writer.redo());
    writer.undo();
    writer.undo();
    assert.ok(!writer.undo());
    assert.deepStrictEqual(writer.words, texts.map(() => undefined));
  });

  it('of a bulk name its group on each line, and bring back what was there before', () => {
    const writer = new Writer(new JournalState(task));
    writer.decide(['one'], 'good');
    writer.decide(texts, 'bad');
    const undo = [...writer.state.undo('mei')!];
    assert.deepStrictEqual(undo.map(({ text, status, label, undo: group }) => [text, status, label, group]).sort(), [['four', 'cleared', undefined, 'bulk 1'], ['one', 'labeled', 'good', 'bulk 1'], ['three', 'cleared', undefined, 'bulk 1'], ['two', 'cleared', undefined, 'bulk 1']]);
    writer.undo();
    assert.ok([...writer.state.redo('mei')!].every((line) => line.redo === 'bulk 1' && line.label === 'bad'));
  });

  it('of a bulk that was cut off by a kill go on where they ended', () => {
    const writer = new Writer(new JournalState(task));
    writer.decide(texts, 'bad');
    writer.write([...writer.state.undo('mei')!].slice(0, 2));
    assert.ok(writer.state.canUndo('mei') && writer.state.canRedo('mei'));
    assert.strictEqual([...writer.state.undo('mei')!].length, 2);
    writer.undo();
    assert.deepStrictEqual(writer.words, texts.map(() => undefined));
    assert.ok(!writer.state.canUndo('mei'));
    writer.redo();
    assert.deepStrictEqual(writer.words, texts.map(() => ['labeled', 'bad']));
  });

  it('are everybody’s own', () => {
    const state = new JournalState(task);
    const [mei, li] = [new Writer(state), new Writer(state, 'li')];
    mei.decide(['one'], 'good');
    li.decide(['one'], 'bad');
    assert.ok(mei.undo() && !mei.undo());
    assert.strictEqual(state.stateOf(exampleId('one'))?.value, 'bad');
    assert.deepStrictEqual(mei.words, texts.map(() => undefined));
  });
});

describe('the time of a decision', () => {
  it('is later than all that its annotator decided before, whatever the clock does', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const lines = written(all, 'mei');
        for (const [index, line] of lines.entries()) {
          const before = lines[index - 1];
          const isSameAct = before && ((line.group !== undefined && line.group === before.group) || (line.undo !== undefined && line.undo === before.undo && line.at === before.at) || (line.redo !== undefined && line.redo === before.redo && line.at === before.at));
          if (before) assert.ok(isSameAct ? line.at === before.at : line.at > before.at);
        }
      }),
    );
  });

  it('is the clock’s as long as that goes forward', () => {
    assert.strictEqual(new JournalState(task).nextTime('mei', start), '2026-11-20T12:00:00.000Z');
    assert.strictEqual(stateOf([decision(0, 'x', 'good')]).nextTime('mei', start + 1), '2026-11-20T12:00:00.001Z');
    assert.strictEqual(stateOf([decision(0, 'x', 'good')]).nextTime('mei', start - 3_600_000), '2026-11-20T12:00:00.001Z');
    assert.strictEqual(stateOf([decision(0, 'x', 'good')]).nextTime('li', start - 1), '2026-11-20T11:59:59.999Z');
  });
});
