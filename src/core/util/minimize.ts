import { addScaled, dot } from './dot';

/** A function of many variables that is to be made small. */
export interface Objective {
  /** Number of variables. */
  readonly size: number;
  /** Value at `point`; writes the gradient there. */
  evaluate(point: Float64Array, gradient: Float64Array): number;
}

export interface MinimizeOptions {
  /** Evaluations of the objective at most. */
  readonly evaluations: number;
  /** It is done when the gradient's norm is at most this times max(1, norm of the point). */
  readonly tolerance: number;
}

export interface Minimum {
  readonly value: number;
  readonly evaluations: number;
  readonly converged: boolean;
}

/** Steps that the curvature is estimated from. */
const memory = 8;
/** Share of the expected decrease that a step must bring (Armijo). */
const sufficientDecrease = 1e-4;
/** Relative error of a value, so that near the minimum a good step is not refused for it. */
const rounding = 1e-13;

/**
 * L-BFGS (Nocedal & Wright, "Numerical Optimization", 2nd ed., algorithms 7.4 and 7.5) with backtracking, for smooth convex objectives. `point` is where it begins and where it has got to; no step
 * makes the value larger, but for rounding. Yields after each evaluation, so that the caller may let others have their turn.
 */
export function* minimize(objective: Objective, point: Float64Array, { evaluations, tolerance }: MinimizeOptions): Generator<undefined, Minimum> {
  const size = objective.size;
  const pairs: { readonly step: Float64Array; readonly change: Float64Array; readonly product: number }[] = [];
  let gradient = new Float64Array(size);
  let value = objective.evaluate(point, gradient);
  let used = 1;
  yield;
  const isDone = (): boolean => norm(gradient) <= tolerance * Math.max(1, norm(point));
  const next = new Float64Array(size);
  while (!isDone() && used < evaluations) {
    let direction = descent(gradient, pairs);
    let slope = inner(direction, gradient);
    if (slope >= 0) {
      // rounding has spoilt the estimate of the curvature
      pairs.length = 0;
      direction = gradient.map((part) => -part);
      slope = inner(direction, gradient);
    }
    let length = pairs.length === 0 ? Math.min(1, 1 / norm(gradient)) : 1;
    let found: { readonly value: number; readonly gradient: Float64Array<ArrayBuffer> } | undefined;
    while (!found && used < evaluations) {
      for (let i = 0; i < size; i++) next[i] = point[i]! + length * direction[i]!;
      const nextGradient = new Float64Array(size);
      const nextValue = objective.evaluate(next, nextGradient);
      used++;
      yield;
      if (nextValue <= value + sufficientDecrease * length * slope + rounding * Math.max(1, Math.abs(value))) found = { value: nextValue, gradient: nextGradient };
      else if ((length /= 2) < 1e-12) return { value, evaluations: used, converged: false };
    }
    if (!found) break;
    const step = new Float64Array(size);
    const change = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      step[i] = next[i]! - point[i]!;
      change[i] = found.gradient[i]! - gradient[i]!;
    }
    const product = inner(step, change);
    if (product > 1e-12 * inner(change, change)) {
      pairs.push({ step, change, product });
      if (pairs.length > memory) pairs.shift();
    }
    point.set(next);
    ({ value, gradient } = found);
  }
  return { value, evaluations: used, converged: isDone() };
}

/** Runs it to its end at once. */
export function minimizeNow(objective: Objective, point: Float64Array, options: MinimizeOptions): Minimum {
  const run = minimize(objective, point, options);
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}

/** Minus the estimated inverse of the Hessian times the gradient (two-loop recursion). */
function descent(gradient: Float64Array, pairs: readonly { readonly step: Float64Array; readonly change: Float64Array; readonly product: number }[]): Float64Array<ArrayBuffer> {
  const direction = gradient.map((part) => -part);
  const shares = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { step, change, product } = pairs[k]!;
    shares[k] = inner(step, direction) / product;
    addScaled(direction, 0, -shares[k]!, change, 0, direction.length);
  }
  const latest = pairs.at(-1);
  if (latest) {
    const scale = latest.product / inner(latest.change, latest.change);
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  pairs.forEach(({ step, change, product }, k) => addScaled(direction, 0, shares[k]! - inner(change, direction) / product, step, 0, direction.length));
  return direction;
}

function inner(a: Float64Array, b: Float64Array): number {
  return dot(a, 0, b, 0, a.length);
}

function norm(a: Float64Array): number {
  return Math.sqrt(inner(a, a));
}
