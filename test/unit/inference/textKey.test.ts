import * as assert from 'node:assert';
import { textKey } from '../../../src/inference/textKey';

describe('textKey', () => {
  it('tells texts apart that differ little', () => {
    const texts = new Set<string>();
    for (let a = 0; a < 100; a++) {
      for (let b = 0; b < 100; b++) {
        texts.add(String.fromCharCode(a, b));
        texts.add(`row ${a} of column ${b}`);
        texts.add(`${'x'.repeat(a)}y${'x'.repeat(b)}`);
      }
    }
    assert.strictEqual(new Set([...texts].map(textKey)).size, texts.size);
  });
});
