/**
 * What every threshold of a score would give, for two classes: Fawcett, "An introduction to ROC analysis" (2006), and Davis & Goadrich, "The relationship between precision-recall and ROC curves" (2006).
 * A text is predicted to be positive where its score is at least the threshold; texts of the same score change sides together, as in scikit-learn.
 */
export interface ThresholdCurves {
  readonly positives: number;
  readonly negatives: number;
  /** One step for each different score, the highest first; the last one calls every text positive. */
  readonly steps: readonly CurveStep[];
  /** Area under the ROC curve by trapezoids, 0..1: how probable it is that a positive text has the higher score than a negative one, ties counting half (Hanley & McNeil 1982). */
  readonly auc: number;
  /** Σ (recall − recall before) · precision, 0..1; without interpolation, which would flatter. */
  readonly averagePrecision: number;
}

export interface CurveStep {
  /** The score of the step itself. */
  readonly score: number;
  /** Texts with at least that score that are positive, and that are not. */
  readonly truePositives: number;
  readonly falsePositives: number;
}

/**
 * @param scores finite, of the positive class; the higher the surer
 * @param positive 1 (or true) where the text is positive, as many as scores
 * @returns undefined where one of the two classes has no text: there is no curve then
 */
export function thresholdCurves(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): ThresholdCurves | undefined {
  if (scores.length !== positive.length) throw new Error(`${scores.length} scores for ${positive.length} examples.`);
  const order = Uint32Array.from({ length: scores.length }, (_, row) => row).sort((a, b) => scores[b]! - scores[a]!);
  const steps: CurveStep[] = [];
  let truePositives = 0;
  let falsePositives = 0;
  order.forEach((row, at) => {
    if (positive[row]) truePositives++;
    else falsePositives++;
    const score = scores[row]!;
    if (at + 1 === order.length || scores[order[at + 1]!] !== score) steps.push({ score, truePositives, falsePositives });
  });
  if (truePositives === 0 || falsePositives === 0) return undefined;
  // areas in whole counts, divided once
  let pairs = 0;
  let averagePrecision = 0;
  let before = { truePositives: 0, falsePositives: 0 };
  for (const step of steps) {
    pairs += ((step.falsePositives - before.falsePositives) * (step.truePositives + before.truePositives)) / 2;
    averagePrecision += ((step.truePositives - before.truePositives) / truePositives) * (step.truePositives / (step.truePositives + step.falsePositives));
    before = step;
  }
  return { positives: truePositives, negatives: falsePositives, steps, auc: pairs / (truePositives * falsePositives), averagePrecision };
}

/** Points [false positive rate, true positive rate] from (0, 0) to (1, 1). */
export function rocPoints({ steps, positives, negatives }: ThresholdCurves): readonly (readonly [number, number])[] {
  return [[0, 0], ...steps.map(({ truePositives, falsePositives }) => [falsePositives / negatives, truePositives / positives] as const)];
}

/** Points [recall, precision] in rising recall, beginning with (0, 1), where nothing is predicted. */
export function precisionRecallPoints({ steps, positives }: ThresholdCurves): readonly (readonly [number, number])[] {
  return [[0, 1], ...steps.map(({ truePositives, falsePositives }) => [truePositives / positives, truePositives / (truePositives + falsePositives)] as const)];
}

/** What one threshold gives, each 0..1. */
export interface ThresholdChoice {
  /** A text is positive where its score is at least this. */
  readonly threshold: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly accuracy: number;
  readonly falsePositiveRate: number;
}

/** What a threshold is looked for that makes most of. `youden`: true minus false positive rate (Youden, "Index for rating diagnostic tests", 1950); `precision`: the highest recall with at least that precision. */
export type ThresholdGoal = 'f1' | 'accuracy' | 'youden' | { readonly precision: number };

/**
 * The threshold that serves the goal best; half way between two scores, so that rounding it changes nothing. Of several that do, the one nearest to 0.5.
 * @returns undefined where no threshold reaches the precision
 */
export function findThreshold(curves: ThresholdCurves, goal: ThresholdGoal): ThresholdChoice | undefined {
  let best: { readonly choice: ThresholdChoice; readonly value: number } | undefined;
  curves.steps.forEach((step, at) => {
    const next = curves.steps[at + 1];
    const choice = choiceOf(curves, step, next ? (step.score + next.score) / 2 : Math.min(0, step.score));
    if (typeof goal === 'object' && choice.precision < goal.precision) return;
    const value = typeof goal === 'object' ? choice.recall : goal === 'youden' ? choice.recall - choice.falsePositiveRate : choice[goal];
    const isNearer = best !== undefined && value === best.value && Math.abs(choice.threshold - 0.5) < Math.abs(best.choice.threshold - 0.5);
    if (best === undefined || value > best.value || isNearer) best = { choice, value };
  });
  return best?.choice;
}

/** What a given threshold gives. */
export function atThreshold(curves: ThresholdCurves, threshold: number): ThresholdChoice {
  let reached: CurveStep = { score: Infinity, truePositives: 0, falsePositives: 0 };
  for (const step of curves.steps) if (step.score >= threshold) reached = step;
  return choiceOf(curves, reached, threshold);
}

function choiceOf({ positives, negatives }: ThresholdCurves, { truePositives, falsePositives }: CurveStep, threshold: number): ThresholdChoice {
  const claimed = truePositives + falsePositives;
  return {
    threshold,
    precision: claimed === 0 ? 0 : truePositives / claimed,
    recall: truePositives / positives,
    f1: (2 * truePositives) / (claimed + positives),
    accuracy: (truePositives + negatives - falsePositives) / (positives + negatives),
    falsePositiveRate: falsePositives / negatives,
  };
}
