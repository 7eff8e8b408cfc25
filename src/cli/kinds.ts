import type { EpochReport } from '../core/protocol/trainer';
import { taskKinds, type TaskKind } from '../core/model/onnxWriter';
import { UsageError, type Arguments, type FlagSpec } from './arguments';

/** `--kind`, of the commands that read a file without a model that would say it. */
export const kindFlag: FlagSpec = { value: 'KIND', help: 'what the label column holds: single, a label; multi, several with ; or | between them, empty for none; number (default single)' };

/** @throws UsageError when there is no such kind */
export function readKind(args: Arguments): TaskKind {
  const given = args.text('kind') ?? 'single';
  const kind = taskKinds.find((each) => each === given);
  if (kind === undefined) throw new UsageError(`--kind takes ${taskKinds.join(', ')}.`);
  return kind;
}

/** `--threshold`, of what asks a model. */
export const thresholdFlag: FlagSpec = { value: 'T', help: 'score from which the second of two labels is chosen, or each of several labels at once (default: as the model says, else 0.5)' };

/** @throws UsageError when it is no probability */
export function readThreshold(args: Arguments): number | undefined {
  const threshold = args.number('threshold');
  if (threshold !== undefined && !(threshold >= 0 && threshold <= 1)) throw new UsageError('--threshold takes a number from 0 to 1.');
  return threshold;
}

/** How an epoch did on the rows that are held out: `accuracy 93.10 %`, of numbers their R² and error. */
export function successText({ validAccuracy, validRmse }: EpochReport, kind: TaskKind): string {
  const error = validRmse === undefined ? '' : `, RMSE ${Number(validRmse.toPrecision(4))}`;
  if (kind === 'number') return `R² ${validAccuracy.toFixed(4)}${error}`;
  return `${kind === 'multi' ? 'exact match' : 'accuracy'} ${(validAccuracy * 100).toFixed(2)} %${error}`;
}
