import type { Port } from '../../../src/core/protocol/rpc';

/** Two ends of a line that hands over copies, in the order in which they were sent. */
export function line(): readonly [Port, Port] {
  const listeners: ((message: unknown) => void)[] = [];
  const end = (own: number, other: number): Port => ({
    postMessage: (message) => {
      const copy: unknown = JSON.parse(JSON.stringify(message));
      queueMicrotask(() => listeners[other]?.(copy));
    },
    onMessage: (listener) => {
      listeners[own] = listener;
    },
  });
  return [end(0, 1), end(1, 0)];
}
