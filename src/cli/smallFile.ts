import { HumanError } from '../core/errors';
import { joinBytes } from '../core/util/bytes';
import type { CliContext } from './context';

/** Bytes of the largest file of settings that is read. */
const mostBytes = 10_000_000;

/** A file of settings as a whole. @throws HumanError `file.large`, and when it cannot be read */
export async function readSmallFile(context: Pick<CliContext, 'openInput'>, file: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (await context.openInput(file)).chunks) {
    size += chunk.length;
    if (size > mostBytes) throw new HumanError('file.large', '{0} has more than {1} bytes, which no file of settings has. Choose the right file.', [file, mostBytes]);
    parts.push(chunk);
  }
  return joinBytes(parts);
}
