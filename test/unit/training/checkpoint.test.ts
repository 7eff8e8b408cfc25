import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { fingerprintLength, readCheckpoint, writeCheckpoint } from '../../../src/training/checkpoint';
import type { HistoryState } from '../../../src/training/history';
import type { LoopShape, LoopState } from '../../../src/training/loop';

const shape: fc.Arbitrary<LoopShape> = fc.record({
  parameters: fc.nat({ max: 12 }),
  epochs: fc.integer({ min: 1, max: 6 }),
  batches: fc.integer({ min: 1, max: 9 }),
  logits: fc.nat({ max: 6 }),
  averaging: fc.boolean(),
});
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const positive = number.map(Math.abs);
/** A history after so many steps. */
const historyOf = (steps: number): fc.Arbitrary<HistoryState> =>
  fc.constantFrom(1, 2, 4, 8).chain((width) => {
    const length = Math.floor(steps / width);
    return fc.record({ width: fc.constant(width), losses: fc.array(number, { minLength: length, maxLength: length }), sum: number }, { noNullPrototype: true });
  });
const floats = (length: number): fc.Arbitrary<Float32Array> => fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true });

/** States in which a loop of that shape can be. */
function stateOf({ parameters, epochs, batches, logits, averaging }: LoopShape): fc.Arbitrary<LoopState> {
  const places = fc.integer({ min: 0, max: epochs }).chain((epoch) => fc.tuple(fc.constant(epoch), fc.nat({ max: epoch === epochs ? 0 : batches })));
  return places.chain(([epoch, position]) =>
    fc.record({
      epoch: fc.constant(epoch),
      position: fc.constant(position),
      history: historyOf(epoch * batches + position),
      total: number,
      smoothed: number,
      seconds: positive,
      secondsBefore: positive,
      reports: fc.array(fc.record({ trainLoss: number, validLoss: number, validAccuracy: fc.double({ min: 0, max: 1, noNaN: true }), seconds: positive, validRmse: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }) }, { noNullPrototype: true, requiredKeys: ['trainLoss', 'validLoss', 'validAccuracy', 'seconds'] }), { minLength: epoch, maxLength: epoch }),
      best: epoch === 0 ? fc.constant(-1) : fc.nat({ max: epoch - 1 }),
      steps: fc.nat(),
      averageSteps: fc.nat(),
      weights: floats(parameters),
      first: floats(parameters),
      second: floats(parameters),
      average: floats(averaging ? parameters : 0),
      bestWeights: floats(epoch === 0 ? 0 : parameters),
      bestLogits: floats(epoch === 0 ? 0 : logits),
    }),
  );
}

const written = fc.record({ shape, fingerprint: fc.uint8Array({ minLength: fingerprintLength, maxLength: fingerprintLength }) }).chain(({ shape, fingerprint }) =>
  stateOf(shape).map((state) => ({ shape, fingerprint, state, bytes: writeCheckpoint(state, fingerprint) })),
);

/** For what has no valid checksum: a file of a newer version may have another one. */
function assertRefused(answer: ReturnType<typeof readCheckpoint>): void {
  assert.ok(answer === 'damaged' || answer === 'newer', typeof answer);
}

/** JSON knows no -0. */
function withoutMinusZero(state: LoopState): LoopState {
  return { ...state, ...(JSON.parse(JSON.stringify({ ...state, weights: 0, first: 0, second: 0, average: 0, bestWeights: 0, bestLogits: 0 })) as object), ...arraysOf(state) };
}

function arraysOf({ weights, first, second, average, bestWeights, bestLogits }: LoopState): Pick<LoopState, 'weights' | 'first' | 'second' | 'average' | 'bestWeights' | 'bestLogits'> {
  return { weights, first, second, average, bestWeights, bestLogits };
}

describe('a checkpoint', () => {
  it('gives back what it was made of, bit by bit, wherever in memory it lies', () => {
    fc.assert(
      fc.property(written, fc.nat({ max: 5 }), ({ shape, fingerprint, state, bytes }, shift) => {
        const moved = new Uint8Array(bytes.length + shift).subarray(shift);
        moved.set(bytes);
        assert.deepStrictEqual(readCheckpoint(moved, fingerprint, shape), withoutMinusZero(state));
      }),
    );
  });

  it('is refused when it was cut short anywhere, or is followed by something', () => {
    fc.assert(
      fc.property(written, fc.uint8Array({ minLength: 1, maxLength: 20 }), ({ shape, fingerprint, bytes }, more) => {
        for (let length = 0; length < bytes.length; length++) assert.strictEqual(readCheckpoint(bytes.slice(0, length), fingerprint, shape), 'damaged');
        assert.strictEqual(readCheckpoint(Uint8Array.from([...bytes, ...more]), fingerprint, shape), 'damaged');
      }),
      { numRuns: 30 },
    );
  });

  it('is refused when any of its bits are others', () => {
    fc.assert(
      fc.property(written, fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 5 }), ({ shape, fingerprint, bytes }, places) => {
        const damaged = bytes.slice();
        for (const bit of new Set(places.map((place) => place % (8 * bytes.length)))) damaged[bit >> 3]! ^= 1 << (bit & 7);
        assertRefused(readCheckpoint(damaged, fingerprint, shape));
      }),
      { numRuns: 500 },
    );
  });

  it('is refused when it is another file, also one that begins like a checkpoint', () => {
    fc.assert(
      fc.property(written, fc.uint8Array({ maxLength: 400 }), fc.nat({ max: 60 }), ({ shape, fingerprint, bytes }, other, kept) => {
        assertRefused(readCheckpoint(Uint8Array.from([...bytes.subarray(0, kept), ...other]), fingerprint, shape));
      }),
    );
  });

  it('is refused when a newer version wrote it, or it belongs to another training', () => {
    fc.assert(
      fc.property(written, fc.nat({ max: fingerprintLength - 1 }), fc.integer({ min: 1, max: 255 }), ({ shape, fingerprint, bytes }, place, change) => {
        const other = fingerprint.slice();
        other[place]! ^= change;
        assert.strictEqual(readCheckpoint(bytes, other, shape), 'different');
        const newer = bytes.slice();
        newer[8] = 3;
        assert.strictEqual(readCheckpoint(newer, fingerprint, shape), 'newer');
      }),
    );
  });

  it('is refused when it is whole but no loop of that shape can have been in its state', () => {
    const fingerprint = new Uint8Array(fingerprintLength);
    const shape: LoopShape = { parameters: 4, epochs: 3, batches: 5, logits: 2, averaging: true };
    const report = { trainLoss: 1, validLoss: 1, validAccuracy: 0.5, seconds: 1 };
    const zeros = (length: number): Float32Array => new Float32Array(length);
    const state: LoopState = {
      ...{ epoch: 1, position: 2, total: 1, smoothed: 1, seconds: 1, secondsBefore: 1, reports: [report], best: 0, steps: 7, averageSteps: 7, history: { width: 2, losses: [1, 0.5, 0.25], sum: 0.2 } },
      ...{ weights: zeros(4), first: zeros(4), second: zeros(4), average: zeros(4), bestWeights: zeros(4), bestLogits: zeros(2) },
    };
    assert.strictEqual(typeof readCheckpoint(writeCheckpoint(state, fingerprint), fingerprint, shape), 'object');
    const impossible: readonly (Partial<LoopState> | Record<keyof LoopState, unknown>)[] = [
      { epoch: 2 },
      { epoch: 4, reports: [report, report, report, report] },
      { epoch: 3, reports: [report, report, report] },
      { epoch: 0, reports: [], best: -1 },
      { epoch: 0.5 },
      { position: 6 },
      { position: -1 },
      { position: 1.5 },
      { total: NaN },
      { smoothed: Infinity },
      { seconds: -1 },
      { best: 1 },
      { best: -1 },
      { best: 0.5 },
      { steps: -1 },
      { averageSteps: 1e300 },
      { reports: [{ ...report, validAccuracy: 2 }] },
      { reports: [{ ...report, validLoss: NaN }] },
      { reports: [null as never] },
      { reports: 'reports' as never },
      { reports: [{ ...report, validRmse: -1 }] },
      { history: { width: 2, losses: [1, 0.5], sum: 0.2 } },
      { history: { width: 0, losses: [], sum: 0 } },
      { history: { width: 7, losses: [NaN], sum: 0 } },
      { history: null as never },
      { weights: zeros(5) },
      { average: zeros(0) },
      { second: Float32Array.of(0, NaN, 0, 0) },
      { bestLogits: Float32Array.of(0, Infinity) },
    ];
    for (const change of impossible) assert.strictEqual(readCheckpoint(writeCheckpoint({ ...state, ...change } as LoopState, fingerprint), fingerprint, shape), 'damaged', JSON.stringify(change));
    for (const other of [{ parameters: 5 }, { logits: 3 }, { averaging: false }, { epochs: 0 }, { batches: 1 }])
      assert.strictEqual(readCheckpoint(writeCheckpoint(state, fingerprint), fingerprint, { ...shape, ...other }), 'damaged', JSON.stringify(other));
  });
});
