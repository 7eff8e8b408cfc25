import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { ValidBundle } from '../core/model/bundle';
import type { Architecture } from '../core/model/architecture';
import type { TrainRequest } from '../core/protocol/trainer';
import type { Tokenizer } from '../core/text/tokenizer';
import type { EncodedRow } from './batches';

/** What the weights that come out of a training depend on. */
export interface TrainingInputs {
  readonly request: TrainRequest;
  readonly base: ValidBundle | undefined;
  readonly tokenizer: Tokenizer;
  readonly architecture: Architecture;
  readonly rows: readonly EncodedRow[];
  readonly validation: readonly EncodedRow[];
}

/** Counts what changes the course of a training without changing its inputs, such as the loop's arithmetic: what an older version began, a newer one then does not continue. */
const course = 2;

/** Rows between two looks at what has come in. */
const rowsAtOnce = 2000;

/**
 * SHA-256 of everything that the weights depend on, so that a checkpoint is continued by the same training only. The name, the description, the threshold and the precision of the bundle
 * may change in between: none of them has a part in what is learned, or in which epoch is kept.
 * @param breathe lets the thread handle what has come in
 */
export async function fingerprint({ request, base, tokenizer, architecture, rows, validation }: TrainingInputs, breathe: () => Promise<void>): Promise<Uint8Array> {
  const { preset, kind = 'single', labels, hyperparameters, vectors } = request;
  const hash = sha256.create();
  // every part with its length before it: no two trainings give the same bytes
  const add = (bytes: Uint8Array): void => void hash.update(utf8ToBytes(`${bytes.length} `)).update(bytes);
  const settings = Object.entries(hyperparameters).sort(([a], [b]) => (a < b ? -1 : 1));
  add(utf8ToBytes(JSON.stringify({ course, preset, kind, labels, settings, architecture, maxTokens: tokenizer.maxTokens, rows: rows.length, validation: validation.length, ...(vectors ? { vectors: { size: vectors.size, words: vectors.words } } : {}) })));
  if (vectors) add(new Uint8Array(vectors.values.buffer, vectors.values.byteOffset, vectors.values.byteLength));
  add(tokenizer.toJson());
  // it holds the hash of the weights
  add(base?.files.manifest ?? new Uint8Array(0));
  let count = 0;
  for (const { ids, label, labels: several = [], value } of [...rows, ...validation]) {
    const words = Int32Array.from([label, several.length, ...several, value === undefined ? 0 : 1, ids.length, ...ids]);
    hash.update(new Uint8Array(words.buffer));
    if (value !== undefined) hash.update(new Uint8Array(Float64Array.of(value).buffer));
    if (++count % rowsAtOnce === 0) await breathe();
  }
  return hash.digest();
}
