/** The learning rate's factor at `progress`, the share of all planned steps that is done, in 0..1. */
export type Schedule = (progress: number) => number;

/** Falls linearly by `decay` in all: 0 keeps the rate, 1 ends at zero. */
export function linearSchedule(decay: number): Schedule {
  return (progress) => 1 - decay * progress;
}
