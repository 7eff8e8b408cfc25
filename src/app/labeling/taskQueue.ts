import type { QueueItem } from '../../core/labels/view';
import type { QueueReason } from '../../core/protocol/learner';
import type { Pool } from './pool';
import { Slices } from './slices';
import type { TaskDecisions } from './taskDecisions';
import type { TaskLearning } from './taskLearning';

/** Times that the next texts are looked up anew because the ranking moved meanwhile. */
const mostLooks = 3;

/** Which texts of a task come next: as the learner ranks them, and those that it does not reach in the order of the file. */
export class TaskQueue {
  constructor(
    private readonly decisions: TaskDecisions,
    private readonly learner: TaskLearning,
    private readonly pause: () => Promise<void>,
    private readonly onProblem: (problem: unknown) => void,
  ) {}

  /** @param skipped ids of texts that are not wanted */
  async next(pool: Pool, count: number, skipped: ReadonlySet<string>): Promise<readonly QueueItem[]> {
    for (let look = 1; ; look++) {
      const { found, revision } = await this.waiting(pool, count, skipped);
      await this.learner.ensureGuesses([...found.keys()]).catch(this.onProblem);
      // guesses are of the latest ranking: a reason of an earlier one may say what they do not
      if (revision !== this.learner.revision && look < mostLooks) continue;
      return [...found].map(([position, reason]) => {
        const guess = this.learner.guessAt(position);
        return { example: pool.exampleAt(position), reason, ...(guess ? { guess } : {}) };
      });
    }
  }

  /** Texts that wait, the next one first, each with why, and the revision of the ranking that says so. */
  private async waiting(pool: Pool, count: number, skipped: ReadonlySet<string>): Promise<{ readonly found: ReadonlyMap<number, QueueReason>; readonly revision: number }> {
    let found = this.fromRanking(pool, count, skipped);
    if (found.size < count && this.learner.ranking) {
      // the ranking is nearly used up, and a new one is under way
      await this.learner.settled();
      found = this.fromRanking(pool, count, skipped);
    }
    const { revision, order } = this.learner;
    if (found.size < count && order !== 'suspicious') await this.fromFile(pool, count, skipped, found);
    return { found, revision };
  }

  private fromRanking(pool: Pool, count: number, skipped: ReadonlySet<string>): Map<number, QueueReason> {
    const { ranking, order } = this.learner;
    const found = new Map<number, QueueReason>();
    if (!ranking) return found;
    for (let i = 0; i < ranking.order.length && found.size < count; i++) {
      const position = ranking.order[i] ?? -1;
      if (position < 0 || position >= pool.size) continue;
      const id = pool.idAt(position);
      if (skipped.has(id) || (order !== 'suspicious' && !this.decisions.isOpen(id))) continue;
      found.set(position, ranking.reasons[i] ?? 'start');
    }
    return found;
  }

  /** As long as there is no ranking, or where it does not reach. */
  private async fromFile(pool: Pool, count: number, skipped: ReadonlySet<string>, found: Map<number, QueueReason>): Promise<void> {
    const slices = new Slices(this.pause);
    const { order } = this.learner;
    for (let position = 0; position < pool.size && found.size < count; position++) {
      const id = pool.idAt(position);
      if (!found.has(position) && !skipped.has(id) && this.decisions.isOpen(id)) found.set(position, order === 'file' ? 'file' : 'start');
      if (slices.isOver) await slices.rest();
    }
  }
}
