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
  // the panel, with texts labelled as a person would who finds most guesses right
  await window.openFile('reviews-en.csv');
  await window.runCommand('Label Lens: Create Task');
  for (const question of ['1/3', '2/3', '3/3']) {
    await window.page.locator('.quick-input-title', { hasText: question }).waitFor();
    await window.quickPick().first().waitFor();
    await window.page.keyboard.press('Enter');
  }
  const text = window.webview().locator('#item-text');
  await text.filter({ hasText: /\w/ }).waitFor();
  for (let decided = 0; decided < 24; decided++) {
    const shown = (await text.textContent()) ?? '';
    await window.page.keyboard.press(/not|never|broke|stopp|disappoint|slow|loud|rude|late|worst|poor|return/i.test(shown) ? '1' : '2');
    await text.filter({ hasNotText: shown }).waitFor();
  }
  await window.settle();
  console.log(await window.screenshot(path.join(folder, 'labeling.png')));
} finally {
  await window.close();
}
