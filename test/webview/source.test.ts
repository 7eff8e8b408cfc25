import * as assert from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { panelStrings } from '../../src/core/protocol/panelStrings';
import { trainingPanelStrings } from '../../src/core/protocol/trainingPanelStrings';

const files = readdirSync('webview', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const sources = files.map((name) => [name, readFileSync(path.join('webview', name), 'utf8')] as const);

describe('the source of the page', () => {
  it('never makes markup of text, sets no style attribute and evaluates nothing', () => {
    assert.ok(files.length > 15);
    for (const [name, source] of sources) assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|style=|\beval\(|new Function/, name);
  });

  it('parses nothing but figures, which are looked through before they are shown', () => {
    const parsing = sources.filter(([, source]) => source.includes('DOMParser')).map(([name]) => name.replaceAll('\\', '/'));
    assert.deepStrictEqual(parsing, ['training/components/figure.ts']);
  });

  it('imports of the extension nothing but core, and one package', () => {
    for (const [name, source] of sources) {
      for (const [, target = ''] of source.matchAll(/from '([^']+)'|import '([^']+)'/g)) {
        if (target === '' || target === 'uplot') continue;
        assert.ok(target.startsWith('.'), `${name}: ${target}`);
        const resolved = path.normalize(path.join('webview', path.dirname(name), target));
        assert.match(resolved, /^(webview|src\/core)\//, name);
      }
    }
  });

  it('uses every text of the page, and says nothing that is not among them', () => {
    const all = sources.map(([, source]) => source).join('\n');
    for (const key of [...Object.keys(panelStrings), ...Object.keys(trainingPanelStrings)]) assert.match(all, new RegExp(`'${key}'`), `${key} is not used`);
    for (const [name, source] of sources) assert.doesNotMatch(source, /(aria-label|title|placeholder)['"]?: '[A-Z]/, `${name}: say() it`);
  });
});
