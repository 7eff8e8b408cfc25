import * as assert from 'node:assert';
import { createHash } from 'node:crypto';
import type { LabeledText } from '../../../src/app/labeledRows';
import { trainRequest, withoutTrained, type TrainingPlan } from '../../../src/app/trainRequest';
import type { HumanError } from '../../../src/core/errors';
import { parseManifest } from '../../../src/core/model/manifest';
import { defaultHyperparameters } from '../../../src/core/model/hyperparameters';
import { wordBundle } from '../../fixtures/wordModel';

const rowsOf = (labels: readonly string[]): LabeledText[] => labels.map((label, index) => ({ row: index + 1, text: `text ${index}`, label }));
const plan = (more: Partial<TrainingPlan> = {}): TrainingPlan => ({
  rows: rowsOf(Array.from({ length: 100 }, (_, row) => (row % 4 === 0 ? 'rare' : 'common'))),
  heldOut: { share: 0.1 },
  file: '/data/reviews.csv',
  labelColumn: 'label',
  textColumns: ['title', 'body'],
  preset: 'bilstm-pool',
  hyperparameters: defaultHyperparameters(),
  workers: 1,
  precision: 'float32',
  name: 'reviews',
  version: 'v3',
  ...more,
});
const breathe = (): Promise<void> => Promise.resolve();

describe('the request of a training', () => {
  it('holds out a share of each label, and says where the rows came from', async () => {
    const request = await trainRequest(plan(), breathe);
    assert.deepStrictEqual(request.labels, ['common', 'rare']);
    assert.deepStrictEqual([0, 1].map((label) => request.validation.filter((row) => row.label === label).length), [8, 3]);
    assert.strictEqual(request.rows.length, 89);
    const hash = createHash('sha256');
    for (const { text, label } of request.rows) hash.update(`${JSON.stringify([text, request.labels[label]])}\n`);
    assert.deepStrictEqual(request.identity, { name: 'reviews', version: 'v3', data: { file: 'reviews.csv', textColumns: 'title,body', labelColumn: 'label', sha256: hash.digest('hex') } });
    assert.deepStrictEqual(await trainRequest(plan(), breathe), request, 'the same each time');
  });

  it('keeps equal texts on one side', async () => {
    const rows = rowsOf(Array.from({ length: 100 }, () => 'a')).map((row, index) => ({ ...row, text: `text  ${index % 20}`, label: index % 20 < 10 ? 'a' : 'b' }));
    const request = await trainRequest(plan({ rows }), breathe);
    const trained = new Set(request.rows.map(({ text }) => text));
    assert.ok(request.validation.length > 0 && request.validation.every(({ text }) => !trained.has(text)));
  });

  it('takes the base’s order of the same labels, and none of other ones', async () => {
    const files = wordBundle({ name: 'words', version: '7', good: ['good'], bad: ['bad'] });
    const base = { files, manifest: { ...parseManifest(files.manifest, ''), task: { kind: 'single' as const, labels: [{ id: 'rare' }, { id: 'common' }] } } };
    const request = await trainRequest(plan({ base }), breathe);
    assert.deepStrictEqual([request.labels, request.base, request.identity.parent], [['rare', 'common'], files, 'words@7']);
    const other = { files, manifest: parseManifest(files.manifest, '') };
    assert.deepStrictEqual((await trainRequest(plan({ base: other }), breathe)).labels, ['common', 'rare']);
  });

  it('holds nothing out where only the head of a base is fitted, which is judged by cross-validation', async () => {
    const files = wordBundle({ name: 'words', version: '7', good: ['good'], bad: ['bad'] });
    const hyperparameters = { ...defaultHyperparameters(), baseHead: 'only' as const };
    const request = await trainRequest(plan({ base: { files, manifest: parseManifest(files.manifest, '') }, hyperparameters }), breathe);
    assert.deepStrictEqual([request.rows.length, request.validation.length], [100, 0]);
    assert.strictEqual((await trainRequest(plan({ hyperparameters }), breathe)).validation.length, 11);
  });

  it('holds out a tenth of texts with several labels, and no label as a whole', async () => {
    const sets = [['a'], ['a', 'b'], ['b'], [], ['a', 'b', 'c'], ['c', 'd'], ['d', 'e']];
    const rows = Array.from({ length: 200 }, (_, row) => sets[Math.floor(Math.sqrt(row * 0.24))]!).map((labels, row): LabeledText => ({ row: row + 1, text: `text ${row}`, label: labels.join(';'), labels }));
    const request = await trainRequest(plan({ kind: 'multi', rows, threshold: 0.3 }), breathe);
    assert.deepStrictEqual([request.kind, request.labels, request.threshold], ['multi', ['a', 'b', 'c', 'd', 'e'], 0.3]);
    assert.ok(request.validation.length >= 18 && request.validation.length <= 24, `${request.validation.length} held out`);
    assert.strictEqual(request.rows.length + request.validation.length, 200);
    const known = new Set(request.rows.flatMap(({ labels }) => labels!));
    assert.ok(request.validation.every(({ labels }) => labels!.every((label) => known.has(label))));
    // two rows of a label that only they have, in two strata: one of them would be held out but for the label
    const pairs = rows.map((row) => (row.row <= 2 ? { ...row, text: 'the same', labels: ['rare'] } : row));
    for (const seed of [1, 2, 3, 4]) {
      const { labels, validation, rows: kept } = await trainRequest(plan({ kind: 'multi', rows: pairs, hyperparameters: { ...defaultHyperparameters(), seed } }), breathe);
      const rare = labels.indexOf('rare');
      assert.ok(validation.every((row) => !row.labels!.includes(rare)) && kept.filter((row) => row.labels!.includes(rare)).length === 2);
    }
  });

  it('holds out numbers from the lowest to the highest, and calls them by their column', async () => {
    const rows = Array.from({ length: 200 }, (_, row): LabeledText => ({ row: row + 1, text: `text ${row}`, label: String(row), value: row }));
    const request = await trainRequest(plan({ kind: 'number', rows, labelColumn: 'stars' }), breathe);
    assert.deepStrictEqual([request.kind, request.labels, request.valueName, request.rows.length], ['number', [], 'stars', 180]);
    const held = request.validation.map(({ value }) => Math.floor(value! / 20)).sort((a, b) => a - b);
    assert.deepStrictEqual(held, Array.from({ length: 20 }, (_, k) => Math.floor(k / 2)));
    const few = await trainRequest(plan({ kind: 'number', rows: rows.slice(0, 30) }), breathe);
    assert.strictEqual(few.validation.length, 3);
    const joint = await trainRequest(plan({ rows: rows.map((row) => ({ ...row, label: row.row % 2 === 0 ? 'even' : 'odd' })), valueColumn: 'size' }), breathe);
    assert.deepStrictEqual([joint.kind, joint.labels, joint.valueName, joint.rows.every(({ value }) => value !== undefined)], [undefined, ['even', 'odd'], 'size', true]);
    assert.strictEqual(joint.identity.data!['valueColumn'], 'size');
  });

  it('takes a file of its own to check with, and names it when it has other labels', async () => {
    const heldOut = { rows: rowsOf(['common', 'rare']), file: 'valid.csv' };
    const request = await trainRequest(plan({ heldOut }), breathe);
    assert.deepStrictEqual([request.rows.length, request.validation.length], [100, 2]);
    await assert.rejects(
      trainRequest(plan({ heldOut: { ...heldOut, rows: rowsOf(['odd']) } }), breathe),
      (error: HumanError) => error.code === 'train.validationLabels' && error.message.includes('odd') && error.message.includes('valid.csv, row 1, column'),
    );
  });

  it('checks with no text that is trained on, however it is wrapped, and not at all when there is no other', async () => {
    const rows = rowsOf(['common', 'rare', 'rare']);
    const unseen = { row: 2, text: 'text 9', label: 'rare' };
    const heldOut = { rows: [{ row: 1, text: ' text\n2', label: 'common' }, unseen], file: 'valid.csv' };
    assert.deepStrictEqual(await withoutTrained(heldOut, rows, breathe), { rows: [unseen], file: 'valid.csv' });
    await assert.rejects(withoutTrained({ ...heldOut, rows }, rows, breathe), (error: HumanError) => error.code === 'train.heldOutKnown' && error.message.includes('valid.csv'));
  });

  it('lets others have their turn while it reads many rows', async () => {
    let turns = 0;
    await trainRequest(plan({ rows: rowsOf(Array.from({ length: 10_000 }, (_, row) => String(row % 2))) }), () => Promise.resolve(void turns++));
    assert.ok(turns >= 4, `${turns} turns`);
  });
});
