import type { DecisionValue } from './decision';
import { quantileStrata, setStrata } from './split';

/** How many answers the parts of a split can share, the smallest of them too. @param shares in 0..1, one above 0 */
export function fewestToShare(shares: readonly number[]): number {
  return Math.ceil(1 / Math.min(...shares.filter((share) => share > 0)));
}

/**
 * What a split spreads evenly over its parts, one for each answer: of `single` the label, else see {@link setStrata} and {@link quantileStrata}.
 *
 * @param answers all of one kind
 * @param fewest answers that make a stratum of several labels or of numbers: as many as the parts can share, see {@link fewestToShare}
 */
export function strataOf(answers: readonly DecisionValue[], fewest: number): readonly string[] {
  const isAll = <A extends DecisionValue>(list: readonly DecisionValue[], is: (answer: DecisionValue) => answer is A): list is readonly A[] => list.every(is);
  if (isAll(answers, (answer) => typeof answer === 'number')) return quantileStrata(answers, fewest);
  if (isAll(answers, (answer) => typeof answer === 'string')) return answers;
  return setStrata(
    answers.map((answer) => (typeof answer === 'object' ? answer : [String(answer)])),
    fewest,
  );
}
