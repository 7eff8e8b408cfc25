import type { EpochReport } from '../core/protocol/trainer';
import type { TaskKind } from '../core/model/onnxWriter';
import { UsageError, type Arguments, type FlagSpec } from './arguments';

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
