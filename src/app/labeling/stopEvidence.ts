import type { LearningState } from '../../core/labels/view';
import type { CrossValidation, Ranking } from '../../core/protocol/learner';
import { stopHint } from '../../labeling/fineTunePolicy';
import type { Pool } from './pool';
import { Slices } from './slices';
import type { TaskDecisions } from './taskDecisions';
import type { TaskLearning } from './taskLearning';

/** Decisions after which it is asked anew whether it makes sense to stop: that takes the learner a while. */
const askedEvery = 25;
/** Texts that stand for all when it is asked how sure the model is. */
const sampled = 2_000;
/** Folds of the cross-validation. */
const folds = 5;

/** Finds out in the background whether it makes sense to stop. */
export class StopEvidence {
  private found: { readonly labeled: number; readonly confidences: Float32Array; readonly curve: CrossValidation['curve'] } | undefined;
  private gathering = false;

  constructor(
    private readonly decisions: TaskDecisions,
    private readonly learner: TaskLearning,
    private readonly pause: () => Promise<void>,
  ) {}

  /** Labels or texts are others. */
  forget(): void {
    this.found = undefined;
  }

  /** Looks again if enough was decided since the last time. @returns whether it did */
  async gather(pool: Pool, labeled: number): Promise<boolean> {
    if (this.gathering || !this.learner.ranking?.trusted || labeled < (this.found?.labeled ?? 0) + askedEvery) return false;
    this.gathering = true;
    try {
      await this.learner.ensureAllGuesses();
      const confidences: number[] = [];
      const slices = new Slices(this.pause);
      const stride = Math.ceil(pool.size / sampled);
      for (let position = 0; position < pool.size; position += stride) {
        if (this.decisions.isOpen(pool.idAt(position))) confidences.push(this.learner.guessAt(position)?.confidence ?? NaN);
        if (slices.isOver) await slices.rest();
      }
      const { curve } = await this.learner.crossValidate(folds);
      this.found = { labeled, confidences: Float32Array.from(confidences), curve };
      return true;
    } finally {
      this.gathering = false;
    }
  }

  /** @param open texts that wait */
  hint(open: number, ranking: Ranking | undefined): LearningState['stopHint'] {
    return stopHint({
      open,
      trusted: ranking?.trusted ?? false,
      confidences: this.found?.confidences ?? [],
      curve: this.found?.curve ?? [],
      ...(ranking?.check ? { check: ranking.check } : {}),
    });
  }
}
