/**
 * What a row of each label counts in the loss so that all labels count alike: n/(k·n_c) (King & Zeng 2001), with n rows, k labels that occur and n_c rows of label c.
 *
 * The mean over the rows is 1, so the loss keeps its size and the learning rate its meaning.
 *
 * @param rows labels of the training rows, each in 0..labels-1
 * @returns [labels], above 0; 0 for a label that does not occur
 */
export function classWeights(rows: ArrayLike<number>, labels: number): Float32Array {
  const counts = new Float64Array(labels);
  for (let row = 0; row < rows.length; row++) counts[rows[row]!]! += 1;
  const occurring = counts.reduce((sum, count) => sum + Math.sign(count), 0);
  return Float32Array.from(counts, (count) => (count === 0 ? 0 : rows.length / (occurring * count)));
}
