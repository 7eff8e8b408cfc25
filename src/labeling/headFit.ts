import { minimize } from '../core/util/minimize';
import type { FeatureStatistics, FeatureStore } from './featureStore';
import { baseLogit, Head, HeadObjective, ngramsFrom, parameterCount, penaltiesFor, standardizeInto, valueScale, type Blend, type HeadShape, type Lesson, type Reading, type ValueScale } from './head';
import { NgramColumns, sparseRows } from './ngramColumns';

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
/** Relative norm of the gradient at which a fit ends. Scores then are right to about two digits. */
const tolerance = 2e-3;

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
export function* fitHead(shape: HeadShape, store: FeatureStore, statistics: FeatureStatistics, blend: Blend, rows: readonly Lecture[], earlier?: Head): Generator<undefined, Head> {
  const scale = shape.kind === 'number' ? valueScale(rows.map(({ value }) => (typeof value === 'number' ? value : 0))) : { mean: 0, deviation: 1 };
  const columns = new NgramColumns(statistics.ngrams, rows.map(({ position }) => position));
  const reading = { statistics, blend, columns };
  const lesson = lessonOf(shape, store, reading, rows, scale);
  const point = new Float64Array(parameterCount(shape, columns.count));
  if (earlier && ngramsFrom(earlier.shape) === ngramsFrom(shape) && earlier.shape.outputs === shape.outputs) carryOver(earlier, shape, reading, point);
  const multiplications = 2 * shape.outputs * (rows.length * shape.width + lesson.ngrams.value.length);
  const affordable = Math.floor(effort / Math.max(1, multiplications));
  const objective = new HeadObjective(shape, lesson, penaltiesFor(shape));
  yield* minimize(objective, point, {
    evaluations: Math.max(evaluations.least, Math.min(evaluations.most, affordable)),
    tolerance,
  });
  const shares = objective.ownShares(point);
  const own = new Map(rows.map(({ position }, row) => [position, shares.subarray(row * shape.outputs, (row + 1) * shape.outputs)]));
  return new Head(shape, point, reading, scale, own);
}

/** Begins where an earlier head stands: inputs may have another size there, and n-grams have other columns. */
function carryOver({ parameters, reading }: Head, shape: HeadShape, { blend, columns }: Reading, point: Float64Array): void {
  const from = ngramsFrom(shape);
  const { width, outputs } = shape;
  const change = { features: Math.sqrt(reading.blend.features / blend.features), ngrams: Math.sqrt(reading.blend.ngrams / blend.ngrams) };
  for (let i = 0; i < from; i++) point[i] = parameters[i]! * (i < outputs * width ? change.features : 1);
  const before = reading.columns;
  columns.buckets.forEach((bucket, place) => {
    const then = before.places[bucket]! - 1;
    if (!(then >= 0)) return;
    const share = change.ngrams * columns.parts[place]! * before.parts[then]!;
    for (let k = 0; k < outputs; k++) point[from + columns.columns[place]! * outputs + k]! += share * parameters[from + before.columns[then]! * outputs + k]!;
  });
}

function lessonOf(shape: HeadShape, store: FeatureStore, { statistics, blend, columns }: Reading, rows: readonly Lecture[], scale: ValueScale): Lesson {
  const { kind, width, outputs, hasBase } = shape;
  const inputs = new Float32Array(rows.length * width);
  const targets = new Float64Array(rows.length * outputs);
  const base = new Float64Array(hasBase ? rows.length * outputs : 0);
  rows.forEach(({ position, value }, row) => {
    standardizeInto(inputs, row * width, store, position, statistics, blend.features);
    if (typeof value === 'number') targets[row] = (value - scale.mean) / scale.deviation;
    else for (const label of value) targets[row * outputs + label] = 1;
    if (hasBase) for (let k = 0; k < outputs; k++) base[row * outputs + k] = baseLogit(kind, store.baseScore(position, k), scale);
  });
  const ngrams = sparseRows(columns, rows.map(({ position }) => position), Math.sqrt(blend.ngrams));
  return { inputs, ngrams, targets, base, rows: rows.length };
}
