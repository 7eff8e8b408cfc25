/**
 * Scores of labels as the written model gives them: softmax of the labels' logits over the temperature, of several labels the sigmoid of each.
 * @param logits [rows, width]
 */
export function labelScores(logits: Float32Array, width: number, kind: 'single' | 'multi', temperature: number): Float32Array {
  return kind === 'multi' ? logits.map((logit) => 1 / (1 + Math.exp(-logit / temperature))) : softmax(logits, width, temperature);
}

function softmax(logits: Float32Array, width: number, temperature: number): Float32Array {
  const scores = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += width) {
    const row = logits.subarray(start, start + width);
    const top = row.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const powers = row.map((logit) => Math.exp((logit - top) / temperature));
    const sum = powers.reduce((total, power) => total + power, 0);
    scores.set(
      powers.map((power) => power / sum),
      start,
    );
  }
  return scores;
}
