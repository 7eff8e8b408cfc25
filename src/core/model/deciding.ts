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

/** What a rule is about: as in `ModelManifest.task`. */
type DecidedTask = DecisionRule & { readonly labels: readonly { readonly id: string }[] };

/** {@link ruleOf} a model for its labels in the order of `labels`, which are the same. A threshold of the second of two is one of the first, too: what the other leaves it. */
export function ruleInOrder(task: DecidedTask, labels: readonly string[]): DecisionRule {
  const { kind, threshold, thresholds } = ruleOf(task);
  const order = labels.map((label) => task.labels.findIndex(({ id }) => id === label));
  if (kind === 'single' && threshold !== undefined && order[0] === 1) return { kind, threshold: 1 - threshold };
  return thresholds === undefined ? ruleOf(task) : ruleOf({ ...task, thresholds: order.map((from) => thresholds[from]!) });
}

/** The rule of an ensemble: that of its members where they all have the same, else the default. @param labels of the ensemble, in its order */
export function agreedRule(members: readonly DecidedTask[], labels: readonly string[]): DecisionRule {
  const rules = members.map((task) => ruleInOrder(task, labels));
  const [first, ...others] = rules as [DecisionRule, ...DecisionRule[]];
  return others.every((other) => labels.every((_, label) => Math.abs(thresholdOf(first, label) - thresholdOf(other, label)) < 1e-9)) ? first : { kind: first.kind };
}

/** Score from which a label is chosen: any of `multi`, the second of two where {@link isByThreshold}. */
export function thresholdOf({ threshold, thresholds }: DecisionRule, label: number): number {
  return thresholds?.[label] ?? threshold ?? 0.5;
}

/** Whether the second of two labels is chosen by its threshold, in place of the most probable one. @param labels that there are */
export function isByThreshold({ kind, threshold }: DecisionRule, labels: number): boolean {
  return kind === 'single' && threshold !== undefined && labels === 2;
}

/**
 * Of the labels that a model holds to be right the most probable one, or where it holds none to be right the most probable of all: the one that stands for its answer. -1 without scores.
 *
 * @param scores as in {@link chosenLabels}
 */
export function leadingLabel(rule: DecisionRule, scores: ArrayLike<number>): number {
  const chosen = chosenLabels(rule, scores);
  let best = -1;
  for (const label of chosen.length > 0 ? chosen : Array.from(scores, (_, each) => each)) if (best < 0 || scores[label]! > scores[best]!) best = label;
  return best;
}

/**
 * The labels that a model holds to be right, as indices in its order: for `single` the most probable one, of equal ones the first, or, where two labels have a threshold, the second from that score on and else the first;
 * for `multi` each from its threshold on. None for `number`.
 *
 * @param scores of one text, one per label
 */
export function chosenLabels(rule: DecisionRule, scores: ArrayLike<number>): number[] {
  const { kind } = rule;
  if (kind === 'number' || scores.length === 0) return [];
  if (kind === 'multi') return Array.from(scores, (_, label) => label).filter((label) => scores[label]! >= thresholdOf(rule, label));
  if (isByThreshold(rule, scores.length)) return [scores[1]! >= thresholdOf(rule, 1) ? 1 : 0];
  let best = 0;
  for (let label = 1; label < scores.length; label++) if (scores[label]! > scores[best]!) best = label;
  return [best];
}
