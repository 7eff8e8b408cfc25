import { HumanError } from '../errors';
import { normalizer, preTokenizer } from './characters';
import { firstPiecesWithoutSigns, maxTokenLength, mostPieces, piecePrefix, PieceVocabulary, specialTokens, WordVocabulary, type Vocabulary } from './vocabulary';

/** Largest tokenizer.json that is read. */
export const tokenizerLimits = { bytes: 32_000_000, tokens: 1_000_000, tokenLength: maxTokenLength } as const;

/**
 * tokenizer.json in the format of Hugging Face's `tokenizers`, UTF-8, one token a line.
 *
 * The special tokens are not `added_tokens`: those would be found in the text too, and a text that says `<pad>` holds just the word.
 */
export function formatTokenizerFile(vocabulary: Vocabulary): Uint8Array {
  const head = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: normalizerOf(vocabulary),
    pre_tokenizer: preTokenizerOf(vocabulary),
    post_processor: null,
    decoder: null,
  };
  const model = Object.entries(modelTypes[vocabulary.form]).map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  // by hand, because an object of ids would put the tokens that are numbers first
  const tokens = vocabulary.tokens.map((token, id) => `      ${JSON.stringify(token)}: ${id}`).join(',\n');
  return new TextEncoder().encode(`${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "model": {\n${model.join(',\n')},\n    "vocab": {\n${tokens}\n    },\n    "unk_token": "${specialTokens[1]}"\n  }\n}\n`);
}

/** Members of `model` by the form of the vocabulary. */
const modelTypes = {
  words: { type: 'WordLevel' },
  pieces: { type: 'WordPiece', continuing_subword_prefix: piecePrefix, max_input_chars_per_word: mostPieces },
} as const;

/** The normalizer that goes with a vocabulary: word pieces have steps of their own, after those that all share. */
function normalizerOf({ alphabet }: Vocabulary): object {
  return alphabet === undefined ? normalizer : { ...normalizer, normalizers: [...normalizer.normalizers, ...alphabet.steps()] };
}

const preTokenizerOf = ({ alphabet }: Vocabulary): object => preTokenizer(alphabet?.hasSigns ?? false);

/**
 * Reads a tokenizer.json that may come from anywhere. Only what {@link formatTokenizerFile} writes is taken, in any layout: a pattern from elsewhere could take for ever.
 * @throws HumanError `tokenizer.…` if it is anything else
 */
export function parseTokenizerFile(bytes: Uint8Array): Vocabulary {
  if (bytes.length > tokenizerLimits.bytes) {
    throw new HumanError('tokenizer.size', 'tokenizer.json has {0} bytes, more than the {1} that are allowed. Use a model with a smaller vocabulary.', [
      bytes.length,
      tokenizerLimits.bytes,
    ]);
  }
  const file = parseJson(bytes);
  if (!isRecord(file)) throw damaged('not an object');
  const model = file.model;
  if (!isRecord(model)) throw damaged('model is missing');
  const form = model.type === 'WordPiece' ? 'pieces' : 'words';
  for (const [key, expected] of Object.entries({ ...modelTypes[form], unk_token: specialTokens[1] })) if (model[key] !== expected) throw foreign(`model.${key}`);
  for (const key of ['post_processor', 'truncation', 'padding', 'decoder']) if ((file[key] ?? null) !== null) throw foreign(key);
  if (!equal(file.added_tokens ?? [], [])) throw foreign('added_tokens');
  const tokens = parseVocabulary(model.vocab, form === 'words' ? specialTokens : firstPiecesWithoutSigns);
  const vocabulary = form === 'words' ? new WordVocabulary(tokens) : new PieceVocabulary(tokens);
  if (!equal(file.normalizer, normalizerOf(vocabulary))) throw foreign('normalizer');
  if (!equal(file.pre_tokenizer, preTokenizerOf(vocabulary))) throw foreign('pre_tokenizer');
  return vocabulary;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    throw damaged('not JSON in UTF-8', error);
  }
}

/** @param first tokens that have to stand at the places that they have there */
function parseVocabulary(vocabulary: unknown, first: readonly string[]): string[] {
  if (!isRecord(vocabulary)) throw damaged('model.vocab is missing');
  const entries = Object.entries(vocabulary);
  if (entries.length > tokenizerLimits.tokens) {
    throw new HumanError('tokenizer.vocabulary', 'tokenizer.json has {0} tokens, more than the {1} that are allowed. Use a model with a smaller vocabulary.', [
      entries.length,
      tokenizerLimits.tokens,
    ]);
  }
  const tokens = new Array<string | undefined>(entries.length).fill(undefined);
  for (const [token, id] of entries) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= tokens.length || tokens[id] !== undefined) {
      throw damaged(`the ids of model.vocab are not the numbers from 0 to ${entries.length - 1}, each once`);
    }
    if (token.length === 0 || token.length > tokenizerLimits.tokenLength) throw damaged(`token ${id} of model.vocab is empty or longer than ${tokenizerLimits.tokenLength} characters`);
    if (/\p{Surrogate}/u.test(token)) throw damaged(`token ${id} of model.vocab is not well-formed Unicode`);
    tokens[id] = token;
  }
  first.forEach((token, id) => {
    if (tokens[id] !== token) throw damaged(`token ${id} of model.vocab is not ${token}`);
  });
  return tokens as string[];
}

const damaged = (why: string, cause?: unknown): HumanError =>
  new HumanError('tokenizer.damaged', 'tokenizer.json cannot be read ({0}). Copy or export the model again.', [why], cause === undefined ? undefined : { cause });

const foreign = (part: string): HumanError =>
  new HumanError('tokenizer.foreign', 'tokenizer.json has a "{0}" that Label Lens does not write. Use a model that Label Lens has exported, and leave its tokenizer.json as it is.', [part]);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Deep equality of JSON values; members in any order. */
function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => equal(value, b[i]));
  if (isRecord(a) && isRecord(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
  }
  return a === b;
}
