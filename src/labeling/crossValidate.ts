import { regressionReport } from '../core/metrics/report';
import type { DecisionRule } from '../core/model/deciding';
import type { CrossValidation } from '../core/protocol/learner';
import { mixHash } from '../core/util/mixHash';
import { chooseBlend } from './blend';
import { isRight, numberOf } from './checkScore';
import type { FeatureStatistics, FeatureStore } from './featureStore';
import type { Head, HeadShape } from './head';
import { fitHead, isLearnable, type Lecture } from './headFit';
import type { Turns } from './turns';

/** Shares of a fold's training part that the learning curve is measured at. */
const curveShares = [0.125, 0.25, 0.5, 0.75, 1];
/** Decisions below which a point of the curve says nothing. */
const leastOfCurve = 10;

export interface CrossValidationRequest {
  readonly decided: readonly Lecture[];
  /** [count] hashes of the pool's texts, for folds that come out the same every time. */
  readonly hashes: Uint32Array;
  readonly outputs: number;
  readonly features?: { readonly shape: HeadShape; readonly store: FeatureStore; readonly statistics: FeatureStatistics };
  readonly folds: number;
  readonly seed: number;
  readonly turns: Turns;
}

/**
 * Scores each decided text by a head that did not see it, and measures how accuracy grows with the number of decisions. Folds hold the labels in about equal shares. Texts without known features, or in a fold
 * without anything to learn from, have NaN. Decisions that the queue chose are harder than texts drawn at random, so these accuracies lie below those on the checks.
 */
export async function crossValidate({ decided, hashes, outputs, features, folds: wanted, seed, turns }: CrossValidationRequest): Promise<CrossValidation> {
  const positions = Int32Array.from(decided, ({ position }) => position);
  const scores = new Float32Array(decided.length * outputs).fill(NaN);
  if (!features) return { positions, scores, curve: [] };
  const { shape, store, statistics } = features;
  const rows = shuffled(decided, hashes, seed).filter((row) => store.known[decided[row]!.position] === 1);
  const folds = Math.max(2, Math.min(Math.floor(wanted), rows.length));
  const { blend } = await turns.run(chooseBlend(shape, store, statistics, rows.map((row) => decided[row]!)));
  const learn = async (from: readonly number[]): Promise<Head | undefined> => {
    const lectures = from.map((row) => decided[row]!);
    return isLearnable(shape, lectures) ? await turns.run(fitHead(shape, store, statistics, blend, lectures)) : undefined;
  };
  const accuracies = new Map<number, { decisions: number; readonly values: number[] }>();
  const foldOf = stratified(rows, decided, folds);
  for (let fold = 0; fold < folds; fold++) {
    const training = rows.filter((row) => foldOf.get(row) !== fold);
    const heldOut = rows.filter((row) => foldOf.get(row) === fold);
    for (const share of curveShares) {
      const count = Math.round(training.length * share);
      if (share < 1 && count < leastOfCurve) continue;
      const head = await learn(training.slice(0, count));
      if (!head || heldOut.length === 0) continue;
      const own = new Float32Array(heldOut.length * outputs);
      heldOut.forEach((row, at) => head.score(store, decided[row]!.position, own, at * outputs));
      if (share === 1) heldOut.forEach((row, at) => scores.set(own.subarray(at * outputs, (at + 1) * outputs), row * outputs));
      const point = accuracies.get(share) ?? { decisions: count, values: [] };
      point.values.push(accuracyOf(shape, store.ruleFor(shape.kind), heldOut.map((row) => decided[row]!), own));
      accuracies.set(share, point);
    }
  }
  const curve = [...accuracies.values()].filter(({ values }) => values.length > 1).map(({ decisions, values }) => ({ decisions, ...meanAndError(values) }));
  return { positions, scores, curve: curve.sort((a, b) => a.decisions - b.decisions) };
}

/** Numbers of the rows in an order that depends on the texts and the seed alone. */
function shuffled(decided: readonly Lecture[], hashes: Uint32Array, seed: number): number[] {
  const keys = decided.map(({ position }) => mixHash(hashes[position]!, seed));
  return [...decided.keys()].sort((a, b) => keys[a]! - keys[b]! || decided[a]!.position - decided[b]!.position);
}

/** Deals the rows of each answer out to the folds in turn. */
function stratified(rows: readonly number[], decided: readonly Lecture[], folds: number): Map<number, number> {
  const answerOf = (row: number): string => {
    const value = decided[row]!.value;
    return typeof value === 'number' ? '' : [...value].sort((a, b) => a - b).join();
  };
  const byAnswer = new Map<string, number[]>();
  for (const row of rows) {
    const answer = answerOf(row);
    const same = byAnswer.get(answer);
    if (same) same.push(row);
    else byAnswer.set(answer, [row]);
  }
  const dealt = new Map<number, number>();
  for (const answer of [...byAnswer.keys()].sort()) for (const row of byAnswer.get(answer)!) dealt.set(row, dealt.size % folds);
  return dealt;
}

function accuracyOf(shape: HeadShape, rule: DecisionRule, lectures: readonly Lecture[], scores: Float32Array): number {
  if (shape.kind === 'number') return regressionReport(lectures.map(({ value }) => numberOf(value)), scores).r2;
  return lectures.reduce((sum, { value }, row) => sum + (isRight(rule, value, scores, row * shape.outputs, shape.outputs) ? 1 : 0), 0) / lectures.length;
}

function meanAndError(values: readonly number[]): { readonly accuracy: number; readonly error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { accuracy: mean, error: Math.sqrt(variance / values.length) };
}
