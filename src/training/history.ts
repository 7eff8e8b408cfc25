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
 * Training loss over optimizer steps, in as much detail as {@link mostPoints} allow: a point a step to begin with, and whenever there are too many each two that follow each other become one. What it holds depends on the losses alone, not on
 * how many were planned.
 */
export class LossHistory {
  private width = 1;
  private losses: number[] = [];
  private sum = 0;
  /** Steps in {@link sum}. */
  private open = 0;

  get state(): HistoryState {
    const { width, losses, sum } = this;
    return { width, losses, sum };
  }

  /** Goes on from `state`, after so many steps; copies it. */
  restore({ width, losses, sum }: HistoryState, steps: number): void {
    this.width = width;
    this.losses = [...losses];
    this.sum = sum;
    this.open = steps - width * losses.length;
  }

  /** Takes in the mean loss of the next step's batch. */
  add(loss: number): void {
    this.sum += loss;
    if (++this.open < this.width) return;
    this.losses.push(this.sum / this.width);
    this.sum = 0;
    this.open = 0;
    if (this.losses.length < mostPoints) return;
    this.losses = Array.from({ length: mostPoints / 2 }, (_, k) => (this.losses[2 * k]! + this.losses[2 * k + 1]!) / 2);
    this.width *= 2;
  }

  points(): LossPoint[] {
    const { width, losses, sum, open } = this;
    const points = losses.map((loss, k) => ({ step: (k + 1) * width, loss }));
    return open === 0 ? points : [...points, { step: losses.length * width + open, loss: sum / open }];
  }
}

/** Whether a history after so many steps can be in that state. It may come from anywhere. */
export function isHistoryState(value: unknown, steps: number): value is HistoryState {
  if (typeof value !== 'object' || value === null) return false;
  const { width, losses, sum } = value as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(width) || (width as number) < 1 || !Array.isArray(losses) || losses.length >= mostPoints) return false;
  const open = steps - (width as number) * losses.length;
  return open >= 0 && open < (width as number) && [sum, ...(losses as readonly unknown[])].every((loss) => typeof loss === 'number' && Number.isFinite(loss));
}
