import type { ModelManifest } from '../../../src/core/model/manifest';
import { lender, shippedModels, type ShippedModel } from './models';
import type { PreparedSet } from './prepare';
import { labelledSets, unlabelledSets } from './sets';

/** What `label-lens evaluate` says of a file. */
export interface Evaluation {
  readonly rows: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly perClass: Readonly<Record<string, { readonly recall: number }>>;
  readonly ece: number;
}

/** README.md of a shipped model. @param evaluations of its sets' held-out rows, by the set's name */
export function cardOf(model: ShippedModel, manifest: ModelManifest, sets: readonly PreparedSet[], evaluations: ReadonlyMap<string, Evaluation>, megabytes: number): string {
  const { layers } = manifest.architecture;
  const own = sets.filter((set) => set.head === model.head);
  const words = layers.flatMap((layer) => {
    switch (layer.type) {
      case 'embedding':
        return [`embedding ${layer.vocabularySize.toLocaleString('en')} × ${layer.size}`];
      case 'lstm':
        return [`bidirectional LSTM, ${layer.units} units each way`];
      case 'pool':
        return ['masked max + mean pooling'];
      case 'ngrams':
        return [`beside it, words and pairs of words in ${layer.buckets.toLocaleString('en')} buckets`];
      case 'dense':
        return [`dense, ${layer.units} labels`];
      // which no shipped model has
      case 'conv':
      case 'maxPool':
      case 'attention':
      case 'dropout':
        return [];
    }
  });
  const percent = (value: number): string => value.toFixed(3);
  const count = (value: number): string => value.toLocaleString('en');
  return [
    `# ${model.name}`,
    model.description,
    table(['', ''], [
      ['labels', manifest.task.labels.map(({ id }) => `\`${id}\``).join(', ')],
      ['architecture', words.join(' → ')],
      ['tokenizer', `words, word pieces, single Han characters, emoji, punctuation but for pauses; addresses, names of users and long numbers as symbols; nothing is unknown. Of texts over ${manifest.tokenizer.maxTokens} tokens the first and the last half`],
      ['weights', `int8 per row, ${megabytes.toFixed(1)} MB${model.name === lender ? '' : `; embedding, LSTM and tokenizer are those of \`${lender}\`, from which the plain model.onnx is made again when the model is opened or exported`}`],
      ['trained on', `${count(Number(manifest.data.rows))} rows of its own (below), the encoder on ${count(Number(manifest.data.rowsOfAllHeads))} of ${sets.length} sets; seed ${manifest.seed}`],
      ['temperature', `${manifest.temperature.toFixed(2)}, fitted on the held-out rows`],
    ]),
    '## Rebuild it',
    `\`\`\`sh\nnpm run build:model -- ${model.name} DATA_FOLDER    # writes build/models/${model.name}; training the encoder takes two to three hours on one core, once for all models\n\`\`\``,
    `\`models/${lender}/encoder/\` gathers the data (sets.ts, prepare.ts), trains (train.py: language models of both directions, then ${new Set(sets.flatMap(({ head }) => head ?? [])).size} questions together) and composes the bundles. Steps, sizes and rates are in train.py and in \`model.json\`.`,
    '## Data',
    'Train files only; none of it is shipped. Terms as the collection that the sets were taken from states them.',
    table(['set', 'rows trained on', 'held out', 'terms'], own.map((set) => [titleOf(set.name), count(set.train), count(set.valid), termsOf(set.name)])),
    `The encoder has learned from these as well: ${sets.filter((set) => set.head !== model.head).map(({ name }) => titleOf(name)).join(', ')}.`,
    'Left out of training: texts that equal one of any validation or test file or of the rows held out, and those that hold or are held by one where sets were cut from one another (MR and SST, UCI and IMDb).',
    '## How good it is',
    '`label-lens evaluate` on the held-out rows, which chose the temperature and how much the n-grams count, and were looked at while the encoder learned. No official test file was opened.',
    table(['set', 'rows', 'accuracy', 'macro F1', 'macro recall', 'calibration error'], own.flatMap((set) => {
      const found = evaluations.get(set.name);
      if (!found) return [];
      const recalls = Object.values(found.perClass).map(({ recall }) => recall);
      return [[titleOf(set.name), count(found.rows), percent(found.accuracy), percent(found.macroF1), percent(recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length), percent(found.ece)]];
    })),
    '## Known failures',
    model.knownFailures.map((failure) => `- ${failure}`).join('\n'),
    ...(model.name === lender ? ['## Models on the same encoder', shippedModels.filter(({ name }) => name !== lender).map(({ name, description }) => `- \`${name}\`: ${description}`).join('\n')] : []),
  ].join('\n\n') + '\n';
}

const titleOf = (name: string): string => [...labelledSets, ...unlabelledSets].find((set) => set.name === name)?.title ?? name;
const termsOf = (name: string): string => labelledSets.find((set) => set.name === name)?.terms ?? 'none stated';

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [`| ${header.join(' | ')} |`, `|${header.map(() => '---|').join('')}`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}
