import * as path from 'node:path';
import { openVsCode } from './ui';

/** The pictures of the README: what stands in the window, and what must be on screen before it is taken. */
const pictures = [
  { name: 'prose', file: 'travel-diary.md', annotation: 'lens' },
  { name: 'reviews', file: 'reviews-en.csv', annotation: 'line' },
  { name: 'reviews-zh', file: 'reviews-zh.csv', annotation: 'line' },
] as const;

const folder = process.argv[2] ?? path.join('build', 'screenshots');
// what a reader looks for must fit into a picture: long rows wrap, and no minimap lies over them
const settings = { 'editor.wordWrap': 'on', 'editor.minimap.enabled': false };
const window = await openVsCode({ size: { width: 1280, height: 720 }, scale: 2, settings });
try {
  for (const { name, file, annotation } of pictures) {
    await window.openFile(file);
    if (annotation === 'lens') await window.waitForCodeLens(/\d+\s?%/);
    else await window.waitForLineAnnotation(/\d+\s?%/);
    await window.settle();
    console.log(await window.screenshot(path.join(folder, `${name}.png`)));
  }
} finally {
  await window.close();
}
