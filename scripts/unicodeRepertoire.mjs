// Writes src/core/text/repertoire.ts: the code points that the tokenizer knows.
//   npm i --no-save @unicode/unicode-9.0.0 && node scripts/unicodeRepertoire.mjs
// Run it again only for a new form of tokenizer.json: each change of the list changes the ids of every trained model.
import { writeFileSync } from 'node:fs';

const unassigned = new Set((await import('@unicode/unicode-9.0.0/General_Category/Unassigned/code-points.mjs')).default);
const categories = await Promise.all(
  ['Letter', 'Mark', 'Number'].map(async (name) => [name, new Set((await import(`@unicode/unicode-9.0.0/General_Category/${name}/code-points.mjs`)).default)]),
);
const isNow = { Letter: /\p{L}/u, Mark: /\p{M}/u, Number: /\p{N}/u };

// Emoji and Han that later versions add have no decomposition, no case and no combining class: safe to let through.
const open = [
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0x1f300, 0x1faff],
  [0x20000, 0x2f7ff],
  [0x30000, 0x3fffd],
];

function known(code) {
  if (open.some(([first, last]) => code >= first && code <= last)) return true;
  if (code === 0 || (code >= 0xd800 && code <= 0xdfff) || unassigned.has(code)) return false;
  const character = String.fromCodePoint(code);
  // a character that has moved between letters, marks and numbers since would be read differently by different engines
  return categories.every(([name, members]) => members.has(code) === isNow[name].test(character));
}

const numbers = [];
let position = 0;
for (let code = 0; code <= 0x10ffff; code++) {
  if (!known(code)) continue;
  let end = code + 1;
  while (end <= 0x10ffff && known(end)) end++;
  numbers.push((code - position).toString(36), (end - code).toString(36));
  position = end;
  code = end;
}
const lines = [''];
for (const number of numbers) {
  if (lines.at(-1).length + number.length > 130) lines.push('');
  lines[lines.length - 1] += `${number} `;
}
lines[lines.length - 1] = lines.at(-1).trimEnd();
writeFileSync(
  'src/core/text/repertoire.ts',
  `// Written by scripts/unicodeRepertoire.mjs; do not edit.

/**
 * The code points that the tokenizer knows, as ranges in order: by turns a gap and a length, in base 36, counted from 0.
 *
 * They are those assigned in Unicode 9.0, the version of the normalizer inside Hugging Face's \`tokenizers\`, and the blocks of Han and emoji whole.
 * All other code points count as a space, so that text gives the same ids whatever version of Unicode an engine knows.
 */
export const repertoire =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`,
);
