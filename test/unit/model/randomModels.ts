import type { Architecture, Layer } from '../../../src/core/model/architecture';
import type { Random } from '../../../src/core/util/random';

/** An architecture of any shape that the format allows, small. */
export function randomArchitecture(random: Random): Architecture {
  const size = (): number => 1 + random.below(9);
  const dropout = (name: string): Layer[] => (random.below(2) === 0 ? [] : [{ type: 'dropout', name, rate: 0.3 }]);
  const tokenDropout: Layer[] = random.below(2) === 0 ? [] : [{ type: 'dropout', name: 'tokenDropout', rate: 0.3, over: 'tokens' }];
  const layers: Layer[] = [{ type: 'embedding', name: 'embedding', vocabularySize: 3 + random.below(30), size: size() }, ...tokenDropout, ...dropout('embeddingDropout')];
  let fromLstm = false;
  for (let i = random.below(5); i > 0; i--) {
    const weightDrop = random.below(2) === 0 ? {} : { recurrentDropout: 0.3 };
    // LSTMs twice as often as the others
    const kind = random.below(4);
    fromLstm = kind < 2;
    const layer: Layer = fromLstm
      ? { type: 'lstm', name: `lstm${i}`, units: size(), bidirectional: random.below(2) === 0, ...weightDrop }
      : kind === 2
        ? { type: 'conv', name: `conv${i}`, filters: size(), kernelSize: 1 + random.below(6), activation: random.below(2) === 0 ? 'linear' : 'relu' }
        : { type: 'maxPool', name: `maxPool${i}`, size: 1 + random.below(5) };
    layers.push(layer, ...dropout(`sequenceDropout${i}`));
  }
  const methods: ('max' | 'mean' | 'last')[] = random.shuffle(fromLstm ? ['max', 'mean', 'last'] : ['max', 'mean']);
  layers.push(random.below(3) === 0 ? { type: 'attention', name: 'attention', units: size() } : { type: 'pool', name: 'pool', methods: methods.slice(0, 1 + random.below(methods.length)) }, ...dropout('featureDropout'));
  for (let i = random.below(3); i > 0; i--) {
    const activation = (['linear', 'relu', 'tanh'] as const)[random.below(3)]!;
    layers.push({ type: 'dense', name: `dense${i}`, units: size(), activation }, ...dropout(`denseDropout${i}`));
  }
  if (random.below(2) === 0) layers.push({ type: 'ngrams', name: 'ngrams', buckets: 1024 * (1 + random.below(3)), longest: 1 + random.below(3) });
  layers.push({ type: 'dense', name: 'head', units: 1 + random.below(6), activation: 'linear' });
  return { preset: 'random', layers };
}

/** As many labels as the architecture has scores where one label applies: a head of one unit tells two apart. */
export function labelsOf(architecture: Architecture): string[] {
  const head = architecture.layers.at(-1);
  return Array.from({ length: head?.type === 'dense' ? Math.max(2, head.units) : 0 }, (_, i) => `label ${i}`);
}

export function vocabularyOf(architecture: Architecture): number {
  const first = architecture.layers[0];
  return first?.type === 'embedding' ? first.vocabularySize : 0;
}

/** Ragged texts as token ids: always one without tokens, one of one token, and one long. */
export function randomTexts(random: Random, vocabulary: number): number[][] {
  const text = (length: number): number[] => Array.from({ length }, () => random.below(vocabulary));
  return random.shuffle([[], text(1), text(60 + random.below(60)), ...Array.from({ length: random.below(5) }, () => text(random.below(30)))]);
}
