import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { hyperparameterSpecs } from '../../../src/core/model/hyperparameters';
import { formatPresetFile, parsePresetFile } from '../../../src/core/model/presetFile';
import { presets } from '../../../src/core/model/presets';
import type { Hyperparameters } from '../../../src/core/protocol/trainer';
import { humanError } from '../humanErrors';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

/** Any of the hyperparameters, each within its range. */
const hyperparameters = fc.record(
  Object.fromEntries(
    hyperparameterSpecs.map((spec): [string, fc.Arbitrary<unknown>] => {
      if ('choices' in spec) return [spec.name, fc.constantFrom(...(spec.choices as readonly string[]))];
      const step = spec.multipleOf ?? 1;
      return [spec.name, spec.integer ? fc.integer({ min: Math.ceil(spec.minimum / step), max: Math.floor(spec.maximum / step) }).map((n) => n * step) : fc.double({ min: spec.minimum, max: spec.maximum, noNaN: true })];
    }),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<Partial<Hyperparameters>>;

describe('a preset file', () => {
  it('comes back as it was written', () => {
    const file = fc.record(
      { name: fc.string({ minLength: 1, maxLength: 50 }), preset: fc.constantFrom(...presets.map(({ name }) => name)), hyperparameters, description: fc.string({ minLength: 1 }) },
      { requiredKeys: ['name', 'preset', 'hyperparameters'] },
    );
    fc.assert(
      fc.property(file, (content) => {
        const read = parsePresetFile(formatPresetFile(content), 'my.json');
        // JSON has no minus zero
        assert.deepStrictEqual(read, JSON.parse(JSON.stringify({ ...content, hyperparameters: Object.fromEntries(hyperparameterSpecs.flatMap(({ name }) => (name in content.hyperparameters ? [[name, content.hyperparameters[name]]] : []))) })));
      }),
    );
  });

  it('is refused with what is wrong where', () => {
    const good = { formatVersion: 1, name: 'mine', preset: 'bilstm-pool', hyperparameters: { hiddenUnits: 32 } };
    assert.deepStrictEqual(parsePresetFile(bytes({ ...good, extra: 1 }), 'my.json'), { name: 'mine', preset: 'bilstm-pool', hyperparameters: { hiddenUnits: 32 } });
    const cases: readonly (readonly [unknown, string, ...string[]])[] = [
      ['{', 'json.syntax', 'my.json'],
      ['[]', 'json.whole', 'my.json'],
      [{ ...good, formatVersion: undefined }, 'json.integer', 'formatVersion'],
      [{ ...good, formatVersion: 2 }, 'preset.newer', 'my.json', 'Update'],
      [{ ...good, name: '' }, 'json.text', 'name'],
      [{ ...good, preset: 'gru' }, 'preset.unknown', 'my.json', 'gru', 'bilstm-pool'],
      [{ ...good, hyperparameters: [] }, 'json.object', 'hyperparameters'],
      [{ ...good, hyperparameters: { hiddenUnits: null } }, 'json.record.fact', 'hyperparameters.hiddenUnits'],
      [{ ...good, hyperparameters: { units: 32 } }, 'preset.hyperparameter', 'my.json', 'units', 'hiddenUnits'],
      [{ ...good, hyperparameters: { hiddenUnits: 33 } }, 'preset.hyperparameter', 'my.json', 'hiddenUnits', 'multiple of 4'],
      [{ ...good, hyperparameters: { learningRate: 5 } }, 'preset.hyperparameter', 'learningRate', '5'],
      [{ ...good, hyperparameters: { schedule: 'cosine' } }, 'preset.hyperparameter', 'schedule', 'one-cycle'],
      [{ ...good, description: 7 }, 'json.text', 'description'],
      [`{"formatVersion":1,"name":"mine","preset":"bilstm-pool","hyperparameters":{"__proto__":1}}`, 'json.record'],
      [' '.repeat(100_001), 'json.size', 'my.json'],
    ];
    for (const [content, code, ...parts] of cases) assert.throws(() => parsePresetFile(bytes(content), 'my.json'), humanError(code, ...parts), JSON.stringify(content).slice(0, 100));
  });
});
