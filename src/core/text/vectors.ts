import { CancelledError, HumanError } from '../errors';
import type { AbortSignalLike } from '../protocol/rpc';
import { joinBytes } from '../util/bytes';
import { normalizePiece } from './characters';

/** Vectors that were learned elsewhere, of words in the form of our vocabularies. */
export interface WordVectors {
  /** Numbers of a vector. */
  readonly size: number;
  /** Each once. */
  readonly words: readonly string[];
  /** [words × size], finite. */
  readonly values: Float32Array;
}

/** Upper bounds of what a file may hold; a line is no longer than the widest vector needs. */
export const vectorLimits = { size: 1024, lineBytes: 256 * 1024 } as const;

/** So many unreadable lines, if they are more than half of all, are no file of vectors. */
const mostDefects = 1000;

export interface VectorRequest {
  /** The file's bytes, unpacked. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** For messages. */
  readonly fileName: string;
  /** Tokens of a vocabulary; vectors of other words are passed over, so that a file of gigabytes takes no memory. */
  readonly wanted: ReadonlySet<string>;
  readonly signal?: AbortSignalLike;
  /** Called after each piece of the file. */
  readonly onProgress?: () => void;
  /** Called for each line that is left out, and for a file that is shorter than it says. */
  readonly onDefect?: (defect: HumanError) => void;
}

/**
 * Reads word vectors in the text formats of GloVe (`word v1 … vN` a line), word2vec and fastText's `.vec` (the same after a line `count size`), UTF-8. A word is all that stands before the last N fields, so it may hold spaces.
 *
 * A word counts for the token that it is, else for the one that it becomes when it is normalized as texts are (NFKC, lower case): `The` for `the` where the file has no `the`. Of several the first counts. Numbers are
 * looked at only in lines that are wanted.
 *
 * @throws HumanError `vectors.format`, `vectors.binary`, `vectors.line`, `vectors.size` when it is no such file; `vectors.none` when no word is wanted; CancelledError
 */
export async function readVectors({ chunks, fileName, wanted, signal, onProgress, onDefect }: VectorRequest): Promise<WordVectors> {
  const lines = new VectorLines(fileName, wanted, onDefect ?? (() => undefined));
  // the beginning of a line whose end has not come yet
  let begun: Uint8Array[] = [];
  let length = 0;
  const complete = (end: Uint8Array): void => {
    lines.read(begun.length === 0 ? end : joinBytes([...begun, end]));
    begun = [];
    length = 0;
  };
  for await (const chunk of chunks) {
    if (signal?.aborted) throw new CancelledError();
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      complete(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) {
      begun.push(chunk.subarray(start));
      length += chunk.length - start;
    }
    if (length > vectorLimits.lineBytes) throw lines.tooLong();
    onProgress?.();
  }
  if (length > 0) complete(new Uint8Array(0));
  return lines.finish();
}

const newline = 0x0a;
const [tab, carriageReturn, space] = [0x09, 0x0d, 0x20];
const isBlank = (byte: number | undefined): boolean => byte === space || byte === tab;

/** A field that only a vector has: with a fraction or an exponent, as hardly any word ends. */
const component = /^[+-]?\d*(\.\d+|\d(\.\d*)?[eE][+-]?\d+)$/;

class VectorLines {
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private readonly ascii = new TextDecoder('latin1');
  private readonly found = new Map<string, { readonly values: Float32Array; readonly isExact: boolean }>();
  private line = 0;
  /** Lines with a word. */
  private words = 0;
  private defects = 0;
  private size: number | undefined;
  /** Words that the first line tells of. */
  private declared: number | undefined;

  constructor(
    private readonly fileName: string,
    private readonly wanted: ReadonlySet<string>,
    private readonly onDefect: (defect: HumanError) => void,
  ) {}

  /** @param bytes a line without its end */
  read(bytes: Uint8Array): void {
    this.line++;
    if (bytes.length > vectorLimits.lineBytes) throw this.tooLong();
    let from = 0;
    // a byte order mark is part of no word
    if (this.line === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) from = 3;
    let end = bytes.length;
    while (end > from && (isBlank(bytes[end - 1]) || bytes[end - 1] === carriageReturn)) end--;
    if (end === from) return;
    const line = bytes.subarray(from, end);
    if (this.size === undefined) {
      const fields = this.ascii.decode(line).split(/[ \t]+/);
      if (fields.length === 2 && fields.every((field) => /^\d{1,12}$/.test(field))) {
        this.declared = Number(fields[0]);
        this.size = this.checkSize(Number(fields[1]));
        return;
      }
      let numbers = 0;
      // a word may be a number too
      while (numbers < fields.length - 1 && Number.isFinite(Number(fields.at(-1 - numbers)))) numbers++;
      this.size = this.checkSize(numbers);
    }
    this.readWord(line, this.size);
  }

  finish(): WordVectors {
    if (this.size === undefined) throw this.noVectors();
    const { size, found } = this;
    if (this.declared !== undefined && this.words < this.declared)
      this.onDefect(
        new HumanError('vectors.short', '{0} should have {1} words, as its first line says, and has {2}. It may not have been copied whole.', [this.fileName, this.declared, this.words]),
      );
    if (found.size === 0)
      throw new HumanError('vectors.none', '{0} has a vector for none of the {1} words of the texts to train on ({2} lines were read). Choose vectors in the language of the texts.', [this.fileName, this.wanted.size, this.line]);
    const values = new Float32Array(found.size * size);
    [...found.values()].forEach((vector, row) => values.set(vector.values, row * size));
    return { size, words: [...found.keys()], values };
  }

  tooLong(): HumanError {
    return new HumanError('vectors.line', '{0}, line {1}, has more than {2} bytes, so this is no text file of word vectors. Save the vectors in the text format of GloVe, word2vec or fastText (.vec), and choose that file.', [
      this.fileName,
      Math.max(1, this.line),
      vectorLimits.lineBytes,
    ]);
  }

  private checkSize(size: number): number {
    if (size === 0) throw this.noVectors();
    if (size > vectorLimits.size)
      throw new HumanError('vectors.size', '{0} has vectors of {1} numbers, more than the {2} that Label Lens takes. Choose narrower ones.', [this.fileName, size, vectorLimits.size]);
    return size;
  }

  private noVectors(): HumanError {
    return new HumanError(
      'vectors.format',
      '{0} is no text file of word vectors: it should begin with a word and its numbers, or with the count of the words and the size of the vectors. Choose a file in the format of GloVe, word2vec or fastText (.vec).',
      [this.fileName],
    );
  }

  private readWord(line: Uint8Array, size: number): void {
    const at = [this.fileName, this.line] as const;
    // back over the vector
    let start = line.length;
    let wordEnd = line.length;
    for (let field = 0; field < size && wordEnd > 0; field++) {
      start = wordEnd;
      while (start > 0 && !isBlank(line[start - 1])) start--;
      wordEnd = start;
      while (wordEnd > 0 && isBlank(line[wordEnd - 1])) wordEnd--;
    }
    if (wordEnd === 0) {
      // a word of white space is a word all the same
      if (isBlank(line[0])) this.words++;
      else this.leaveOut(line, new HumanError('vectors.width', '{0}, line {1}, has fewer than {2} numbers after its word and was left out.', [...at, size]));
      return;
    }
    let word: string;
    try {
      word = this.utf8.decode(line.subarray(0, wordEnd));
    } catch {
      return this.leaveOut(line, new HumanError('vectors.encoding', '{0}, line {1}: the word is not in UTF-8 and was left out.', at));
    }
    if (/[ \t]/.test(word) && component.test(word.replace(/^.*[ \t]/s, '')))
      return this.leaveOut(line, new HumanError('vectors.width', '{0}, line {1}, has more than {2} numbers after its word and was left out.', [...at, size]));
    this.words++;
    const isExact = this.wanted.has(word);
    // most words are ASCII in lower case, and nothing else for us
    const token = isExact || !/[^\x21-\x40\x5b-\x7e]/.test(word) ? word : normalizePiece(word);
    if (!isExact && !this.wanted.has(token)) return;
    const known = this.found.get(token);
    if (known && (known.isExact || !isExact)) {
      if (isExact) this.leaveOut(line, new HumanError('vectors.twice', '{0}, line {1}: the word {2} stands in the file twice; its first vector counts.', [...at, word.slice(0, 100)]));
      return;
    }
    const values = Float32Array.from(this.ascii.decode(line.subarray(start)).split(/[ \t]+/), Number);
    if (!values.every(Number.isFinite)) return this.leaveOut(line, new HumanError('vectors.number', '{0}, line {1}: the vector of {2} has something that is no finite number, and was left out.', [...at, word.slice(0, 100)]));
    this.found.set(token, { values, isExact });
  }

  private leaveOut(line: Uint8Array, defect: HumanError): void {
    if (line.includes(0))
      throw new HumanError('vectors.binary', '{0} is a binary file. Save the vectors in the text format of GloVe, word2vec or fastText (.vec), and choose that file.', [this.fileName]);
    this.defects++;
    this.onDefect(defect);
    if (this.defects > mostDefects && this.defects > this.line / 2) throw this.noVectors();
  }
}
