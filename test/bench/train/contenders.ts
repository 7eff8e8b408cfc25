import * as path from 'node:path';
import { adamDefaults, parameterLayout, type ComputeEngine, type CreateEngine, type OptimizerStep } from '../../../src/training/engine';
import { createKernelEngine } from '../../../src/training/kernels/kernelEngine';
import { softmaxCrossEntropy } from '../../../src/training/loss';
import { Network, type LabelledBatch } from '../../../src/training/network';
import { startTfjs, tf } from '../../../src/training/tf';
import { TfjsEngine } from '../../tfjsEngine';
import { startHelpers } from '../../helperThreads';
import { architectureOf, batchSize, epsilon, learningRate, models, weightsOf, type ModelName } from './models';

/** One of those who train. */
export interface Contender {
  /** Starts over with the weights of `weightsOf(…, forgetBias)`. */
  load(model: ModelName, forgetBias: number): Promise<void>;
  /** Mean cross entropy of a batch and its gradient, in the order of the layout of `architectureOf(model)`; takes no step. */
  gradient(batch: LabelledBatch): { readonly loss: number; readonly gradient: Float32Array };
  /** One step of Adam, the embedding's rows included; returns the loss before it. */
  step(batch: LabelledBatch): number;
}

const wasmFolder = path.resolve('node_modules/@tensorflow/tfjs-backend-wasm/dist') + path.sep;

/** What the product does: tfjs for the dense head, the loss and the tape; an engine for everything else. */
class Trainer implements Contender {
  private engine: ComputeEngine | undefined;
  private network: Network | undefined;
  private optimizer: OptimizerStep | undefined;

  constructor(private readonly create: CreateEngine) {}

  async load(model: ModelName, forgetBias: number): Promise<void> {
    await startTfjs(wasmFolder);
    this.engine?.dispose();
    const layout = parameterLayout(architectureOf(model));
    this.engine = await this.create(layout);
    this.engine.weights().set(weightsOf(layout, forgetBias));
    this.network = new Network(this.engine);
    this.optimizer = { ...adamDefaults, epsilon, clipNorm: Infinity, learningRates: layout.parameters.map(() => learningRate) };
  }

  gradient(batch: LabelledBatch): { loss: number; gradient: Float32Array } {
    const loss = this.network!.learn(batch, 1 / batchSize) / batchSize;
    const gradient = this.engine!.gradients().slice();
    this.engine!.zeroGradients();
    return { loss, gradient };
  }

  step(batch: LabelledBatch): number {
    const loss = this.network!.learn(batch, 1 / batchSize) / batchSize;
    this.engine!.clipAndStep(this.optimizer!);
    return loss;
  }
}

/** The kernels without tfjs. What the shell costs is the difference to {@link Trainer}. */
class BareKernels implements Contender {
  private engine: ComputeEngine | undefined;
  private optimizer: OptimizerStep | undefined;

  async load(model: ModelName, forgetBias: number): Promise<void> {
    this.engine?.dispose();
    const layout = parameterLayout(architectureOf(model));
    this.engine = await createKernelEngine()(layout);
    this.engine.weights().set(weightsOf(layout, forgetBias));
    this.optimizer = { ...adamDefaults, epsilon, clipNorm: Infinity, learningRates: layout.parameters.map(() => learningRate) };
  }

  private learn(batch: LabelledBatch): number {
    const engine = this.engine!;
    const [embedding, lstm, pool, head] = engine.layout.architecture.layers;
    if (embedding?.type !== 'embedding' || lstm?.type !== 'lstm' || pool?.type !== 'pool' || head?.type !== 'dense') throw new Error('Another architecture was expected.');
    engine.begin(true);
    const y = engine.lstm(engine.embed(batch, embedding), lstm);
    const features = engine.pool(y, pool, lstm);
    const { plain, slopes } = softmaxCrossEntropy(engine.dense(features, head), batch.labels, 1 / batchSize, {});
    const dy = engine.denseBackward(features, head, slopes);
    engine.embedBackward(batch, embedding, engine.lstmBackward(y, engine.poolBackward(y, pool, lstm, dy)));
    return plain / batchSize;
  }

  gradient(batch: LabelledBatch): { loss: number; gradient: Float32Array } {
    const loss = this.learn(batch);
    const gradient = this.engine!.gradients().slice();
    this.engine!.zeroGradients();
    return { loss, gradient };
  }

  step(batch: LabelledBatch): number {
    const loss = this.learn(batch);
    this.engine!.clipAndStep(this.optimizer!);
    return loss;
  }
}

/** Stock `tf.layers` on one of tfjs's backends, with what it lacks to run at all: an `UnsortedSegmentSum` that is not proportional to the vocabulary. */
class StockLayers implements Contender {
  private model: tf.LayersModel | undefined;
  private optimizer: tf.Optimizer | undefined;
  private names: readonly string[] = [];

  constructor(private readonly backend: 'wasm' | 'cpu') {}

  async load(name: ModelName, forgetBias: number): Promise<void> {
    await startTfjs(wasmFolder);
    if (this.backend === 'cpu') await tf.setBackend('cpu');
    registerSegmentSum(this.backend);
    this.model?.dispose();
    this.optimizer?.dispose();
    const { size, bidirectional } = models[name];
    const layout = parameterLayout(architectureOf(name));
    const weights = weightsOf(layout, forgetBias);
    // zeros, because the default initializer takes minutes and the weights are set below
    const lstm = tf.layers.lstm({ units: size, recurrentActivation: 'sigmoid', recurrentInitializer: 'zeros', kernelInitializer: 'zeros', unitForgetBias: false, returnSequences: bidirectional });
    const [embedding, table] = layout.architecture.layers;
    if (embedding?.type !== 'embedding' || table?.type !== 'lstm') throw new Error('Another architecture was expected.');
    const model = tf.sequential();
    model.add(tf.layers.embedding({ inputDim: embedding.vocabularySize, outputDim: size, embeddingsInitializer: 'zeros', batchInputShape: [batchSize, null] }));
    model.add(bidirectional ? tf.layers.bidirectional({ layer: lstm, mergeMode: 'concat' }) : lstm);
    if (bidirectional) model.add(tf.layers.globalAveragePooling1d({}));
    model.add(tf.layers.dense({ units: 2, kernelInitializer: 'zeros' }));
    model.setWeights(layout.parameters.map(({ offset, size: count, shape }) => tf.tensor(weights.slice(offset, offset + count), [...shape])));
    this.model = model;
    this.names = model.trainableWeights.map((weight) => weight.name);
    this.optimizer = tf.train.adam(learningRate, 0.9, 0.999, epsilon);
  }

  private loss({ ids, labels, time }: LabelledBatch): tf.Scalar {
    const logits = this.model!.apply(tf.tensor2d(ids, [batchSize, time], 'int32'), { training: true }) as tf.Tensor2D;
    return tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d(labels, 'int32'), 2), logits);
  }

  gradient(batch: LabelledBatch): { loss: number; gradient: Float32Array } {
    return tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => this.loss(batch));
      const parts = this.names.map((name) => grads[name]!.dataSync());
      const gradient = new Float32Array(parts.reduce((sum, part) => sum + Math.ceil(part.length / 4) * 4, 0));
      let offset = 0;
      for (const part of parts) {
        gradient.set(part, offset);
        offset += Math.ceil(part.length / 4) * 4;
      }
      return { loss: value.dataSync()[0]!, gradient };
    });
  }

  step(batch: LabelledBatch): number {
    return tf.tidy(() => this.optimizer!.minimize(() => this.loss(batch), true)!.dataSync()[0]!);
  }
}

/** The gradient of an embedding. tfjs has none for wasm, and for cpu one that runs through the whole vocabulary for each row of the table. */
function registerSegmentSum(backendName: 'wasm' | 'cpu'): void {
  const kernelName = 'UnsortedSegmentSum';
  if (tf.getKernel(kernelName, backendName)) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
      const backend = tf.backend();
      const values = backend.readSync(x.dataId) as Float32Array;
      const ids = backend.readSync(segmentIds.dataId) as Int32Array;
      const width = values.length / ids.length;
      const rows = (attrs as unknown as { numSegments: number }).numSegments;
      const sums = new Float32Array(rows * width);
      ids.forEach((id, i) => {
        for (let j = 0; j < width; j++) sums[id * width + j]! += values[i * width + j]!;
      });
      const shape = [rows, ...x.shape.slice(segmentIds.shape.length)];
      return { dataId: backend.write(sums, shape, 'float32'), shape, dtype: 'float32' };
    },
  });
}

/** The kernel engine with a helping thread, which stays from model to model. */
let helping: ReturnType<typeof startHelpers> | undefined;
const twoWorkers: CreateEngine = async (layout) => createKernelEngine({ helpers: (await (helping ??= startHelpers(1))).helpers })(layout);

export const contenders = {
  'Label Lens': () => new Trainer(createKernelEngine()),
  'Label Lens, 2 workers': () => new Trainer(twoWorkers),
  'Label Lens, plain SIMD': () => new Trainer(createKernelEngine({ build: 'plain' })),
  'kernels without tfjs': () => new BareKernels(),
  'tfjs engine': () => new Trainer((layout) => Promise.resolve(new TfjsEngine(layout))),
  'tf.layers wasm': () => new StockLayers('wasm'),
  'tf.layers cpu': () => new StockLayers('cpu'),
} as const satisfies Record<string, () => Contender>;

export type NodeContender = keyof typeof contenders;
