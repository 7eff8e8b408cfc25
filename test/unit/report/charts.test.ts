import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { barChart, heatMap, intervalChart, niceTicks, xyChart } from '../../../src/core/report/charts';
import { escapeMarkup } from '../../../src/core/report/markup';
import { elementsOf, type Element } from './xml';

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('<script>', '"&\'', ']]>', 'ﬀ', '\u0000\u001f', '\ud800', '标签', ''));
const number = fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constantFrom(0, NaN, Infinity, -Infinity, 1e-300, 1e300, 5));
const range = fc.option(fc.constant([0, 1] as const), { nil: undefined }).map((each) => (each ? { range: each } : {}));

/** An `<svg>` as the document's contract has it. */
function checked(svg: string, title: string): readonly Element[] {
  const elements = elementsOf(svg);
  const [root] = elements;
  assert.ok(root?.name === 'svg' && elements[1]?.name === 'title');
  assert.match(root.attributes['viewBox'] ?? '', /^0 0 \d+ \d+$/);
  assert.deepStrictEqual([root.attributes['role'], escapeMarkup(root.attributes['aria-label'] ?? '')], ['img', escapeMarkup(title)]);
  for (const { name, attributes } of elements) {
    assert.ok(['svg', 'title', 'path', 'rect', 'circle', 'text'].includes(name), name);
    for (const [key, value] of Object.entries(attributes)) {
      assert.ok(!/^(?:style|on.*|href|xlink:href|fill|stroke)$/.test(key), key);
      if (!['aria-label'].includes(key)) assert.doesNotMatch(value, /NaN|Infinity|undefined/, `${key} of ${name}`);
    }
  }
  return elements;
}

describe('charts', () => {
  it('are sound XML without styles, addresses or scripts, whatever the figures and names', () => {
    const series = fc.record({ name: text, points: fc.array(fc.tuple(number, number), { maxLength: 40 }), line: fc.constantFrom('solid', 'dashed', 'stairs', 'none'), marks: fc.boolean(), color: fc.integer({ min: 0, max: 8 }) });
    fc.assert(
      fc.property(fc.record({ title: text, label: text, series: fc.array(series, { maxLength: 4 }), range }), ({ title, label, series: all, range: own }) => {
        checked(xyChart({ title, x: { label, ...own }, y: { label }, series: all, verticals: [{ x: 0.5, label }] }), title);
        const bars = all.map(({ name }, at) => ({ from: at, to: at + 1, y: at / 4, label: name }));
        checked(barChart({ title, x: { label }, y: { label, ...own }, bars, guide: { name: label, points: [[0, 0], [1, 1]] } }), title);
        checked(intervalChart({ title, x: { label }, rows: all.map(({ name }, at) => ({ name, value: at, low: at - 1, high: at + 1 })) }), title);
        checked(heatMap({ title, rowTitle: label, columnTitle: label, labels: all.map(({ name }) => name), matrix: all.map((_, at) => all.map((_, other) => at * other)) }), title);
      }),
    );
  });

  it('draw each point where its figures put it, and break a line where there is none', () => {
    const elements = checked(xyChart({ title: 't', x: { label: 'x', range: [0, 1] }, y: { label: 'y', range: [0, 1] }, series: [{ name: 's', points: [[0, 0], [0.5, 1], [0.6, NaN], [1, 0.5]], line: 'solid', marks: true, color: 1 }] }), 't');
    const circles = elements.filter(({ name }) => name === 'circle').map(({ attributes }) => [Number(attributes['cx']), Number(attributes['cy'])] as const);
    assert.strictEqual(circles.length, 3);
    const [first, second, third] = circles as [readonly [number, number], readonly [number, number], readonly [number, number]];
    const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 0.02, `${a} and ${b}`);
    near(second[0], (first[0] + third[0]) / 2);
    near(third[1], (first[1] + second[1]) / 2);
    assert.ok(second[1] < first[1], 'up is more');
    const line = elements.find(({ attributes }) => attributes['class'] === 'report-line report-stroke-1');
    assert.strictEqual(line?.attributes['d']?.match(/M/g)?.length, 2);
  });

  it('go up or down before across where a value holds from the point before on', () => {
    const elements = checked(xyChart({ title: 't', x: { label: 'x' }, y: { label: 'y' }, series: [{ name: 's', points: [[0, 1], [1, 0]], line: 'stairs', color: 1 }] }), 't');
    assert.match(elements.find(({ attributes }) => attributes['class']?.includes('report-line'))?.attributes['d'] ?? '', /^M[\d. ]+V[\d.]+H[\d.]+$/);
  });

  it('show the counts of a matrix, the darker the larger their share of the row, up to fifty labels', () => {
    for (const size of [2, 10, 20, 50]) {
      const labels = Array.from({ length: size }, (_, at) => `label ${at}`);
      const matrix = labels.map((_, row) => labels.map((_, column) => (row === column ? 900 + row : column === 0 ? 37 : 0)));
      const elements = checked(heatMap({ title: 't', rowTitle: 'true', columnTitle: 'said', labels, matrix }), 't');
      const words = elements.filter(({ name }) => name === 'text').map((each) => each.text);
      for (const label of labels) assert.strictEqual(words.filter((word) => word === label).length, 2, label);
      for (let label = 1; label < size; label++) assert.ok(words.includes(String(900 + label)));
      const opacities = elements.filter(({ attributes }) => attributes['class'] === 'report-heat').map(({ attributes }) => Number(attributes['fill-opacity']));
      assert.strictEqual(opacities.length, 2 * size - 1);
      assert.strictEqual(opacities[0], 1);
      assert.ok(opacities[1]! < 0.2 && opacities[2]! > 0.9);
    }
  });
});

describe('niceTicks', () => {
  it('are even, few, round, and hold the range', () => {
    const spans = fc.tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.double({ min: 1e-6, max: 1e9, noNaN: true })).filter(([low, size]) => size > Math.abs(low) * 1e-9);
    fc.assert(
      fc.property(spans, ([low, size]) => {
        const ticks = niceTicks(low, low + size);
        const step = ticks[1]! - ticks[0]!;
        assert.ok(ticks.length >= 3 && ticks.length <= 12, `${ticks.length}`);
        assert.ok(ticks[0]! <= low + step * 1e-6 && ticks.at(-1)! >= low + size - step * 1e-6);
        assert.ok(ticks[1]! > low - step * 1e-6 && ticks.at(-2)! < low + size + step * 1e-6);
        assert.ok([1, 2, 5].some((nice) => Math.abs(step / 10 ** Math.floor(Math.log10(step) + 1e-6) - nice) < 1e-3), `step ${step}`);
      }),
    );
    assert.deepStrictEqual(niceTicks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
    assert.deepStrictEqual(niceTicks(0.11, 0.68), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
  });
});
