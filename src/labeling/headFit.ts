import type { FeatureStatistics, FeatureStore } from './featureStore';
import { baseLogit, Head, HeadObjective, parameterCount, penaltiesFor, standardizeInto, valueScale, type HeadShape, type Lesson, type ValueScale } from './head';
import { minimize } from '../core/util/minimize';

/** What was decided about a text: indices of its labels, or a number. */
export type TruthValue = readonly number[] | number;

/** A decided text with known features. */
export interface Lecture {
  readonly position: number;
  readonly value: TruthValue;
}

/** Multiplications that one fit may take; with a warm start it needs far fewer. */
const effort = 2e9;
const evaluations = { least: 12, most: 80 };
/** Relative norm of the gradient at which a fit ends. Scores then are right to about three digits. */
const tolerance = 1e-3;

/** Whether there is enough to learn from: answers that differ, or a base model to move away from. */
export function isLearnable(shape: HeadShape, rows: readonly Lecture[]): boolean {
  if (rows.length === 0) return false;
  const first = JSON.stringify(rows[0]?.value);
  return shape.hasBase || rows.some(({ value }) => JSON.stringify(value) !== first);
}

/**
 * Learns a head, from the parameters of `earlier` on. Yields between the steps, so that the caller may let others have their turn.
 *
 * @param rows decided texts whose features `store` knows, see {@link isLearnable}
 */
export function* fitHead(shape: HeadShape, store: FeatureStore, statistics: FeatureStatistics, rows: readonly Lecture[], earlier?: Head): Generator<undefined, Head> {
  const scale = shape.kind === 'number' ? valueScale(rows.map(({ value }) => (typeof value === 'number' ? value : 0))) : { mean: 0, deviation: 1 };
  const lesson = lessonOf(shape, store, statistics, rows, scale);
  const start = earlier?.parameters.length === parameterCount(shape) ? earlier.parameters.slice() : new Float64Array(parameterCount(shape));
  const affordable = Math.floor(effort / Math.max(1, 2 * rows.length * shape.width * shape.outputs));
  yield* minimize(new HeadObjective(shape, lesson, penaltiesFor(shape, rows.length)), start, {
    evaluations: Math.max(evaluations.least, Math.min(evaluations.most, affordable)),
    tolerance,
  });
  return new Head(shape, start, statistics, scale);
}

function lessonOf(shape: HeadShape, store: FeatureStore, statistics: FeatureStatistics, rows: readonly Lecture[], scale: ValueScale): Lesson {
  const { kind, width, outputs, hasBase } = shape;
  const inputs = new Float32Array(rows.length * width);
  const targets = new Float64Array(rows.length * outputs);
  const base = new Float64Array(hasBase ? rows.length * outputs : 0);
  rows.forEach(({ position, value }, row) => {
    standardizeInto(inputs, row * width, store, position, statistics);
    if (typeof value === 'number') targets[row] = (value - scale.mean) / scale.deviation;
    else for (const label of value) targets[row * outputs + label] = 1;
    if (hasBase) for (let k = 0; k < outputs; k++) base[row * outputs + k] = baseLogit(kind, store.baseScore(position, k), scale);
  });
  return { inputs, targets, base, rows: rows.length };
}
