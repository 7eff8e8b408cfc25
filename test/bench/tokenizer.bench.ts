// Speed of the tokenizer on one core, in MB of UTF-8 per second of CPU time; the median of several runs.
//   npx esbuild test/bench/tokenizer.bench.ts --bundle --platform=node --format=cjs | node - [text file …]
import { readFileSync } from 'node:fs';
import { segment } from '../../src/core/text/segment';
import { Tokenizer } from '../../src/core/text/tokenizer';
import { Random } from '../../src/core/util/random';

const random = new Random(1);

/** Words with the frequencies of Zipf's law; `make` gives the word of a rank. */
function prose(count: number, join: string, make: (rank: number) => string, ends: readonly string[]): string {
  const sentences: string[] = [];
  for (let i = 0; i < count; i++) {
    const words = Array.from({ length: 5 + random.below(25) }, () => make(Math.floor(Math.exp(random.float() * Math.log(20_000)))));
    sentences.push(words.join(join) + ends[random.below(ends.length)]!);
  }
  return sentences.join(join);
}

const syllables = ['ta', 'ri', 'on', 'es', 'mo', 'the', 'in', 'al', "n't", 'pre'];
const english = (rank: number): string => {
  let word = '';
  for (let rest = rank; rest > 0; rest = Math.floor(rest / syllables.length)) word += syllables[rest % syllables.length]!;
  return rank % 13 === 0 ? word[0]!.toUpperCase() + word.slice(1) : word;
};
const texts: [string, string][] = [
  ['English', prose(20_000, ' ', english, ['. ', '! ', ', ', '... ', '? :) '])],
  ['Chinese', prose(20_000, '', (rank) => String.fromCharCode(0x4e00 + ((rank * 7919) % 20_000)), ['。', '，', '！！', '……'])],
  ['French', prose(20_000, ' ', (rank) => `${english(rank)}é`, ['. ', ' ! ', ' : '])],
  ['accents apart', prose(20_000, ' ', (rank) => `${english(rank)}e\u0301`, ['. '])],
  ['emoji', prose(20_000, ' ', (rank) => (rank % 3 === 0 ? '😀👍🏽' : english(rank)), ['❤️ '])],
  ...process.argv.slice(2).map((file): [string, string] => [file, readFileSync(file, 'utf8')]),
];

const bytes = (text: string): number => Buffer.byteLength(text);

function speed(size: number, run: () => void): string {
  const seconds: number[] = [];
  for (let i = 0; i < 7; i++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    seconds.push((user + system) / 1e6);
  }
  return `${(size / 1e6 / seconds.sort((a, b) => a - b)[3]!).toFixed(0).padStart(5)} MB/s`;
}

for (const [name, text] of texts) {
  // texts of 500 units, as short reviews are, and one of all
  const pieces = Array.from({ length: Math.ceil(text.length / 500) }, (_, i) => text.slice(i * 500, i * 500 + 500));
  const tokenizer = Tokenizer.build(pieces, { minFrequency: 2, maxVocabulary: 20_000, maxTokens: 400 });
  const size = bytes(text);
  console.log(
    [
      name.padEnd(14).slice(-40),
      `encode ${speed(size, () => pieces.forEach((piece) => tokenizer.encode(piece)))}`,
      `whole ${speed(size, () => tokenizer.encode(text))}`,
      `tokens ${speed(size, () => pieces.forEach((piece) => tokenizer.tokens(piece)))}`,
      `build ${speed(size, () => Tokenizer.build(pieces, { minFrequency: 2, maxVocabulary: 20_000, maxTokens: 400 }))}`,
      ...(['paragraph', 'sentence', 'line'] as const).map((unit) => `${unit} ${speed(size, () => segment(text, unit))}`),
    ].join('  '),
  );
}
