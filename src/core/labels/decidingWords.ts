import type { WordWeight } from './view';

/** A word as it stands in the text. */
export interface DecidingWord {
  readonly text: string;
  /** As in {@link WordWeight}. */
  readonly weight: number;
}

/** Weights below this show as nothing: 0.1 per cent, rounded. */
const least = 0.0005;

/** The words that speak most for a guess and those that speak most against it, the weightiest first. @param most words of either kind */
export function decidingWords(text: string, weights: readonly WordWeight[], most: number): { readonly pro: readonly DecidingWord[]; readonly contra: readonly DecidingWord[] } {
  const side = (sign: 1 | -1): readonly DecidingWord[] =>
    weights
      .filter(({ weight }) => weight * sign >= least)
      .sort((one, other) => Math.abs(other.weight) - Math.abs(one.weight))
      .slice(0, most)
      .map(({ start, end, weight }) => ({ text: text.slice(start, end), weight }));
  return { pro: side(1), contra: side(-1) };
}
