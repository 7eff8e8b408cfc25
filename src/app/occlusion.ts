import type { WordWeight } from '../core/labels/view';
import { Tokenizer } from '../core/text/tokenizer';

/** Pieces of a text that are left out one at a time. A longer text is cut into as many pieces of several words. */
const mostSpans = 200;

/** A piece of a text: UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Scores of one label (or the value, for `number`) for each of some texts. */
export type ScoreTexts = (texts: readonly string[]) => Promise<ArrayLike<number>>;

/**
 * The words that decided, by occlusion (Zeiler & Fergus 2014; for texts Li, Monroe & Jurafsky 2016): the score of the text, less the score without the word. All texts are scored in one request.
 *
 * @param score of the label that was guessed, 0..1
 * @returns in the order of the text; each weight in -1..1, above 0 where the word speaks for the guess
 */
export async function explainByOcclusion(text: string, score: ScoreTexts): Promise<readonly WordWeight[]> {
  const spans = occlusionSpans(text);
  if (spans.length === 0) return [];
  const scores = await score([text, ...spans.map(({ start, end }) => `${text.slice(0, start)} ${text.slice(end)}`)]);
  const whole = scores[0] ?? 0;
  return spans.map(({ start, end }, index) => ({ start, end, weight: Math.max(-1, Math.min(1, whole - (scores[index + 1] ?? whole))) }));
}

/** The words of a text as models read them, or pieces of several words where there are too many. Punctuation and blanks between them belong to none. */
export function occlusionSpans(text: string, most = mostSpans): readonly Span[] {
  const words: Span[] = [];
  for (const { start, end } of reader.tokens(text)) {
    // tokens of one character, such as ½, share their range
    if ((words.at(-1)?.end ?? 0) <= start) words.push({ start, end });
  }
  const size = Math.ceil(words.length / most);
  if (size <= 1) return words;
  const spans: Span[] = [];
  for (let i = 0; i < words.length; i += size) {
    const first = words[i];
    const last = words[Math.min(i + size, words.length) - 1];
    if (first && last) spans.push({ start: first.start, end: last.end });
  }
  return spans;
}

/** Only cuts texts; the vocabulary does not matter for that. */
const reader = Tokenizer.build([], { minFrequency: 1, maxVocabulary: 2, maxTokens: 1 });
