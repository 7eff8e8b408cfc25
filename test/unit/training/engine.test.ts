import * as assert from 'node:assert';
import { Random } from '../../../src/core/util/random';
import type { ComputeEngine, LstmOptions, Sequence } from '../../../src/training/engine';
import { engines, randomEngine } from './engines';

const lstm = { type: 'lstm', name: 'lstm', units: 8, bidirectional: true } as const;
const architecture = {
  preset: 'test',
  layers: [
    { type: 'embedding', name: 'embedding', vocabularySize: 4, size: 4 },
    lstm,
    { type: 'pool', name: 'pool', methods: ['mean'] },
    { type: 'dense', name: 'head', units: 2, activation: 'linear' },
  ],
} as const;
const lengths = Int32Array.of(5, 0, 2, 1);
const time = 5;

/** [B, T, width] of numbers in ±1, also at padding. */
function draw(width: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: lengths.length * time * width }, () => 2 * random.float() - 1);
}

/** The array with zeros at padding. */
function padded(values: Float32Array, width: number): Float32Array {
  return values.map((value, k) => (Math.floor(k / width) % time < lengths[Math.floor(k / (width * time))]! ? value : 0));
}

for (const { name, create } of engines) {
  describe(`${name} engine, call by call`, () => {
    it('reads what was written, with zeros at padding, and masks it', async () => {
      const engine = await randomEngine(create, architecture, 1);
      const values = draw(12, 2);
      const mask = Uint8Array.from(values, (value) => (value > 0.3 ? 1 : 0));
      engine.begin(true);
      const x = engine.write(values, { lengths, time, width: 12 });
      const masked = engine.mask(x, mask, 2);
      assert.deepStrictEqual({ time: masked.time, width: masked.width, lengths: masked.lengths }, { time, width: 12, lengths });
      assert.deepStrictEqual(engine.read(x), padded(values, 12));
      assert.deepStrictEqual(
        engine.read(masked),
        padded(
          values.map((value) => (value > 0.3 ? 2 * value : 0)),
          12,
        ),
      );
      engine.dispose();
    });

    it('drops recurrent weights by their masks, forward and backward', async () => {
      const random = new Random(3);
      const recurrentMasks = [0, 1].map(() => Uint8Array.from({ length: 8 * 32 }, () => (random.float() < 0.4 ? 0 : 1)));
      const scale = 1 / 0.6;
      const dropped = await randomEngine(create, architecture, 4);
      const plain = await randomEngine(create, architecture, 4);
      const names = ['lstm/forward/recurrent', 'lstm/backward/recurrent'];
      // the same matrices written down instead of masked
      names.forEach((parameter, direction) => {
        const { offset, size } = plain.layout.find(parameter);
        for (let k = 0; k < size; k++) plain.weights()[offset + k]! *= recurrentMasks[direction]![k]! * scale;
      });
      const through = (engine: ComputeEngine, options?: LstmOptions): { y: Float32Array; dx: Float32Array; gradients: Float32Array } => {
        engine.begin(true);
        const y: Sequence = engine.lstm(engine.write(draw(4, 5), { lengths, time, width: 4 }), lstm, options);
        const values = engine.read(y);
        const dx = engine.read(engine.lstmBackward(y, engine.write(draw(16, 6), { lengths, time, width: 16 })));
        return { y: values, dx, gradients: engine.gradients().slice() };
      };
      const actual = through(dropped, { recurrentMasks, scale });
      const expected = through(plain);
      names.forEach((parameter, direction) => {
        const { offset, size } = plain.layout.find(parameter);
        for (let k = 0; k < size; k++) expected.gradients[offset + k]! *= recurrentMasks[direction]![k]! * scale;
      });
      for (const what of ['y', 'dx', 'gradients'] as const) actual[what].forEach((value, k) => assert.ok(Math.abs(value - expected[what][k]!) < 1e-6, `${what} ${k}: ${value} instead of ${expected[what][k]}`));
      assert.ok(actual.y.some((value) => value !== 0) && actual.dx.some((value) => value !== 0));
      dropped.dispose();
      plain.dispose();
    });

    it('adds gradients up over several batches', async () => {
      const engine = await randomEngine(create, architecture, 4);
      const back = (): Float32Array => {
        engine.begin(true);
        const y = engine.lstm(engine.write(draw(4, 5), { lengths, time, width: 4 }), lstm);
        engine.lstmBackward(y, engine.write(draw(16, 6), { lengths, time, width: 16 }));
        return engine.gradients().slice();
      };
      const once = back();
      const twice = back();
      twice.forEach((slope, k) => assert.ok(Math.abs(slope - 2 * once[k]!) < 1e-5));
      engine.dispose();
    });
  });
}
