/**
 * When the LSTM itself is fine-tuned, on what, whether the result is kept, and when a person may stop labelling. Rules only; the loop in `app/labeling` carries them out.
 */
import { fewestToShare, strataOf } from '../core/labels/strata';
import type { TaskKind } from '../core/model/onnxWriter';
import { Random } from '../core/util/random';
import { sortInSlices } from '../core/util/sort';

/** Texts that each of two classes must have: of `multi`, those with a label and those without; for `number`, as many decisions as both together. */
const leastOfClass = 5;

/** A text that was labelled, skipped or flagged. */
export interface DecidedText {
  readonly position: number;
  /** Indices of the labels, or a number; null: skipped, flagged or cleared. */
  readonly value: readonly number[] | number | null;
  /** Whether it is one of the random checks. */
  readonly check: boolean;
}

export interface FineTuneCounts {
  readonly kind: TaskKind;
  /** [labels] labelled texts for each label, the checks left out; none for `number`. */
  readonly byLabel: readonly number[];
  /** Labelled texts, the checks left out. */
  readonly labeled: number;
  /** Decisions since the last fine-tuning began, of any kind that labels; all of them if there was none. */
  readonly sinceLast: number;
  /** Decisions between two fine-tunings; 0: only by hand. */
  readonly every: number;
  readonly running: boolean;
}

/** Whether there is enough to fine-tune on: 5 texts of each of two labels; for `multi`, 5 with a label and 5 without it; for `number`, 10. A person may ask for it as soon as that holds. */
export function canFineTune({ kind, byLabel, labeled }: Pick<FineTuneCounts, 'kind' | 'byLabel' | 'labeled'>): boolean {
  switch (kind) {
    case 'single':
      return byLabel.filter((count) => count >= leastOfClass).length >= 2;
    case 'multi':
      return byLabel.some((count) => count >= leastOfClass && labeled - count >= leastOfClass);
    case 'number':
      return labeled >= 2 * leastOfClass;
  }
}

/** Decisions until the next fine-tuning, 0: now; undefined if it is off. While one runs, or classes are missing, at least 1. */
export function untilFineTune(counts: FineTuneCounts): number | undefined {
  if (counts.every <= 0) return undefined;
  const left = Math.max(0, counts.every - counts.sinceLast);
  return counts.running || !canFineTune(counts) ? Math.max(1, left) : left;
}

export interface FineTuneRows {
  /** To learn from: labelled, not checks, in an order that depends on the seed. A label with many rows counts as often as one with few if the training balances classes. */
  readonly training: readonly DecidedText[];
  /** To stop early and choose the epoch by. Not the checks: what chooses may not judge. */
  readonly validation: readonly DecidedText[];
  /** To be judged on, before and after: the labelled checks. */
  readonly holdout: readonly DecidedText[];
  /** Whether labels of `single` are so uneven that classes are to be weighted. */
  readonly balance: boolean;
}

/** Share of the rows to learn from that choose the epoch. */
const validationShare = 0.15;
/** Rows that are looked at between two pauses. */
const rowsAtOnce = 2000;
/** A class that is so many times larger than another calls for weights. */
const uneven = 2;

/**
 * Divides decisions: what was skipped or flagged is in no part, and no text in two. Validation takes the same share of each answer (of several labels and of numbers, of each stratum, see {@link strataOf}), and no answer's last row.
 *
 * @param breathe lets the thread handle what has come in
 */
export async function fineTuneRows(decided: readonly DecidedText[], kind: TaskKind, seed: number, breathe: () => Promise<void>): Promise<FineTuneRows> {
  const labeled = decided.filter(({ value }) => value !== null);
  const sorted = await sortInSlices(labeled.filter(({ check }) => !check), (a, b) => a.position - b.position, breathe);
  const rows = new Random(seed).shuffle(sorted);
  await breathe();
  const strata = strataOf(
    rows.map(({ value }) => (typeof value !== 'object' ? value : kind === 'multi' ? (value ?? []).map(String) : String(value))),
    fewestToShare([validationShare, 1 - validationShare]),
  );
  await breathe();
  const byAnswer = new Map<string, DecidedText[]>();
  for (const [index, row] of rows.entries()) {
    if (index % rowsAtOnce === rowsAtOnce - 1) await breathe();
    const answer = strata[index]!;
    const same = byAnswer.get(answer);
    if (same) same.push(row);
    else byAnswer.set(answer, [row]);
  }
  await breathe();
  const validation = new Set<DecidedText>();
  for (const same of byAnswer.values()) for (const row of same.slice(0, Math.min(same.length - 1, Math.round(same.length * validationShare)))) validation.add(row);
  await breathe();
  const sizes = [...byAnswer.values()].map((same) => same.length);
  const training = rows.filter((row) => !validation.has(row));
  await breathe();
  return {
    training,
    validation: [...validation],
    holdout: labeled.filter(({ check }) => check),
    balance: kind === 'single' && sizes.length > 1 && Math.max(...sizes) >= uneven * Math.min(...sizes),
  };
}

/**
 * How far an answer is from what was decided; 0: it is the same. For labels 1 less their F1 (1 for another label of `single`; of several labels those that are missing count as much as those that are too many, so that to name
 * none is never good where there are some), for numbers the distance.
 */
export function answerError(decided: readonly number[] | number, said: readonly number[] | number): number {
  if (typeof decided === 'number' || typeof said === 'number') return Math.abs(Number(decided) - Number(said));
  const both = decided.filter((label) => said.includes(label)).length;
  return decided.length + said.length === 0 ? 0 : 1 - (2 * both) / (decided.length + said.length);
}

/** The least sum of {@link answerError} that always saying the same would have; for labels the same as some row. */
export function constantError(decided: readonly (readonly number[] | number)[]): number {
  const errorOf = (said: readonly number[] | number): number => decided.reduce<number>((sum, value) => sum + answerError(value, said), 0);
  const numbers = decided.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  if (numbers.length > 0) return errorOf(numbers[Math.floor(numbers.length / 2)]!);
  const answers = new Map(decided.map((value) => [String(value), value]));
  return Math.min(...[...answers.values()].map(errorOf));
}

/** How likely chance alone must be to explain a loss for the loss to be overlooked. */
const overlooked = 0.15;
/** Draws of signs that stand for all there are. With more changes than this, sums are as good as normally distributed, and `deviations` of them are exceeded in the share of `overlooked`. */
const signs = { draws: 2000, seed: 1, changes: 500, deviations: 1.0364 };

/**
 * Whether a fine-tuned model is kept: when it is not worse than the best version so far on the same held-out rows. With few rows a row or two say nothing, so a loss counts only if chance would not easily bring
 * it: if with the signs of the rows' changes thrown by a fair coin the sum were as bad in less than 15 % of all cases (Fisher's randomization test of pairs, one-sided). Where a row is right or wrong, as with one label, that is
 * the exact test of McNemar 1947: 3 : 0, 5 : 1, 6 : 2, 14 : 8 rows lost and won are too many. Small losses cannot add up over versions, for `before` is the best so far and not the last. Without held-out rows it is kept.
 *
 * @param before for each held-out row, how wrong the best version so far is, see {@link answerError}
 * @param after the same for the new one
 */
export function isKept(before: readonly number[], after: readonly number[]): boolean {
  if (before.length !== after.length) throw new Error(`${after.length} rows after fine-tuning, ${before.length} before.`);
  const changes = before.map((error, row) => after[row]! - error).filter((change) => change !== 0);
  const loss = changes.reduce((sum, change) => sum + change, 0);
  if (loss <= 0) return true;
  const sizes = changes.map(Math.abs);
  if (sizes.every((size) => size === sizes[0])) return coinTail(changes.filter((change) => change > 0).length, changes.length) >= overlooked;
  if (sizes.length > signs.changes) return loss <= signs.deviations * Math.sqrt(sizes.reduce((sum, size) => sum + size * size, 0));
  const random = new Random(signs.seed);
  let asBad = 0;
  for (let draw = 0; draw < signs.draws; draw++) {
    // sums that are equal but for the order in which they were added are
    if (sizes.reduce((sum, size) => sum + (random.uint32() % 2 === 0 ? size : -size), 0) >= loss * (1 - 1e-9)) asBad++;
  }
  return asBad >= overlooked * signs.draws;
}

/** Probability of at least `heads` heads in `tosses` of a fair coin. */
function coinTail(heads: number, tosses: number): number {
  // of all 2^tosses outcomes; in logarithms, for many rows
  let logChoose = -tosses * Math.LN2;
  let tail = heads <= 0 ? Math.exp(logChoose) : 0;
  for (let k = 1; k <= tosses; k++) {
    logChoose += Math.log((tosses - k + 1) / k);
    if (k >= heads) tail += Math.exp(logChoose);
  }
  return tail;
}

export interface StopEvidence {
  /** Texts that wait. */
  readonly open: number;
  readonly trusted: boolean;
  /** Best score of each text that waits, 0..1; NaN: not known. */
  readonly confidences: ArrayLike<number>;
  readonly check?: { readonly rows: number; readonly accuracy: number; readonly low: number };
  /** Out-of-fold accuracy by number of decisions, with standard errors, ascending. */
  readonly curve: readonly { readonly decisions: number; readonly accuracy: number; readonly error: number }[];
}

const confident = { score: 0.9, share: 0.95, checkLow: 0.85 };
const plateau = { decisions: 100, gain: 0.005 };

/**
 * When it makes sense to stop, for a person: `done`, nothing waits; `confident`, the model is sure (0.9) of 95 % of what waits, and the checks bear it out (the lower end of their interval is at least 0.85);
 * `plateau`, from half of at least 100 decisions to all of them, accuracy grew by less than half a point and less than its standard error. Undefined: go on.
 */
export function stopHint({ open, trusted, confidences, check, curve }: StopEvidence): 'plateau' | 'confident' | 'done' | undefined {
  if (open === 0) return 'done';
  if (!trusted) return undefined;
  let sure = 0;
  for (let row = 0; row < confidences.length; row++) if (confidences[row]! >= confident.score) sure++;
  if (check && check.low >= confident.checkLow && sure >= confident.share * confidences.length && confidences.length > 0) return 'confident';
  const last = curve.at(-1);
  if (!last || last.decisions < plateau.decisions) return undefined;
  const half = curve.filter(({ decisions }) => decisions <= last.decisions * 0.55).at(-1);
  if (!half) return undefined;
  const gain = last.accuracy - half.accuracy;
  return gain < plateau.gain && gain < Math.hypot(last.error, half.error) ? 'plateau' : undefined;
}
