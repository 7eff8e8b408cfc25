/**
 * TF-IDF and logistic regression, the baseline that any model of few labels has to be compared with: sublinear term frequencies, smooth inverse document frequencies over the whole pool (unlabelled texts
 * included, which is to its advantage), rows of unit norm, terms in at least two texts; words and pairs of words, or for Chinese 1 to 3 characters. Multinomial logistic regression with L2, its strength
 * chosen by 4-fold cross-validation on the labels at hand.
 */
import { minimizeNow, type Objective } from '../../src/core/util/minimize';
import { Random } from '../../src/core/util/random';

/** Inverse strengths C that cross-validation chooses from; of equally good ones the first. */
const strengths = [10, 1, 100, 1000];
const folds = 4;
/** Rows that the strength is chosen on at most. */
const mostOfChoice = 1000;

/** A row of the term matrix: columns and values. */
interface SparseRow {
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

export class TermMatrix {
  readonly rows: readonly SparseRow[];
  readonly terms: number;

  /**
   * @param from which texts document frequencies are taken of: the first `rows`, and how often a term has to occur in them. By default all, twice
   */
  constructor(texts: readonly string[], from: { readonly rows: number; readonly minimum: number } = { rows: texts.length, minimum: 2 }) {
    const isChinese = texts.slice(0, 500).filter((text) => /\p{Script=Han}/u.test(text)).length > 250;
    const counted = texts.map((text) => count(isChinese ? characterTerms(text) : wordTerms(text)));
    const documents = new Map<string, number>();
    for (const terms of counted.slice(0, from.rows)) for (const term of terms.keys()) documents.set(term, (documents.get(term) ?? 0) + 1);
    const columns = new Map<string, number>();
    for (const [term, frequency] of documents) if (frequency >= from.minimum) columns.set(term, columns.size);
    this.terms = columns.size;
    this.rows = counted.map((terms) => {
      const known = [...terms].filter(([term]) => columns.has(term));
      const values = known.map(([term, times]) => (1 + Math.log(times)) * (1 + Math.log((1 + from.rows) / (1 + documents.get(term)!))));
      const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) || 1;
      return { columns: Int32Array.from(known, ([term]) => columns.get(term)!), values: Float64Array.from(values, (value) => value / norm) };
    });
  }
}

function wordTerms(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_']+/gu) ?? [];
  return [...words, ...words.slice(1).map((word, i) => `${words[i]!} ${word}`)];
}

function characterTerms(text: string): string[] {
  const characters = [...text.toLowerCase().replace(/\s+/g, ' ')];
  return [1, 2, 3].flatMap((size) => characters.slice(size - 1).map((_, i) => characters.slice(i, i + size).join('')));
}

function count(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

/** Share of the `test` rows that the baseline gets right after learning from `training`. @param truth label of each row of the matrix */
export function tfidfAccuracy(matrix: TermMatrix, truth: readonly number[], labels: number, training: readonly number[], test: readonly number[]): number {
  return tfidfGuesses(matrix, truth, labels, training, test).filter((guess, at) => guess === truth[test[at]!]).length / test.length;
}

/** What the baseline guesses for the `test` rows after learning from `training`: indices of labels. */
export function tfidfGuesses(matrix: TermMatrix, truth: readonly number[], labels: number, training: readonly number[], test: readonly number[]): number[] {
  const shuffled = new Random(training.length).shuffle([...training]).slice(0, mostOfChoice);
  let best = { strength: strengths[0]!, right: -1 };
  for (const strength of strengths) {
    let right = 0;
    for (let fold = 0; fold < folds; fold++) {
      const held = shuffled.filter((_, i) => i % folds === fold);
      right += rightOf(learn(matrix, truth, labels, shuffled.filter((_, i) => i % folds !== fold), strength), matrix, truth, held);
    }
    if (right > best.right) best = { strength, right };
  }
  return guessesOf(learn(matrix, truth, labels, training, best.strength), matrix, test);
}

interface Model {
  readonly labels: number;
  /** Place in the weights of each column that was learned. */
  readonly places: ReadonlyMap<number, number>;
  /** [places, labels], then biases [labels]. */
  readonly weights: Float64Array;
}

function rightOf(model: Model, matrix: TermMatrix, truth: readonly number[], rows: readonly number[]): number {
  return guessesOf(model, matrix, rows).filter((guess, at) => guess === truth[rows[at]!]).length;
}

function guessesOf({ labels, places, weights }: Model, matrix: TermMatrix, rows: readonly number[]): number[] {
  return rows.map((row) => {
    const logits = weights.slice(places.size * labels);
    const { columns, values } = matrix.rows[row]!;
    columns.forEach((column, i) => {
      const place = places.get(column);
      if (place !== undefined) for (let k = 0; k < labels; k++) logits[k]! += values[i]! * weights[place * labels + k]!;
    });
    return logits.indexOf(Math.max(...logits));
  });
}

function learn(matrix: TermMatrix, truth: readonly number[], labels: number, training: readonly number[], strength: number): Model {
  const places = new Map<number, number>();
  for (const row of training) for (const column of matrix.rows[row]!.columns) if (!places.has(column)) places.set(column, places.size);
  const rows = training.map((row) => ({ places: Int32Array.from(matrix.rows[row]!.columns, (column) => places.get(column)!), values: matrix.rows[row]!.values, label: truth[row]! }));
  const objective: Objective = {
    size: (places.size + 1) * labels,
    evaluate: (point, gradient) => {
      const biases = places.size * labels;
      gradient.fill(0);
      let loss = 0;
      const errors = new Float64Array(labels);
      for (const { places: at, values, label } of rows) {
        for (let k = 0; k < labels; k++) errors[k] = point[biases + k]!;
        for (let i = 0; i < at.length; i++) for (let k = 0; k < labels; k++) errors[k]! += values[i]! * point[at[i]! * labels + k]!;
        const largest = Math.max(...errors);
        const total = largest + Math.log(errors.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
        loss += strength * (total - errors[label]!);
        for (let k = 0; k < labels; k++) errors[k] = strength * (Math.exp(errors[k]! - total) - (k === label ? 1 : 0));
        for (let i = 0; i < at.length; i++) for (let k = 0; k < labels; k++) gradient[at[i]! * labels + k]! += values[i]! * errors[k]!;
        for (let k = 0; k < labels; k++) gradient[biases + k]! += errors[k]!;
      }
      // biases go free, but for a trifle that keeps them finite
      for (let i = 0; i < objective.size; i++) {
        const penalty = i < biases ? 1 : 1e-3;
        loss += (penalty / 2) * point[i]! ** 2;
        gradient[i]! += penalty * point[i]!;
      }
      return loss;
    },
  };
  const weights = new Float64Array(objective.size);
  minimizeNow(objective, weights, { evaluations: 200, tolerance: 1e-3 });
  return { labels, places, weights };
}
