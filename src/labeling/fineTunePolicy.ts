/**
 * When the LSTM itself is fine-tuned, on what, whether the result is kept, and when a person may stop labelling. Rules only; the loop in `app/labeling` carries them out.
 */
import type { TaskKind } from '../core/model/onnxWriter';
import { Random } from '../core/util/random';
import { sortInSlices } from '../core/util/sort';

/** Labels that each of two classes must have; for `number`, as many decisions as both together. */
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

/** Whether there is enough to fine-tune on: 5 labels of each of two classes. A person may ask for it as soon as that holds. */
export function canFineTune({ kind, byLabel, labeled }: Pick<FineTuneCounts, 'kind' | 'byLabel' | 'labeled'>): boolean {
  if (kind === 'number') return labeled >= 2 * leastOfClass;
  return byLabel.filter((count) => count >= leastOfClass).length >= 2;
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
  /** Whether labels are so uneven that classes are to be weighted. */
  readonly balance: boolean;
}

/** Share of the rows to learn from that choose the epoch. */
const validationShare = 0.15;
/** Rows that are looked at between two pauses. */
const rowsAtOnce = 2000;
/** A class that is so many times larger than another calls for weights. */
const uneven = 2;

/**
 * Divides decisions: what was skipped or flagged is in no part, and no text in two. Validation takes the same share of each label, and no label's last row.
 *
 * @param breathe lets the thread handle what has come in
 */
export async function fineTuneRows(decided: readonly DecidedText[], seed: number, breathe: () => Promise<void>): Promise<FineTuneRows> {
  const labeled = decided.filter(({ value }) => value !== null);
  const sorted = await sortInSlices(labeled.filter(({ check }) => !check), (a, b) => a.position - b.position, breathe);
  const rows = new Random(seed).shuffle(sorted);
  await breathe();
  const byAnswer = new Map<string, DecidedText[]>();
  for (const [index, row] of rows.entries()) {
    if (index % rowsAtOnce === rowsAtOnce - 1) await breathe();
    const answer = Array.isArray(row.value) ? [...(row.value as readonly number[])].sort((a, b) => a - b).join() : '';
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
    balance: sizes.length > 1 && Math.max(...sizes) >= uneven * Math.min(...sizes),
  };
}

/** How likely chance alone must be to explain a loss for the loss to be overlooked. */
const overlooked = 0.15;

/**
 * Whether a fine-tuned model is kept: when it is not worse than the best version so far on the same held-out rows. With few rows a row or two say nothing, so a loss counts only if chance would not easily bring
 * it: of the rows on which exactly one of the two is right, the new one must not have lost so many that a fair coin would do so in less than 15 % of all cases (the exact test of McNemar 1947, one-sided).
 * That is 3 : 0, 5 : 1, 6 : 2, 14 : 8. Small losses cannot add up over versions, for `before` is the best so far and not the last. Without held-out rows it is kept.
 *
 * @param before for each held-out row, whether the best version so far is right
 * @param after the same for the new one
 */
export function isKept(before: readonly boolean[], after: readonly boolean[]): boolean {
  if (before.length !== after.length) throw new Error(`${after.length} rows after fine-tuning, ${before.length} before.`);
  const lost = before.filter((right, row) => right && !after[row]).length;
  const won = before.filter((right, row) => !right && after[row]).length;
  return lost <= won || coinTail(lost, lost + won) >= overlooked;
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
