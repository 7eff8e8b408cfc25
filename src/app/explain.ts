import { CancelledError } from '../core/errors';
import type { WordWeight } from '../core/labels/view';
import type { WordShares } from '../core/protocol/explainer';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { WorkerHandle } from '../core/protocol/worker';
import type { Predictor } from '../inference/predictor';
import { Explainer } from '../training/explainerClient';
import type { Disposable } from './events';
import type { Log } from './log';
import type { OpenedModel } from './modelStore';
import { explainByOcclusion } from './occlusion';

/** What {@link WordExplainer.explain} is asked. */
export interface ExplainRequest {
  readonly text: string;
  /** Loaded in the predictor under its key. */
  readonly model: Pick<OpenedModel, 'key' | 'folder' | 'files' | 'manifest'>;
  /** Column of the label, among the model's scores, whose words are asked for; 0 for `number`. */
  readonly column: number;
  /** For `number`: from the least possible value to the greatest. Default 1. */
  readonly range?: number;
  readonly signal?: AbortSignalLike;
}

export interface WordExplainerOptions {
  readonly predictor: Pick<Predictor, 'predict'>;
  /** Starts the explainer's worker; called when the first text asks. Absent: words are left out one at a time instead. */
  readonly startExplainer?: () => WorkerHandle;
  readonly log: Pick<Log, 'warn'>;
}

/** Failures after which a model is no longer brought to the explainer. */
const mostFailures = 3;

/**
 * The words that decided: how far the score of a label falls when a word is left out, for hover and panel alike. From the gradient of the label's log-odds, in one pass; where that is not to be had (a model that the
 * engine cannot compute, a worker that does not start), by leaving out one word at a time, which takes a pass for each.
 */
export class WordExplainer implements Disposable {
  private readonly explainer: Explainer | undefined;
  /** Failures of models, by key. */
  private readonly failures = new Map<string, number>();

  constructor(private readonly options: WordExplainerOptions) {
    const { startExplainer } = options;
    this.explainer = startExplainer && new Explainer({ startWorker: startExplainer });
  }

  /**
   * @returns in the order of the text; words that the model did not read, in the middle of a long text, may be left out
   * @throws CancelledError when the signal was raised
   */
  async explain(request: ExplainRequest): Promise<readonly WordWeight[]> {
    return (await this.byGradient(request)) ?? (await this.byOcclusion(request));
  }

  dispose(): void {
    this.explainer?.dispose().catch((error: unknown) => this.options.log.warn(String(error)));
  }

  private async byGradient({ text, model, column, range = 1, signal }: ExplainRequest): Promise<readonly WordWeight[] | undefined> {
    const failures = this.failures.get(model.key) ?? 0;
    // an ensemble's gradient would be that of each member
    if (!this.explainer || failures >= mostFailures || model.manifest.ensemble) return undefined;
    try {
      const found = await this.explainer.explain(model, text, { kind: 'score', column }, signal);
      return model.manifest.task.kind === 'number' ? weightsOf(found, (share) => share / range) : weightsOf(found, fallsFrom(found.scores[column] ?? 0));
    } catch (error) {
      if (error instanceof CancelledError || signal?.aborted) throw error;
      this.failures.set(model.key, failures + 1);
      this.options.log.warn(`Words that decide are found by leaving them out one at a time: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  private async byOcclusion({ text, model, column, range = 1, signal }: ExplainRequest): Promise<readonly WordWeight[]> {
    const scale = model.manifest.task.kind === 'number' ? range : 1;
    return await explainByOcclusion(text, async (texts) => {
      const { scores, width } = await this.options.predictor.predict(model.key, texts, { priority: 'interactive', cache: false, ...(signal ? { signal } : {}) });
      return texts.map((_, row) => (scores[row * width + column] ?? 0) / scale);
    });
  }
}

function weightsOf({ starts, ends, shares }: WordShares, weigh: (share: number) => number): readonly WordWeight[] {
  return Array.from(shares, (share, word) => ({ start: starts[word] ?? 0, end: ends[word] ?? 0, weight: Math.max(-1, Math.min(1, weigh(share))) }));
}

/** How far a probability falls when its log-odds lose so much. */
function fallsFrom(probability: number): (share: number) => number {
  const logOdds = Math.log(probability / (1 - probability));
  // at 0 and 1 nothing moves it
  return Number.isFinite(logOdds) ? (share) => probability - 1 / (1 + Math.exp(share - logOdds)) : () => 0;
}
