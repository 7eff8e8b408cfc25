import type { LabeledText } from '../../src/app/labeledRows';
import { stratifiedSample } from '../../src/core/labels/split';
import { HumanError } from '../../src/core/errors';
import { Random } from '../../src/core/util/random';

/** Texts with one set's labels, from which nothing is learned. */
export interface ScoredSet {
  readonly name: string;
  readonly rows: readonly LabeledText[];
}

export interface ForgettingOptions<Model> {
  readonly base: Model;
  /** What the base was made for: rows that it was not trained on. */
  readonly own: readonly ScoredSet[];
  /** Where new labels come from. All have the base's labels. */
  readonly domains: readonly { readonly name: string; readonly training: readonly LabeledText[]; readonly test: readonly LabeledText[] }[];
  readonly seeds: readonly number[];
  /** As a person would update a model with these rows. @throws HumanError where that is refused: the model stays as it is */
  readonly update: (from: Model, rows: readonly LabeledText[], seed: number) => Promise<Model>;
  /** Share of each part's rows that the model gets right, 0..1. */
  readonly accuracies: (model: Model, parts: readonly (readonly LabeledText[])[]) => Promise<readonly number[]>;
  readonly print: (line: string) => void;
}

/** Labels that come at once, and how often they come. */
const atOnce = 20;
const updates = 6;

/** In which order 120 labels of a domain come; of two labels, drawn alike. */
const orders: readonly { readonly name: string; readonly arrange: (rows: readonly LabeledText[], seed: number) => LabeledText[] }[] = [
  { name: 'mixed', arrange: (rows, seed) => stratifiedSample(rows, atOnce * updates, ({ label }) => label, seed) },
  { name: 'one class, then the other', arrange: (rows, seed) => classes(rows, seed).flatMap((own) => own.slice(0, (atOnce * updates) / 2)) },
  { name: '118 : 2', arrange: (rows, seed) => new Random(seed).shuffle(classes(rows, seed).flatMap((own, at) => own.slice(0, at === 0 ? 118 : 2))) },
  { name: 'one class only', arrange: (rows, seed) => (classes(rows, seed)[0] ?? []).slice(0, atOnce * updates) },
];

/** The rows of the two most frequent labels, each shuffled; which comes first changes from seed to seed. */
function classes(rows: readonly LabeledText[], seed: number): LabeledText[][] {
  const byLabel = new Map<string, LabeledText[]>();
  for (const row of rows) byLabel.set(row.label, [...(byLabel.get(row.label) ?? []), row]);
  const two = [...byLabel.values()].sort((a, b) => b.length - a.length).slice(0, 2);
  if (seed % 2 === 0) two.reverse();
  return two.map((own) => new Random(seed).shuffle([...own]));
}

/** How labels so far become a model: all of them from the base anew, as the extension does it, or the latest alone on top of the last model, as somebody may who has nothing else. */
const ways = ['all so far, from the base', 'the latest alone, on the last model'] as const;

/** How a model did after an update: own sets in their order, then the domain. */
type Scores = readonly number[];

/**
 * Prints what a base forgets of its own sets while labels of another domain come, 20 at a time: points lost on average and on the set that loses most, at the end and at the worst moment, and what the domain gains.
 */
export async function forgetting<Model>({ base, own, domains, seeds, update, accuracies, print }: ForgettingOptions<Model>): Promise<void> {
  const ownRows = own.map(({ rows }) => rows);
  const ownScores = await accuracies(base, ownRows);
  print(`\n## Forgetting: points that the base loses on its own sets while ${atOnce * updates} labels of another domain come, ${atOnce} at a time; mean of ${seeds.length} seeds\n`);
  print(`The base before: ${own.map(({ name, rows }, at) => `${name} ${percent(ownScores[at] ?? NaN)} (${rows.length} rows)`).join(', ')}.\n`);
  print('| domain | order | learned from | own sets, at the end | the one that loses most | own sets, at the worst moment | domain before → after | refused | s per update (most) |\n|---|---|---|---|---|---|---|---|---|');
  for (const { name, training, test } of domains) {
    const before: Scores = [...ownScores, ...(await accuracies(base, [test]))];
    for (const order of orders) {
      for (const way of ways) {
        const ends: Scores[] = [];
        const worst: number[] = [];
        const seconds: number[] = [];
        let refused = 0;
        for (const seed of seeds) {
          const rows = order.arrange(training, seed);
          let model = base;
          let scores: Scores = before;
          let lost = 0;
          for (let count = atOnce; count <= rows.length; count += atOnce) {
            const began = performance.now();
            try {
              model = way === ways[0] ? await update(base, rows.slice(0, count), seed) : await update(model, rows.slice(count - atOnce, count), seed);
            } catch (error) {
              if (!(error instanceof HumanError)) throw error;
              refused++;
              continue;
            }
            seconds.push((performance.now() - began) / 1000);
            scores = await accuracies(model, [...ownRows, test]);
            lost = Math.max(lost, mean(ownScores.map((score, at) => score - (scores[at] ?? NaN))));
          }
          ends.push(scores);
          worst.push(lost);
        }
        const losses = before.map((score, at) => score - mean(ends.map((end) => end[at] ?? NaN)));
        const ofOwn = losses.slice(0, -1);
        const most = ofOwn.indexOf(Math.max(...ofOwn));
        const domain = before.at(-1) ?? NaN;
        print(
          `| ${[name, order.name, way, percent(mean(ofOwn)), `${percent(ofOwn[most] ?? NaN)} (${own[most]?.name ?? ''})`, percent(mean(worst)), `${percent(domain)} → ${percent(domain - (losses.at(-1) ?? NaN))}`, `${refused} of ${updates * seeds.length}`, seconds.length === 0 ? '–' : `${mean(seconds).toFixed(2)} (${Math.max(...seconds).toFixed(2)})`].join(' | ')} |`,
        );
      }
    }
  }
}

const percent = (value: number): string => (100 * value).toFixed(1);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
