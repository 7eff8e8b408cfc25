import type { TrainRequest } from '../protocol/trainer';
import { Tokenizer } from './tokenizer';

/** Under so many rows each token enters the vocabulary, from there on those that occur three times. */
const rowsForRareTokens = 2000;

/** Texts between two looks at what has come in. */
const textsAtOnce = 500;

/**
 * The tokenizer of a model that is trained from scratch: another model's, if the request names one, else one with a vocabulary of the rows' texts. Host and trainer both call it, for the vectors of just its words.
 *
 * @param breathe lets the thread handle what has come in
 * @throws HumanError `tokenizer.…`
 */
export async function readTokenizer({ tokenizer, rows, hyperparameters }: Pick<TrainRequest, 'tokenizer' | 'rows' | 'hyperparameters'>, breathe: () => Promise<void>): Promise<Tokenizer> {
  if (tokenizer) return Tokenizer.fromJson(tokenizer.json, { maxTokens: tokenizer.maxTokens });
  const { minFrequency, vocabularySize, maxTokens } = hyperparameters;
  const learning = Tokenizer.learn();
  for (const [row, { text }] of rows.entries()) {
    learning.add(text);
    if ((row + 1) % textsAtOnce === 0) await breathe();
  }
  return learning.build({ minFrequency: minFrequency === 0 ? (rows.length < rowsForRareTokens ? 1 : 3) : minFrequency, maxVocabulary: vocabularySize, maxTokens });
}
