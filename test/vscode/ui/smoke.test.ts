import * as assert from 'node:assert';
import { openVsCode, type VsCodeWindow } from '../ui';

describe('what a person sees first', () => {
  let window: VsCodeWindow;
  before(async () => {
    window = await openVsCode({ file: 'notes.txt' });
  });
  after(() => window.close());

  it('is a prediction above each paragraph of the open document', async () => {
    await window.waitForCodeLens(/(positive|negative)\D*\d+\s?%/);
    await window.screenshot('notes');
    assert.ok((await window.codeLenses().count()) >= 3);
  });

  it('is another document, after it is opened', async () => {
    await window.openFile('travel-diary.md');
    await window.waitForCodeLens(/(positive|negative)\D*\d+\s?%/);
    await window.screenshot('travel-diary');
  });

  it('is an answer to a command of the palette', async () => {
    await window.runCommand('Label Lens: Classify Selection');
    await window.screenshot('classify-selection');
  });
});
