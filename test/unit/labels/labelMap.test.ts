import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { mapLabel, mapLabels, parseLabelMap, readLabelMap } from '../../../src/core/labels/labelMap';
import { humanError } from '../humanErrors';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a map of labels', () => {
  const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map((text) => text.trim()).filter((text) => text !== '');
  const pairs = fc.uniqueArray(fc.tuple(value, fc.oneof(value, fc.constant(''))), { selector: ([from]) => from, minLength: 1, maxLength: 10 });
  const escaped = (text: string): string => text.replace(/[\\,=]/g, '\\$&');

  it('says the same on the command line, in JSON and in a table', () => {
    fc.assert(
      fc.property(pairs, (wanted) => {
        assert.deepStrictEqual([...parseLabelMap(wanted.map(([from, to]) => `${escaped(from)}=${escaped(to)}`).join(','), '--map')], wanted);
        const json = wanted.filter(([from]) => from !== '__proto__' && !/^\d+$/.test(from));
        assert.deepStrictEqual([...readLabelMap(bytes(JSON.stringify(Object.fromEntries(json))), 'map.json')], json);
        // a table cannot say a NUL, and trims what JavaScript takes for white space as the others do
        const rows = wanted.map(([from, to]) => [from, to].map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','));
        assert.deepStrictEqual([...readLabelMap(bytes(`from,to\r\n${rows.join('\r\n')}\r\n`), 'map.csv')], wanted);
      }),
    );
  });

  it('names what is wrong with it', () => {
    assert.throws(() => parseLabelMap('a=b,c', '--map'), humanError('map.pair', '--map', '"c"', 'old=new'));
    assert.throws(() => parseLabelMap('a=b=c', '--map'), humanError('map.pair', 'a=b=c'));
    assert.throws(() => parseLabelMap('=b', '--map'), humanError('map.size', '--map'));
    assert.throws(() => parseLabelMap('a=b, a=c', '--map'), humanError('map.twice', '"a"', '"b"', '"c"'));
    assert.strictEqual(parseLabelMap('a=b,a=b', '--map').size, 1);
    for (const content of ['[]', '{"a": 1}', '{', 'null', '{"a": {"b": "c"}}']) assert.throws(() => readLabelMap(bytes(content), 'map.json'), humanError('map.json', 'map.json', 'from and to'));
    assert.throws(() => readLabelMap(bytes('old,new\na,b\n'), 'map.csv'), humanError('csv.column', 'map.csv', 'from'));
    assert.throws(() => readLabelMap(bytes('from,to\na,b\n ,c\n'), 'map.csv'), humanError('map.row', 'map.csv', 'row 2'));
    assert.throws(() => readLabelMap(bytes(''), 'map.csv'), humanError('csv.column', 'map.csv'));
    assert.throws(() => readLabelMap(new Uint8Array(10_000_001), 'map.csv'), humanError('map.size', 'map.csv'));
  });

  it('keeps or drops what it lacks', () => {
    const map = new Map([['a', 'x'], ['b', 'x'], ['c', '']]);
    assert.deepStrictEqual(['a', 'c', 'd'].map((label) => mapLabel(label, map, false)), ['x', undefined, 'd']);
    assert.deepStrictEqual(['a', 'c', 'd'].map((label) => mapLabel(label, map, true)), ['x', undefined, undefined]);
    assert.deepStrictEqual(mapLabels(['a', 'b', 'c', 'd'], map, false), ['x', 'd']);
    assert.deepStrictEqual([mapLabels([], map, true), mapLabels(['c', 'd'], map, true)], [[], undefined]);
  });
});
