import type { Guess } from '../../core/labels/view';
import { chosenLabels, leadingLabel, type DecisionRule } from '../../core/model/deciding';

/** How scores of the learner read for a task. */
export interface GuessReading {
  /** What decides from them. */
  readonly rule: DecisionRule;
  /** Ids of the labels that are offered; scores follow their order. None for `number`. */
  readonly labels: readonly string[];
}

/** Scores of one text as a guess; undefined where the model has no word on it (NaN). */
export function readGuess({ rule, labels }: GuessReading, scores: ArrayLike<number>): Guess | undefined {
  const first = scores[0];
  if (first === undefined || Number.isNaN(first)) return undefined;
  const own = Array.from(scores);
  if (rule.kind === 'number') return { scores: own, value: first, confidence: 1 };
  const top = leadingLabel(rule, own);
  const label = labels[top];
  if (label === undefined || own.some(Number.isNaN)) return undefined;
  const value = rule.kind === 'multi' ? chosenLabels(rule, own).flatMap((each) => labels[each] ?? []) : label;
  return { scores: own, value, confidence: own[top] ?? 0 };
}

/** What the model holds to be right about the texts of a pool, as far as it was asked; each word with the number of the ranking that it is of. */
export class Guesses {
  readonly width: number;
  private readonly scores: Float32Array;
  private readonly revisions: Int32Array;

  /** @param count number of texts */
  constructor(
    private reading: GuessReading,
    readonly count: number,
  ) {
    this.width = Math.max(1, reading.rule.kind === 'number' ? 1 : reading.labels.length);
    this.scores = new Float32Array(count * this.width).fill(NaN);
    this.revisions = new Int32Array(count).fill(-1);
  }

  /** Another rule decides from now on. */
  decideBy(rule: DecisionRule): void {
    this.reading = { ...this.reading, rule };
  }

  /** Takes over scores [positions, width] of a ranking; those of an earlier one do not replace later ones. */
  put(positions: ArrayLike<number>, scores: Float32Array, revision: number): void {
    if (scores.length !== positions.length * this.width) return;
    for (let row = 0; row < positions.length; row++) {
      const position = positions[row] ?? -1;
      if (position < 0 || position >= this.count || (this.revisions[position] ?? 0) > revision) continue;
      this.scores.set(scores.subarray(row * this.width, (row + 1) * this.width), position * this.width);
      this.revisions[position] = revision;
    }
  }

  /** Takes over the scores [count, width] of all texts. */
  putAll(scores: Float32Array, revision: number): void {
    if (scores.length !== this.scores.length) return;
    this.scores.set(scores);
    this.revisions.fill(revision);
  }

  at(position: number): Guess | undefined {
    return readGuess(this.reading, this.scores.subarray(position * this.width, (position + 1) * this.width));
  }

  /** Those of `positions` whose guess is older than a ranking. */
  stale(positions: readonly number[], revision: number): readonly number[] {
    return positions.filter((position) => (this.revisions[position] ?? -1) < revision);
  }
}
