import { mostShards } from './kernels/shards';

/** Threads that can share a training. */
export const mostWorkers = mostShards;

/** Threads to train with where nobody chose: all cores but one, which is left to the person. @param cores at least 1 */
export function defaultWorkers(cores: number): number {
  return Math.min(Math.max(cores - 1, 1), mostWorkers);
}
