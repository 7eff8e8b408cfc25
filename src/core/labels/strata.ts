import type { DecisionValue } from './decision';

/** Parts of equal size that numbers are spread by. */
const numberStrata = 10;

/**
 * What a split spreads evenly over its parts, one for each answer: of `single` the label; of `multi` the rarest of the labels, of which the parts could most easily lack one (after Sechidis et al. 2011);
 * of `number` the tenth of all numbers that it lies in.
 *
 * @param answers all of one kind
 */
export function strataOf(answers: readonly DecisionValue[]): string[] {
  const counts = new Map<string, number>();
  for (const answer of answers) if (typeof answer === 'object') for (const label of answer) counts.set(label, (counts.get(label) ?? 0) + 1);
  const numbers = Float64Array.from(answers.filter((answer) => typeof answer === 'number')).sort();
  return answers.map((answer) => {
    if (typeof answer === 'string') return answer;
    if (typeof answer === 'number') return String(Math.floor((numberStrata * firstPlace(numbers, answer)) / numbers.length));
    let rarest = '';
    for (const label of answer) if (rarest === '' || counts.get(label)! < counts.get(rarest)! || (counts.get(label) === counts.get(rarest) && label < rarest)) rarest = label;
    return rarest;
  });
}

/** How many of the sorted numbers are smaller. */
function firstPlace(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
