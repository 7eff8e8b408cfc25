import type { HumanError } from '../core/errors';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { TrainRequest } from '../core/protocol/trainer';
import { readTokenizer } from '../core/text/trainingTokenizer';
import { readVectors, type WordVectors } from '../core/text/vectors';
import { specialTokens } from '../core/text/vocabulary';

export interface WordVectorsRequest {
  /** The file's bytes, unpacked. */
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly fileName: string;
  readonly signal?: AbortSignalLike;
  /** Called after each piece of the file. */
  readonly onProgress?: () => void;
  readonly onDefect?: (defect: HumanError) => void;
  /** Lets the thread handle what has come in. */
  readonly breathe: () => Promise<void>;
}

/** How much of the training's texts has vectors. */
export interface VectorCoverage {
  /** Tokens of the vocabulary, and those of them with a vector. */
  readonly tokens: number;
  readonly found: number;
  /** Share of the tokens that are read of the training rows that have a vector, 0..1; one that is not in the vocabulary has none. */
  readonly occurrences: number;
  /** The most frequent tokens of the vocabulary without a vector, with how often they are read, the first ones first. */
  readonly missing: readonly { readonly token: string; readonly count: number }[];
}

/** Missing words that are named. */
const mostMissing = 10;

/** Texts between two looks at what has come in. */
const textsAtOnce = 500;

/**
 * Gives a training from scratch the vectors of its words from a file. The trainer learns the same vocabulary again from the same rows.
 *
 * @returns the request with the vectors, and with what its model's card says of them
 * @throws HumanError those of `readVectors` and of `readTokenizer`; CancelledError
 */
export async function withVectors(request: TrainRequest, { breathe, ...file }: WordVectorsRequest): Promise<{ readonly request: TrainRequest; readonly coverage: VectorCoverage }> {
  const tokenizer = await readTokenizer(request, breathe);
  const tokens = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenOf(id));
  const vectors = await readVectors({ ...file, wanted: new Set(tokens.slice(specialTokens.length)) });
  const counts = new Float64Array(tokens.length);
  for (const [row, { text }] of request.rows.entries()) {
    for (const id of tokenizer.encode(text)) counts[id]!++;
    if ((row + 1) % textsAtOnce === 0) await breathe();
  }
  const coverage = coverageOf(tokens, counts, vectors);
  const data = {
    vectors: file.fileName.split(/[/\\]/).at(-1)!,
    vectorSize: vectors.size,
    vectorWords: coverage.found,
    vectorCoverage: rounded(coverage.found / coverage.tokens),
    vectorCoverageOfTexts: rounded(coverage.occurrences),
  };
  return { request: { ...request, vectors, identity: { ...request.identity, data: { ...request.identity.data, ...data } } }, coverage };
}

function coverageOf(tokens: readonly string[], counts: Float64Array, { words }: WordVectors): VectorCoverage {
  const found = new Set(words);
  const missing: { token: string; count: number }[] = [];
  let total = 0;
  let covered = 0;
  tokens.forEach((token, id) => {
    const count = counts[id]!;
    total += count;
    if (id < specialTokens.length) return;
    if (found.has(token)) covered += count;
    else missing.push({ token, count });
  });
  // a stable sort: of equally frequent ones the vocabulary's order holds
  missing.sort((a, b) => b.count - a.count);
  return { tokens: tokens.length - specialTokens.length, found: found.size, occurrences: covered / Math.max(1, total), missing: missing.slice(0, mostMissing) };
}

const rounded = (share: number): number => Math.round(share * 1e4) / 1e4;
