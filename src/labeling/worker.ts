import type { LearnerMethods } from '../core/protocol/learner';
import { serve, Transferred, type Port } from '../core/protocol/rpc';
import { Learner, type LearnerOptions } from './learner';

/** Serves {@link LearnerMethods} on `port`. */
export function runLearnerWorker(port: Port, options: LearnerOptions): void {
  const learner = new Learner(options);
  serve<LearnerMethods>(port, {
    open: (setup) => {
      learner.open(setup);
      return null;
    },
    addFeatures: (batch) => {
      learner.addFeatures(batch);
      return null;
    },
    decide: ({ changes }) => learner.decide(changes),
    rank: ({ order }) => learner.rank(order),
    guess: ({ positions }) => moved(learner.guess(positions)),
    guessAll: async () => moved(await learner.guessAll()),
    crossValidate: ({ folds, seed }) => learner.crossValidate(folds, seed),
  });
}

function moved(scores: Float32Array): Transferred<{ readonly scores: Float32Array }> {
  return new Transferred({ scores }, [scores.buffer as ArrayBuffer]);
}
