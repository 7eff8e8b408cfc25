import type { LossPoint } from '../core/protocol/trainer';

/** Points that a history has at most. */
const mostPoints = 2000;

/** What a checkpoint holds of a history. */
export interface HistoryState {
  /** Optimizer steps of a point. */
  readonly width: number;
  /** Mean loss of each point that is complete. */
  readonly losses: readonly number[];
  /** Sum of the losses of the steps after these. */
  readonly sum: number;
}

/**
 * Training loss over optimizer steps, in as much detail as {@link mostPoints} allow: a point each time that a loss comes to begin with, and whenever there are too many each two that follow each other become one. What it holds depends on the losses
 * alone, not on how many were planned.
 */
export class LossHistory {
  /** Steps of a point at least; exactly so many where the loss of every step came. */
  private width = 1;
  private complete: LossPoint[] = [];
  private sum = 0;
  /** Steps in {@link sum}. */
  private open = 0;

  /** Of a history to which the loss of every step came. */
  get state(): HistoryState {
    const { width, complete, sum } = this;
    return { width, losses: complete.map(({ loss }) => loss), sum };
  }

  /** Steps that it spans. */
  get steps(): number {
    return (this.complete.at(-1)?.step ?? 0) + this.open;
  }

  /** Goes on from `state`, after so many steps; copies it. */
  restore({ width, losses, sum }: HistoryState, steps: number): void {
    this.width = width;
    this.complete = losses.map((loss, k) => ({ step: (k + 1) * width, loss }));
    this.sum = sum;
    this.open = steps - width * losses.length;
  }

  /** Takes in the mean loss of the next step's batch, or of so many steps. */
  add(loss: number, steps = 1): void {
    this.sum += steps * loss;
    this.open += steps;
    if (this.open < this.width) return;
    this.complete.push({ step: this.steps, loss: this.sum / this.open });
    this.sum = 0;
    this.open = 0;
    if (this.complete.length < mostPoints) return;
    this.complete = this.complete.flatMap((second, k, all) => (k % 2 === 0 ? [] : [joined(all[k - 2]?.step ?? 0, all[k - 1]!, second)]));
    // twice what it was, where the loss of every step came
    this.width = Math.floor(this.steps / this.complete.length);
  }

  points(): LossPoint[] {
    const { complete, sum, open, steps } = this;
    return open === 0 ? [...complete] : [...complete, { step: steps, loss: sum / open }];
  }
}

/** One point in the place of two that follow the step `before`. */
function joined(before: number, first: LossPoint, second: LossPoint): LossPoint {
  return { step: second.step, loss: ((first.step - before) * first.loss + (second.step - first.step) * second.loss) / (second.step - before) };
}

/** Whether a history after so many steps can be in that state. It may come from anywhere. */
export function isHistoryState(value: unknown, steps: number): value is HistoryState {
  if (typeof value !== 'object' || value === null) return false;
  const { width, losses, sum } = value as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(width) || (width as number) < 1 || !Array.isArray(losses) || losses.length >= mostPoints) return false;
  const open = steps - (width as number) * losses.length;
  return open >= 0 && open < (width as number) && [sum, ...(losses as readonly unknown[])].every((loss) => typeof loss === 'number' && Number.isFinite(loss));
}
