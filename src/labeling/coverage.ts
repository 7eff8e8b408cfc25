import { NgramCosines } from './ngramColumns';
import type { NgramWeights } from './ngramStore';

/** Texts drawn at random that stand for the pool. */
const mostReferences = 500;

/**
 * Which texts stand for many others: of a pool's texts some are drawn as references, and a text is worth as much as it is nearer to them than what was decided already (greedy facility location; Wei, Iyer &
 * Bilmes, "Submodularity in data subset selection and active learning", ICML 2015). Of few decisions, those about typical texts teach most; odd ones teach about themselves. Near means common n-grams.
 */
export class Coverage {
  private readonly references: Int32Array;
  private readonly cosines: NgramCosines;
  /** Of a text with each reference, of the texts that were asked for. */
  private readonly rows = new Map<number, Float32Array>();

  /** @param shuffled known texts, of which the first are the references */
  constructor(
    readonly weights: NgramWeights,
    shuffled: Int32Array,
  ) {
    this.references = shuffled.slice(0, mostReferences);
    this.cosines = new NgramCosines(weights);
  }

  /** [references] how near a text is to each of them, 0..1. */
  nearness(position: number): Float32Array {
    let row = this.rows.get(position);
    if (!row) {
      this.cosines.take(position);
      row = Float32Array.from(this.references, (reference) => this.cosines.with(reference));
      this.rows.set(position, row);
    }
    return row;
  }

  /**
   * The same texts in another order: at most `count` of them, each of which adds most to those before it and to the decided ones, then the others as they were. Of equally good ones the first comes first.
   */
  order(positions: Int32Array, decided: Int32Array, count: number): Int32Array {
    const best = new Float32Array(this.references.length);
    const cover = (position: number): void => {
      const row = this.nearness(position);
      for (let i = 0; i < best.length; i++) if (row[i]! > best[i]!) best[i] = row[i]!;
    };
    decided.forEach(cover);
    const left = new Set(positions);
    const chosen: number[] = [];
    while (chosen.length < count && left.size > 0) {
      let most = 0;
      let next = -1;
      for (const position of left) {
        const gain = gainOf(this.nearness(position), best);
        if (gain > most) [most, next] = [gain, position];
      }
      if (next < 0) break;
      left.delete(next);
      chosen.push(next);
      cover(next);
    }
    return Int32Array.from([...chosen, ...left]);
  }
}

function gainOf(row: Float32Array, best: Float32Array): number {
  let gain = 0;
  for (let i = 0; i < row.length; i++) if (row[i]! > best[i]!) gain += row[i]! - best[i]!;
  return gain;
}
