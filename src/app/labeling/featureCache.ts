import { CancelledError } from '../../core/errors';
import { ruleInOrder } from '../../core/model/deciding';
import type { TaskKind } from '../../core/model/onnxWriter';
import type { FeatureBatch } from '../../core/protocol/learner';
import type { PredictedScores } from '../../core/protocol/predictor';
import type { AbortSignalLike } from '../../core/protocol/rpc';
import type { Predictor } from '../../inference/predictor';
import { columnsFor, pickColumns, type TaskModel } from './taskModel';

export interface FeatureCacheOptions {
  readonly predictor: Pick<Predictor, 'predict'>;
  readonly model: TaskModel;
  readonly kind: TaskKind;
  /** Ids of the labels that are offered. */
  readonly labels: readonly string[];
  /** Positions of all texts, those that are needed first in front. */
  readonly order: Int32Array;
  readonly textAt: (position: number) => string;
  /** Takes a batch over; the next is sent when it resolves. */
  readonly send: (batch: FeatureBatch) => Promise<void>;
  /** @param share of the texts whose features are known, 0..1 */
  readonly onProgress: (share: number) => void;
  readonly signal: AbortSignalLike;
}

/** Texts in the first request, which is to be answered soon, and in the others. */
const firstTexts = 64;
const laterTexts = 512;
/** Requests that are with the predictor at a time: the second keeps its worker from waiting for us. */
const ahead = 2;

/**
 * Computes the features and scores of a whole pool in the background and hands them to the learner, with the texts. Whatever is on the screen overtakes it.
 *
 * @throws CancelledError when `signal` is raised; HumanError when the model cannot be run
 */
export async function cacheFeatures(options: FeatureCacheOptions): Promise<void> {
  const { predictor, model, order, textAt, send, onProgress, signal } = options;
  const requests: { readonly positions: Int32Array; readonly texts: readonly string[]; readonly scored: Promise<PredictedScores> }[] = [];
  let from = 0;
  let done = 0;
  while (done < order.length) {
    if (signal.aborted) throw new CancelledError();
    while (requests.length < ahead && from < order.length) {
      const positions = order.slice(from, from + (from === 0 ? firstTexts : laterTexts));
      const texts = Array.from(positions, textAt);
      const scored = predictor.predict(model.opened.key, texts, { signal, priority: 'background', features: true, cache: false });
      // should an earlier one fail, nobody will wait for this one
      scored.catch(() => undefined);
      requests.push({ positions, texts, scored });
      from += positions.length;
    }
    const next = requests.shift();
    if (!next) break;
    const batch = featureBatch(options, next, await next.scored);
    if (batch) await send(batch);
    done += next.positions.length;
    onProgress(done / order.length);
  }
}

/** Undefined for a model that gives no features. */
function featureBatch({ model, kind, labels }: FeatureCacheOptions, { positions, texts }: Pick<FeatureBatch, 'positions'> & { readonly texts: readonly string[] }, { features, scores, width }: PredictedScores): FeatureBatch | undefined {
  if (!features || positions.length === 0) return undefined;
  const columns = columnsFor(model.opened.manifest, kind, labels);
  return { positions, texts, features, width: features.length / positions.length, ...(columns ? { scores: pickColumns(scores, width, columns, kind), rule: ruleInOrder(model.opened.manifest.task, labels) } : {}) };
}
