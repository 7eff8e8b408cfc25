import type { TaskKind } from '../core/model/onnxWriter';
import type { TruthValue } from './headFit';

/**
 * How far a model that did not see them agrees with decisions: the score of the own label; for `multi` of the least likely answer, yes or no; for `number` minus the distance. The lower, the more suspicious.
 * Out-of-fold scores for their own label are what finds wrong labels (Northcutt, Jiang & Chuang, "Confident Learning", JAIR 70, 2021).
 *
 * @param scores [texts, outputs] out-of-fold; what is not scored counts as full agreement
 */
export function ownScores(kind: TaskKind, values: readonly (TruthValue | undefined)[], scores: Float32Array, outputs: number): Float64Array {
  return Float64Array.from(values, (value, row) => {
    const at = row * outputs;
    if (value === undefined || Number.isNaN(scores[at])) return kind === 'number' ? 0 : 1;
    if (typeof value === 'number') return -Math.abs(value - scores[at]!);
    if (kind === 'single') return scores[at + (value[0] ?? 0)]!;
    let least = 1;
    for (let k = 0; k < outputs; k++) least = Math.min(least, value.includes(k) ? scores[at + k]! : 1 - scores[at + k]!);
    return least;
  });
}
