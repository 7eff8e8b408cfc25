import { CancelledError, HumanError } from '../core/errors';
import type { HandlerContext, Methods } from '../core/protocol/rpc';

/** How what goes wrong is told to a page. */
export interface Wording {
  /** What went wrong, in the person's language. */
  messageOf(error: unknown): string;
  /** Writes an error into the log. */
  note(error: unknown): void;
}

type Params<M extends Methods, K extends keyof M> = M[K]['params'];
type Result<M extends Methods, K extends keyof M> = M[K]['result'];

/** Puts handlers behind the check of what the page sends; what goes wrong is worded in the person's language. @param checkParams gives a method's parameters as new objects, or throws */
export function guarding<M extends Methods>(checkParams: <K extends keyof M & string>(method: K, params: unknown) => Params<M, K>, wording: Wording) {
  return <K extends keyof M & string>(method: K, handler: (params: Params<M, K>, context: HandlerContext<M[K]['progress']>) => Result<M, K> | Promise<Result<M, K>>) =>
    async (params: Params<M, K>, context: HandlerContext<M[K]['progress']>): Promise<Result<M, K>> => {
      try {
        return await handler(checkParams(method, params), context);
      } catch (error) {
        throw worded(error, wording);
      }
    };
}

function worded(error: unknown, wording: Wording): Error {
  if (error instanceof CancelledError) return error;
  wording.note(error);
  const template = wording.messageOf(error);
  return new HumanError(error instanceof HumanError ? error.code : 'internal', template, [], { cause: error });
}
