import { taskKinds, type TaskKind } from '../core/model/onnxWriter';
import { UsageError, type Arguments } from './arguments';

/** What `--kind` is, in the usage of the commands that take it. */
export const kindFlag = { value: 'KIND', help: 'what the label column holds: single, a label; multi, several with ; or | between them, empty for none; number (default single)' } as const;

export function readKind(args: Arguments): TaskKind {
  const given = args.text('kind') ?? 'single';
  const kind = taskKinds.find((each) => each === given);
  if (kind === undefined) throw new UsageError(`--kind takes ${taskKinds.join(', ')}.`);
  return kind;
}
