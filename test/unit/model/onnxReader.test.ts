import * as assert from 'node:assert';
import * as fc from 'fast-check';
import type { Architecture, Weights } from '../../../src/core/model/architecture';
import { decodeOnnx, encodeOnnx, type OnnxModel, type OnnxTensor } from '../../../src/core/model/onnxFormat';
import { readOnnx, readOnnxWeights } from '../../../src/core/model/onnxReader';
import { precisions, writeOnnx, type Precision } from '../../../src/core/model/onnxWriter';
import { ProtoWriter, readFields } from '../../../src/core/model/protobuf';
import { Random } from '../../../src/core/util/random';
import { codeOf } from '../humanErrors';
import { labelsOf, randomArchitecture } from './randomModels';
import { randomWeights } from './referenceForward';

const bidirectional: Architecture = {
  preset: 'test',
  layers: [
    { type: 'embedding', name: 'embedding', vocabularySize: 12, size: 5 },
    { type: 'lstm', name: 'lstm', units: 3, bidirectional: true },
    { type: 'pool', name: 'pool', methods: ['max', 'mean'] },
    { type: 'dense', name: 'head', units: 2, activation: 'linear' },
  ],
};
const weights = randomWeights(bidirectional, new Random(1));
const valid = writeOnnx(bidirectional, weights, { labels: ['a', 'b'], temperature: 1, precision: 'float32' });
const int8 = writeOnnx(bidirectional, weights, { labels: ['a', 'b'], temperature: 1, precision: 'int8' });

function bits(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

describe('readOnnxWeights', () => {
  it('gives float32 weights back bit for bit', () => {
    const random = new Random(2);
    for (let round = 0; round < 40; round++) {
      const architecture = randomArchitecture(random);
      const written = randomWeights(architecture, random);
      // zeros of both signs and the smallest numbers too
      for (const [name, { data }] of Object.entries(written)) if (!name.startsWith('ngrams/')) for (const value of [0, -0, 1e-45, -3.4e38]) if (random.below(2) === 0) data[random.below(data.length)] = value;
      const read = readOnnxWeights(writeOnnx(architecture, written, { labels: labelsOf(architecture), temperature: 1.7, precision: 'float32' }), architecture);
      assert.deepStrictEqual(Object.keys(read), Object.keys(written));
      for (const [name, tensor] of Object.entries(written)) {
        assert.deepStrictEqual(read[name]!.shape, tensor.shape);
        assert.deepStrictEqual(bits(read[name]!.data), bits(tensor.data), name);
      }
    }
  });

  it('gives smaller formats back to within their rounding, and exactly once they have been rounded', () => {
    const random = new Random(3);
    for (const precision of precisions) {
      for (let round = 0; round < 10; round++) {
        const architecture = randomArchitecture(random);
        const write = (values: Weights): Uint8Array => writeOnnx(architecture, values, { labels: labelsOf(architecture), temperature: 1, precision });
        const written = randomWeights(architecture, random);
        const once = readOnnxWeights(write(written), architecture);
        for (const [name, tensor] of Object.entries(written)) {
          const largest = Math.max(...tensor.data.map(Math.abs));
          // companded numbers err by more where they are large, see `compand`
          const coarse = name.startsWith('ngrams/') ? largest / 6 : largest / 254 + 1e-6;
          const bound = precision === 'float32' || name.endsWith('bias') ? 0 : precision === 'float16' ? largest / 2048 : coarse;
          tensor.data.forEach((value, i) => assert.ok(Math.abs(once[name]!.data[i]! - value) <= bound, `${precision} ${name}`));
        }
        const twice = readOnnxWeights(write(once), architecture);
        for (const [name, tensor] of Object.entries(once)) tensor.data.forEach((value, i) => assert.ok(Math.abs(twice[name]!.data[i]! - value) <= 1e-6 * Math.abs(value), `${precision} ${name}`));
      }
    }
  });
});

describe('readOnnxWeights of n-grams', () => {
  const wide: Architecture = { ...bidirectional, layers: [...bidirectional.layers.slice(0, -1), { type: 'ngrams', name: 'ngrams', buckets: 1024, longest: 2 }, ...bidirectional.layers.slice(-1)] };
  const sized = (sizes: (bucket: number) => number): Weights => {
    const drawn = randomWeights(wide, new Random(4));
    return { ...drawn, 'ngrams/sizes': { shape: [1024], data: Float32Array.from({ length: 1024 }, (_, bucket) => sizes(bucket)) } };
  };
  const file = (written: Weights, precision: Precision): Uint8Array => writeOnnx(wide, written, { labels: ['a', 'b'], temperature: 1, precision });
  const ones = sized(() => 1);
  const uneven = sized((bucket) => (bucket % 3 === 0 ? 2.5 : 0));

  it('gives sizes of 1, of which a file says nothing', () => {
    for (const precision of precisions) {
      const model = file(ones, precision);
      assert.ok(decodeOnnx(model, 'model.onnx').tensors.every(({ name }) => !name.startsWith('ngrams/sizes')));
      assert.deepStrictEqual(readOnnxWeights(model, wide)['ngrams/sizes'], ones['ngrams/sizes']);
      // one size, however small, is another matter
      const other = readOnnxWeights(file(uneven, precision), wide)['ngrams/sizes']!.data;
      uneven['ngrams/sizes']!.data.forEach((size, bucket) => assert.ok(Math.abs(other[bucket]! - size) < 0.005));
    }
  });

  it('gives a table in 8 bits back as the same bytes', () => {
    for (const written of [ones, uneven]) {
      const model = file(written, 'int8');
      const read = readOnnxWeights(model, wide);
      const again = file(read, 'int8');
      const tensors = (of: Uint8Array): OnnxTensor[] => decodeOnnx(of, 'model.onnx').tensors.filter(({ name }) => name.startsWith('ngrams/'));
      assert.deepStrictEqual(tensors(again), tensors(model));
      for (const name of ['ngrams/table', 'ngrams/sizes']) assert.deepStrictEqual(bits(readOnnxWeights(again, wide)[name]!.data), bits(read[name]!.data));
    }
  });

  it('refuses scales for each row, and one that makes too much of the numbers', () => {
    const model = file(ones, 'int8');
    const read = (change: (tensor: OnnxTensor) => Partial<OnnxTensor>): string => codeOf(() => readOnnx(changedTensor('ngrams/table/scale', change, model), wide, 'model.onnx'));
    assert.strictEqual(read(() => ({})), 'accepted');
    assert.strictEqual(read(() => ({ shape: [1024, 1], data: new Uint8Array(4096) })), 'model.weights');
    assert.strictEqual(read(() => ({ data: bits(Float32Array.of(3e34)) })), 'model.notFinite');
    assert.strictEqual(codeOf(() => readOnnx(changed(({ tensors }) => ({ tensors: tensors.filter(({ name }) => name !== 'ngrams/table') }), model), wide, 'model.onnx')), 'model.weights');
  });
});

describe('decodeOnnx', () => {
  it('is the inverse of encodeOnnx', () => {
    const model = decodeOnnx(valid, 'model.onnx');
    assert.deepStrictEqual(encodeOnnx(model), valid);
    assert.deepStrictEqual(decodeOnnx(encodeOnnx(model), 'model.onnx'), model);
  });

  it('reads negative and large attributes', () => {
    const attributes = new Map<string, number | string | readonly number[]>([['a', -1], ['b', [-(2 ** 40), 2 ** 52, 0, 127, 128]], ['c', '好'], ['d', []], ['e', -9007199254740991]]);
    const model: OnnxModel = { nodes: [{ operator: 'Add', inputs: ['', 'x'], outputs: ['y'], attributes }], tensors: [], inputs: [], outputs: [], metadata: new Map() };
    assert.deepStrictEqual(decodeOnnx(encodeOnnx(model), 'model.onnx'), model);
  });
});

/** The valid file with one thing changed. */
function changed(change: (model: OnnxModel) => Partial<OnnxModel>, file = valid): Uint8Array {
  const model = decodeOnnx(file, 'model.onnx');
  return encodeOnnx({ ...model, ...change(model) });
}

function changedTensor(name: string, change: (tensor: OnnxTensor) => Partial<OnnxTensor>, file = valid): Uint8Array {
  return changed(({ tensors }) => ({ tensors: tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...change(tensor) } : tensor)) }), file);
}

/** The valid file with a field appended to a message on the way from the model (`path` of field numbers) inwards. */
function appended(path: readonly number[], extra: ProtoWriter, file = valid): Uint8Array {
  const [next, ...rest] = path;
  if (next === undefined) return Uint8Array.from([...file, ...extra.finish()]);
  const out = new ProtoWriter();
  let done = false;
  for (const field of readFields(file)) {
    if (typeof field.value === 'number') out.integer(field.number, field.value);
    else if (field.number === next && !done) {
      done = true;
      out.bytes(field.number, appended(rest, extra, field.value));
    } else out.bytes(field.number, field.value);
  }
  assert.ok(done);
  return out.finish();
}

describe('readOnnx on files from outside', () => {
  const read = (file: Uint8Array): string => codeOf(() => readOnnx(file, bidirectional, 'model.onnx'));
  const float = (...values: number[]): Uint8Array => bits(Float32Array.from(values));

  const cases: readonly [what: string, code: string, file: Uint8Array][] = [
    ['the file as written', 'accepted', valid],
    ['the int8 file as written', 'accepted', int8],
    ['an empty file', 'model.foreign', new Uint8Array(0)],
    ['text', 'model.truncated', new TextEncoder().encode('Not a model at all, but a letter.')],
    ['zeros', 'model.truncated', new Uint8Array(1000)],
    ['a file that ends early', 'model.truncated', valid.subarray(0, valid.length >> 1)],
    ['a field longer than the file', 'model.truncated', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ['a number without end', 'model.truncated', new Uint8Array(64).fill(0xff)],
    ['a name that is not UTF-8', 'model.truncated', appended([7], new ProtoWriter().bytes(2, Uint8Array.of(0xff, 0xfe)))],
    ['weights in another file', 'model.external', appended([7, 5], new ProtoWriter().message(13, new ProtoWriter().string(1, 'location').string(2, '../../secret')))],
    ['weights marked as elsewhere', 'model.external', appended([7, 5], new ProtoWriter().integer(14, 1))],
    ['a second graph', 'model.foreign', appended([], new ProtoWriter().message(7, new ProtoWriter()))],
    ['a function', 'model.foreign', appended([], new ProtoWriter().message(25, new ProtoWriter().string(1, 'f')))],
    ['operators of another domain', 'model.foreign', appended([], new ProtoWriter().message(8, new ProtoWriter().string(1, 'com.microsoft').integer(2, 1)))],
    ['a node of another domain', 'model.foreign', appended([7, 1], new ProtoWriter().string(7, 'com.microsoft'))],
    ['a subgraph', 'model.foreign', appended([7, 1], new ProtoWriter().message(5, new ProtoWriter().string(1, 'body').message(6, new ProtoWriter()).integer(20, 5)))],
    ['a sparse tensor', 'model.foreign', appended([7], new ProtoWriter().message(15, new ProtoWriter()))],
    ['float data outside raw_data', 'model.foreign', appended([7, 5], new ProtoWriter().bytes(4, float(1)))],
    ['another operator', 'model.operator', changed(({ nodes }) => ({ nodes: nodes.map((node) => (node.operator === 'Softmax' ? { ...node, operator: 'Loop' } : node)) }))],
    ['a third input', 'model.foreign', changed(({ inputs }) => ({ inputs: [...inputs, { name: 'x', type: 'float32', shape: [1] }] }))],
    ['an output of another width', 'model.foreign', changed(({ outputs }) => ({ outputs: outputs.map((port) => ({ ...port, shape: ['batch', 3] })) }))],
    ['an output of another name', 'model.foreign', changed(({ outputs }) => ({ outputs: outputs.map((port) => ({ ...port, name: `${port.name}2` })) }))],
    ['weights of another shape', 'model.weights', changedTensor('head/W', ({ data }) => ({ shape: [1, 12], data: data.subarray(0, 48) }))],
    ['weights of a permuted shape', 'model.weights', changedTensor('head/W', () => ({ shape: [12, 2] }))],
    ['weights of another type', 'model.weights', changedTensor('head/W', ({ data }) => ({ type: 'int32', data }))],
    ['a bias of 16 bits', 'model.weights', changedTensor('head/B', () => ({ type: 'float16', data: new Uint8Array(4) }))],
    ['missing weights', 'model.weights', changed(({ tensors }) => ({ tensors: tensors.filter((tensor) => tensor.name !== 'lstm/R') }))],
    ['8-bit weights without scales', 'model.weights', changed(({ tensors }) => ({ tensors: tensors.filter((tensor) => tensor.name !== 'lstm/R/scale') }), int8)],
    ['8-bit weights with too few scales', 'model.weights', changedTensor('head/W/scale', () => ({ shape: [1, 1], data: float(1) }), int8)],
    ['a shape that its numbers do not fill', 'model.foreign', changedTensor('head/W', ({ data }) => ({ data: data.subarray(4) }))],
    ['a negative dimension', 'model.foreign', changedTensor('head/W', () => ({ shape: [-2, -12] }))],
    ['an absurd dimension', 'model.foreign', changedTensor('head/W', () => ({ shape: [2 ** 52, 2 ** 52, 2 ** 52] }))],
    ['nine dimensions', 'model.foreign', changedTensor('head/B', () => ({ shape: [2, 1, 1, 1, 1, 1, 1, 1, 1] }))],
    ['two tensors of one name', 'model.foreign', changed(({ tensors }) => ({ tensors: [...tensors, tensors.find((tensor) => tensor.name === 'head/B')!] }))],
    ['a large unknown tensor', 'model.foreign', changed(({ tensors }) => ({ tensors: [...tensors, { name: 'payload', type: 'int8', shape: [10_000], data: new Uint8Array(10_000) }] }))],
    ['a weight that is not a number', 'model.notFinite', changedTensor('head/B', () => ({ data: float(0, NaN) }))],
    ['an infinite weight', 'model.notFinite', changedTensor('head/B', () => ({ data: float(-Infinity, 0) }))],
    ['an infinite scale', 'model.notFinite', changedTensor('head/W/scale', () => ({ data: float(1, 3e38) }), int8)],
    ['a million nodes', 'model.foreign', changed(({ nodes }) => ({ nodes: Array.from({ length: 20_000 }, () => nodes[0]!) }))],
    ['another version of ONNX', 'model.foreign', appended([], new ProtoWriter().integer(1, 99))],
    ['a long name', 'model.foreign', changed(({ nodes }) => ({ nodes: [...nodes, { operator: 'A'.repeat(100_000), inputs: [], outputs: [], attributes: new Map() }] }))],
  ];
  for (const [what, code, file] of cases) it(`${code === 'accepted' ? 'accepts' : `says ${code} to`} ${what}`, () => assert.strictEqual(read(file), code));

  it('is right about which model the weights are of', () => {
    const wider: Architecture = { ...bidirectional, layers: bidirectional.layers.map((layer) => (layer.type === 'lstm' ? { ...layer, units: 4 } : layer)) };
    assert.strictEqual(codeOf(() => readOnnx(valid, wider, 'model.onnx')), 'model.foreign');
    const larger: Architecture = { ...bidirectional, layers: bidirectional.layers.map((layer) => (layer.type === 'embedding' ? { ...layer, vocabularySize: 13 } : layer)) };
    assert.strictEqual(codeOf(() => readOnnx(valid, larger, 'model.onnx')), 'model.weights');
  });

  it('throws nothing but a HumanError at any truncation', () => {
    const whole = decodeOnnx(valid, 'model.onnx');
    for (let length = 0; length < valid.length; length++) {
      const file = valid.subarray(0, length);
      // the metadata at the end may be cut off between two entries, and nothing else
      if (read(file) === 'accepted') assert.deepStrictEqual({ ...decodeOnnx(file, 'model.onnx'), metadata: whole.metadata }, whole);
    }
  });

  it('throws nothing but a HumanError when bytes are changed', () => {
    for (const file of [valid, int8]) {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }), (flips) => {
          const copy = file.slice();
          for (const [at, mask] of flips) copy[at]! ^= mask;
          codeOf(() => readOnnxWeights(copy, bidirectional));
        }),
        { numRuns: 3000 },
      );
    }
  });
});
