import * as assert from 'node:assert';
import { parseManifest } from '../../../src/core/model/manifest';
import { compareModels, comparisonSections } from '../../../src/core/report/comparison';
import type { FigureBlock, ReportBlock, ReportSection, RowsBlock, TableBlock } from '../../../src/core/report/document';
import { evaluationSections, predictedLabels, predictedLabelSets } from '../../../src/core/report/evaluation';
import { reportHtml } from '../../../src/core/report/html';
import { reportMarkdown } from '../../../src/core/report/markdown';
import { reportStrings } from '../../../src/core/report/strings';
import { trainedDocument } from '../../../src/core/report/trained';
import { trainingSections } from '../../../src/core/report/training';
import { classEvaluation, course, multiEvaluation, numberEvaluation, sampleReports } from '../../fixtures/reports';
import { wordBundle } from '../../fixtures/wordModel';
import { elementsOf } from './xml';

const blocksOf = (sections: readonly ReportSection[], id: string): readonly ReportBlock[] => {
  const section = sections.find((each) => each.id === id);
  assert.ok(section, `section ${id} among ${sections.map((each) => each.id).join(', ')}`);
  return section.blocks;
};
const tables = (blocks: readonly ReportBlock[]): TableBlock[] => blocks.filter((block) => block.kind === 'table');
const figures = (blocks: readonly ReportBlock[]): FigureBlock[] => blocks.filter((block) => block.kind === 'figure');
const rowsOf = (blocks: readonly ReportBlock[]): RowsBlock => {
  const block = blocks.find((each) => each.kind === 'rows');
  assert.ok(block);
  return block;
};
const places = (count: number): { file: string; row: number; text: string }[] => Array.from({ length: count }, (_, at) => ({ file: 'f.csv', row: at + 1, text: `text ${at}` }));

describe('a report', () => {
  it('has sound pictures, tables that are full, and ids that are all different, of every kind', async () => {
    for (const document of Object.values(await sampleReports())) {
      assert.strictEqual(new Set(document.sections.map(({ id }) => id)).size, document.sections.length);
      for (const { blocks } of document.sections) {
        assert.ok(blocks.length > 0);
        for (const block of blocks) {
          if (block.kind === 'figure') elementsOf(block.svg);
          if (block.kind === 'rows') for (const { cells } of block.rows) assert.strictEqual(cells.length + 1, block.header.length);
          const table = block.kind === 'table' ? block : block.kind === 'figure' ? block.data : undefined;
          for (const row of table?.rows ?? []) assert.strictEqual(row.length, table?.header.length);
        }
      }
      const words = JSON.stringify({ ...document, sections: document.sections.map((section) => ({ ...section, blocks: section.blocks.map((block) => (block.kind === 'figure' ? { ...block, svg: '' } : block)) })) });
      assert.doesNotMatch(words, /undefined|NaN|Infinity|\{\d\}/);
    }
  });

  it('says nothing in any language but that of its strings', async () => {
    const strings = Object.fromEntries(Object.keys(reportStrings).map((key) => [key, '※'])) as Record<keyof typeof reportStrings, string>;
    const single = classEvaluation(['L1', 'L2'], 40, 2);
    const models = [1, 2].map((seed) => ({ name: `M${seed}`, predicted: predictedLabels(classEvaluation(['L1', 'L2'], 40, 2, seed).scores, 2) }));
    const comparison = { kind: 'single', labels: single.labels, rows: single.rows, truth: single.truth, models } as const;
    const sections = [
      ...trainingSections(course('single', 3), strings),
      ...trainingSections({ kind: 'single', history: [], stepsPerEpoch: 0, epochs: [] }, strings),
      ...evaluationSections({ ...single, values: numberEvaluation(40).values, rule: { threshold: 0.5 } }, strings),
      ...evaluationSections(multiEvaluation(['L1', 'L2', 'L3'], 40), strings),
      ...evaluationSections({ ...single, rows: [] }, strings),
      ...comparisonSections(comparison, await compareModels(comparison, { draws: 20 }), strings),
    ];
    const own = /[A-Za-z]{3,}/;
    for (const { title, blocks } of sections) {
      assert.doesNotMatch(title, own);
      for (const block of blocks) {
        const words = block.kind === 'text' ? [block.text] : block.kind === 'figure' ? [block.caption, block.description, ...elementsOf(block.svg).filter(({ name }) => name === 'text' || name === 'title').map(({ text }) => text)] : [block.caption ?? '', ...block.header, ...(block.kind === 'table' ? block.rows.flat() : [])];
        for (const each of words) assert.doesNotMatch(each, own);
      }
    }
  });

  it('in HTML is one file whose texts stay texts, under a policy that allows nothing to be loaded', async () => {
    for (const document of Object.values(await sampleReports())) {
      const html = reportHtml({ ...document, title: '<script>alert(1)</script>' });
      assert.match(html, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">/);
      assert.doesNotMatch(html.replaceAll('http://www.w3.org/2000/svg', ''), /<script|<b>|https?:|url\(|@import|<link|<img|\sstyle=/i);
    }
  });

  it('in Markdown has its tables, and texts that stay texts', async () => {
    const { two } = await sampleReports();
    const markdown = reportMarkdown({ ...two, title: '# <b>[a](http://b.c)', subtitle: '1. one www.example.com' });
    const lines = markdown.split('\n');
    assert.strictEqual(lines[0], '# \\# \\<b\\>\\[a\\]\\(http\\://b\\.c\\)');
    assert.strictEqual(lines[2], '1\\. one www\\.example\\.com');
    assert.doesNotMatch(markdown, /(?<!\\)<|<svg/);
    const widths = lines.filter((line) => line.startsWith('|')).map((line) => line.replace(/\\./g, '').split('|').length);
    for (const [at, line] of lines.entries()) {
      if (!/^\|[-:|]+\|$/.test(line)) continue;
      const width = line.split('|').length;
      for (let row = at - 1; lines[row]?.startsWith('|'); row++) assert.strictEqual(lines[row]!.replace(/\\./g, '').split('|').length, width);
    }
    assert.ok(widths.length > 50);
    for (const section of two.sections) assert.ok(lines.includes(`## ${section.title}`), section.title);
    for (const { data } of two.sections.flatMap(({ blocks }) => figures(blocks))) if (data) assert.ok(lines.includes(`| ${data.rows[0]!.map((cell) => cell.replace('-', '\\-')).join(' | ')} |`));
  });
});

describe('the training’s part', () => {
  it('works from the first moment on', () => {
    const nothing = trainingSections({ kind: 'single', history: [], stepsPerEpoch: 10, epochs: [] });
    assert.deepStrictEqual(nothing, [{ id: 'training', title: 'Training', blocks: [{ kind: 'text', text: 'No step is done yet.' }] }]);
    const [first, ...others] = trainingSections({ kind: 'single', history: [{ step: 1, loss: 0.7 }], stepsPerEpoch: 10, epochs: [] });
    assert.deepStrictEqual(others, []);
    assert.deepStrictEqual(figures(first!.blocks).map(({ data }) => data?.rows), [[['1', '0.7000']]]);
    const epochs = [{ trainLoss: 0.5, validLoss: NaN, validAccuracy: 0.8, seconds: 1 }, { trainLoss: 0.4, validLoss: 0.6, validAccuracy: 0.85, seconds: 1 }];
    const later = trainingSections({ kind: 'single', history: [], stepsPerEpoch: 0, epochs, best: 1 });
    assert.match(figures(blocksOf(later, 'training'))[0]!.description, /lowest validation loss is 0\.600, after epoch 2/);
    assert.deepStrictEqual(tables(blocksOf(later, 'epochs'))[0]!.rows.map((row) => [row[0], row[2], row.at(-1)]), [['1', '–', ''], ['2', '0.6000', 'kept']]);
  });

  it('marks the validation loss at the end of each epoch, on the axis of steps', () => {
    const { history, ...rest } = course('single', 4);
    const [figure] = figures(blocksOf(trainingSections({ ...rest, history }), 'training'));
    const circles = elementsOf(figure!.svg).filter(({ name, attributes }) => name === 'circle' && Number(attributes['cy']) > 20);
    assert.strictEqual(circles.length, 3);
    const xs = circles.map(({ attributes }) => Number(attributes['cx']));
    assert.ok(Math.abs(xs[2]! - xs[1]! - (xs[1]! - xs[0]!)) < 0.1);
  });

  it('says of numbers the RMSE, and no accuracy', () => {
    const sections = trainingSections(course('number', 3));
    const { header } = tables(blocksOf(sections, 'epochs'))[0]!;
    assert.ok(header.includes('validation RMSE') && !header.includes('validation accuracy'));
  });
});

describe('the evaluation’s part', () => {
  it('counts with the threshold that is in use', () => {
    const scores = [0.8, 0.2, 0.55, 0.45, 0.4, 0.6, 0.1, 0.9];
    assert.deepStrictEqual(predictedLabels(scores, 2), [0, 0, 1, 1]);
    assert.deepStrictEqual(predictedLabels(scores, 2, { threshold: 0.4 }), [0, 1, 1, 1]);
    assert.deepStrictEqual(predictedLabelSets(scores, 2, { thresholds: [0.5, 0.2] }), [[0, 1], [0, 1], [1], [1]]);
    const sections = evaluationSections({ kind: 'single', labels: ['no', 'yes'], rows: places(4), truth: [0, 1, 1, 0], scores, rule: { threshold: 0.4 } });
    assert.deepStrictEqual(figures(blocksOf(sections, 'confusion'))[0]!.data?.rows, [['no', '1', '1'], ['yes', '0', '2']]);
    const wrong = rowsOf(blocksOf(sections, 'mistakes'));
    assert.deepStrictEqual(wrong.rows, [{ file: 'f.csv', row: 4, cells: ['no', 'yes', '0.900'], text: 'text 3' }]);
    const [choices] = tables(blocksOf(sections, 'curves'));
    assert.deepStrictEqual(choices!.rows[0], ['in use', '0.4000', '0.667', '1.000', '0.800', '0.750', '0.500']);
    // of four texts with the scores 0.2 0.45 0.6 0.9 the last is none: no threshold gives a precision of 0.9
    assert.deepStrictEqual(choices!.rows.at(-1), ['precision of at least 0.99', ...Array<string>(6).fill('–')]);
  });

  it('lists the surest mistakes first, at most twenty', () => {
    const evaluation = classEvaluation(['a', 'b', 'c'], 300, 1);
    const { rows, caption } = rowsOf(blocksOf(evaluationSections(evaluation), 'mistakes'));
    const predicted = predictedLabels(evaluation.scores, 3);
    const sureness = predicted.map((label, row) => (label === evaluation.truth[row] ? 0 : evaluation.scores[row * 3 + label]!)).sort((a, b) => b - a);
    assert.strictEqual(rows.length, 20);
    assert.deepStrictEqual(rows.map(({ cells }) => cells[2]), sureness.slice(0, 20).map((score) => score.toFixed(3)));
    assert.ok(caption.startsWith(`${sureness.filter((score) => score > 0).length} of 300`));
  });

  it('has curves for two labels only, and says so where there is one label in the data', () => {
    assert.ok(!evaluationSections(classEvaluation(['a', 'b', 'c'], 30, 2)).some(({ id }) => id === 'curves'));
    const [only] = blocksOf(evaluationSections({ kind: 'single', labels: ['a', 'b'], rows: places(2), truth: [1, 1], scores: [0.2, 0.8, 0.6, 0.4] }), 'curves');
    assert.deepStrictEqual(only, { kind: 'text', text: reportStrings.oneClassOnly });
  });

  it('stays readable and bounded with thousands of labels, and of rows', () => {
    const labels = Array.from({ length: 300 }, (_, at) => `l${at}`);
    const sections = evaluationSections(classEvaluation(labels, 900, 5));
    assert.strictEqual(tables(blocksOf(sections, 'classification'))[0]!.rows.length, 52);
    assert.ok(reportHtml({ title: '', subtitle: '', sections }).length < 600_000);
    assert.ok(reportHtml({ title: '', subtitle: '', sections: evaluationSections(numberEvaluation(30_000)) }).length < 300_000);
    assert.ok(reportHtml({ title: '', subtitle: '', sections: evaluationSections(classEvaluation(['a', 'b'], 30_000, 2)) }).length < 200_000);
  });

  it('has both parts of a joint model, and the rows of numbers by their error', () => {
    const values = { truth: [1, 2, 3, 4], predicted: [1, 2.5, 1, 4.1] };
    const sections = evaluationSections({ kind: 'single', labels: ['a', 'b'], rows: places(4), truth: [0, 1, 1, 0], scores: [0.8, 0.2, 0.5, 0.5, 0.4, 0.6, 0.1, 0.9], values });
    assert.deepStrictEqual(sections.map(({ id }) => id), ['classification', 'confusion', 'curves', 'calibration', 'mistakes', 'numbers', 'errors']);
    assert.deepStrictEqual(rowsOf(blocksOf(sections, 'errors')).rows.map(({ row, cells }) => [row, cells[2]]), [[3, '2'], [2, '−0.5'], [4, '−0.1'], [1, '0']]);
  });
});

describe('the comparison’s part', () => {
  it('tells a better model from an equal one, and shows where they differ', async () => {
    const truth = Array.from({ length: 200 }, (_, row) => row % 2);
    const flipped = (share: number): number[] => truth.map((label, row) => (row % 10 < share * 10 ? 1 - label : label));
    const models = [{ name: 'good', predicted: flipped(0.1) }, { name: 'bad', predicted: flipped(0.4) }, { name: 'twin', predicted: flipped(0.1) }];
    const comparison = { kind: 'single', labels: ['n', 'y'], rows: places(200), truth, models } as const;
    const result = await compareModels(comparison);
    assert.deepStrictEqual(result.scores.map(({ main }) => main.value), [0.9, 0.6, 0.9]);
    for (const { main } of result.scores) assert.ok(main.low < main.value && main.value < main.high);
    const [better, equal] = [result.pairs[0]!, result.pairs[1]!];
    assert.ok(better.difference.low > 0 && better.test!.p < 1e-6);
    assert.deepStrictEqual([better.test!.onlyFirst, better.test!.onlySecond], [60, 0]);
    assert.deepStrictEqual([equal.difference.low, equal.difference.high, equal.test!.p], [0, 0, 1]);
    assert.deepStrictEqual(result.differing, truth.map((_, row) => row).filter((row) => row % 10 >= 1 && row % 10 < 4));
    const { rows } = rowsOf(blocksOf(comparisonSections(comparison, result), 'differing'));
    assert.deepStrictEqual(rows[0], { file: 'f.csv', row: 2, cells: ['y', 'y', 'n', 'y'], text: 'text 1' });
  });

  it('compares sets of labels and numbers too', async () => {
    const sets = { kind: 'multi', labels: ['a', 'b'], rows: places(3), truth: [[0], [0, 1], []], models: [{ name: 'x', predicted: [[0], [1, 0], []] }, { name: 'y', predicted: [[0], [1], []] }] } as const;
    const ofSets = await compareModels(sets);
    assert.deepStrictEqual(ofSets.scores.map(({ main, other }) => [main.value, other]), [[1, 1], [2 / 3, 0.8]]);
    assert.deepStrictEqual(ofSets.differing, [1]);
    assert.deepStrictEqual(rowsOf(blocksOf(comparisonSections(sets, ofSets), 'differing')).rows[0]!.cells, ['a, b', 'a, b', 'b']);
    const numbers = { kind: 'number', rows: places(4), truth: [1, 2, 3, 4], models: [{ name: 'x', predicted: [1, 2, 3, 4] }, { name: 'y', predicted: [2, 3, 4, 5] }] } as const;
    const ofNumbers = await compareModels(numbers);
    assert.deepStrictEqual(ofNumbers.scores.map(({ main, other }) => [main.value, main.high, other]), [[0, 0, 0], [1, 1, 1]]);
    assert.deepStrictEqual(comparisonSections(numbers, ofNumbers).map(({ id }) => id), ['comparison', 'pairs']);
  });
});

describe('trainedDocument', () => {
  const bundle = wordBundle({ name: 'mine', version: 'v1', good: ['good'], bad: ['bad'] });
  const labels = parseManifest(bundle.manifest, 'model.json').task.labels.map(({ id }) => id);
  const validation = [{ text: 'good', label: 0 }, { text: 'bad', label: 1 }];
  const request = { preset: 'bilstm-pool', labels, rows: [], validation, identity: { name: 'mine', version: 'v1' } } as never;
  const { history, stepsPerEpoch, epochs } = course('single', 3);
  const result = { bundle, epochs, best: 0, examplesPerSecond: 1, history, stepsPerEpoch, validationScores: new Float32Array(0) };

  it('has how it went alone, where nothing is known of held-out rows', () => {
    const document = trainedDocument({ request, result, validation: [], file: 'f.csv' });
    assert.deepStrictEqual(document.sections.map(({ id }) => id), ['training', 'epochs']);
    assert.strictEqual(document.title, 'mine v1: training');
  });

  it('judges the model by what it says of held-out rows', () => {
    const whole = { ...result, validationScores: Float32Array.of(0.9, 0.1, 0.3, 0.7) };
    const document = trainedDocument({ request, result: whole, validation: places(2), file: 'f.csv' });
    assert.deepStrictEqual(document.sections.map(({ id }) => id), ['training', 'epochs', 'classification', 'confusion', 'curves', 'calibration', 'mistakes']);
    assert.deepStrictEqual(figures(blocksOf(document.sections, 'confusion'))[0]!.data?.rows.map((row) => row.slice(1)), [['1', '0'], ['0', '1']]);
  });
});
