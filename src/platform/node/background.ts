import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';

/** As `nice` counts: the scheduler gives such a thread about a tenth of what one at 0 gets, if that wants to run. */
const BEHIND = 10;

/**
 * Lets the person's own work go first: the calling worker thread gets a processor only when nobody else of this machine wants it. Linux alone can do that for one thread of a process;
 * elsewhere nothing happens.
 */
export function stepBack(): void {
  if (process.platform !== 'linux' || isMainThread) return;
  try {
    // `PID/task/TID`
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (Number.isSafeInteger(thread) && thread > 0 && thread !== process.pid) setPriority(thread, BEHIND);
  } catch {
    // a system without /proc, or one that forbids it: the work is done all the same
  }
}
