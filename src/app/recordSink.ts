import type { AbortSignalLike } from '../core/protocol/rpc';

/** Where a copy with new columns goes. It is to be seen only when `commit` has been called. */
export interface RecordSink {
  /** Resolves when more may be written. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly commit: () => Promise<void>;
  /** Takes back what was written. Does nothing after {@link commit}. */
  readonly discard: () => Promise<void>;
}

/**
 * Commits the sinks when `work` is done; if it fails or is cancelled, discards them and stops what is under way.
 *
 * @param work gets a signal that is raised with `signal`, and when the work has failed
 */
export async function wholeOrNothing<T>(sinks: readonly RecordSink[], signal: AbortSignalLike | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  // our own, so that a failure stops what is under way too
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    const result = await work(stop.signal);
    for (const sink of sinks) await sink.commit();
    return result;
  } catch (error) {
    stop.abort();
    for (const sink of sinks) await sink.discard();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
