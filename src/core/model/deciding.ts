import type { TaskKind } from './onnxWriter';

/** What decides which of its labels a model holds to be right. */
export interface DecisionRule {
  readonly kind: TaskKind;
  /** As in `ModelManifest.task`. */
  readonly threshold?: number;
  readonly thresholds?: readonly number[];
}

/** The rule of a model's card. @param own a threshold to decide by in place of those on the card */
export function ruleOf({ kind, threshold, thresholds }: DecisionRule, own?: number): DecisionRule {
  if (own !== undefined) return { kind, threshold: own };
  return { kind, ...(threshold === undefined ? {} : { threshold }), ...(thresholds === undefined ? {} : { thresholds }) };
}

/**
 * The labels that a model holds to be right, as indices in its order: for `single` the most probable one, of equal ones the first, or, where two labels have a threshold, the second from that score on and else the first;
 * for `multi` each from its threshold on. None for `number`.
 *
 * @param scores of one text, one per label
 */
export function chosenLabels({ kind, threshold, thresholds }: DecisionRule, scores: ArrayLike<number>): number[] {
  if (kind === 'number' || scores.length === 0) return [];
  if (kind === 'multi') return Array.from(scores, (_, label) => label).filter((label) => scores[label]! >= (thresholds?.[label] ?? threshold ?? 0.5));
  if (threshold !== undefined && scores.length === 2) return [scores[1]! >= threshold ? 1 : 0];
  let best = 0;
  for (let label = 1; label < scores.length; label++) if (scores[label]! > scores[best]!) best = label;
  return [best];
}
