import * as assert from 'node:assert';
import type { SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { readAll } from '../../../src/core/csv/reader';
import { isCheck } from '../../../src/core/labels/checks';
import { formatDecision, type Decision } from '../../../src/core/labels/decision';
import { formatTask, newLabels, taskFormatVersion } from '../../../src/core/labels/task';
import { exampleId } from '../../../src/core/text/normalize';
import { useCommandLine, type Mistake } from './commandLine';
import { table } from './table';

/** Rows of the source; all but the last 60 are decided. */
const rowCount = 260;
const undecided = 60;

describe('the command line on a task folder', function () {
  // whole processes on a machine that may be busy
  this.timeout(300_000);
  const cli = useCommandLine();
  const task = '.label-lens/reviews';
  const source = table(rowCount, 5);
  const rows = readAll('reviews.csv', Buffer.from(source))
    .filter(({ kind }) => kind === 'row')
    .map((record) => ({ row: record.row, text: record.value(1) ?? '', label: record.value(2) ?? '' }));

  const done = (...args: readonly string[]): SpawnSyncReturns<string> => cli.done(args);
  const journal = (annotator: string): string => cli.at(task, 'labels', `${annotator}.jsonl`);
  const linesOf = (file: string): Decision[] => readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Decision);

  before(() => {
    mkdirSync(cli.at(task, 'labels'), { recursive: true });
    writeFileSync(cli.at('reviews.csv'), source);
    writeFileSync(
      cli.at(task, 'task.json'),
      formatTask({ formatVersion: taskFormatVersion, name: 'reviews', kind: 'single', labels: newLabels(['positive', 'negative']), sources: [{ kind: 'table', file: 'reviews.csv', textColumns: ['text'] }] }),
    );
    const decisions = rows.slice(0, rowCount - undecided).map(({ row, text, label }, i): Decision => {
      const status = i === 3 ? 'skipped' : i === 4 ? 'flagged' : 'labeled';
      return { at: new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString(), example: exampleId(text), source: { file: 'reviews.csv', row }, text, status, ...(status === 'labeled' ? { label } : {}), annotator: 'mei', origin: 'key' };
    });
    writeFileSync(journal('mei'), `${decisions.map(formatDecision).join('\n')}\n`);
  });

  it('exports beside the source, as a copy and as lines', () => {
    const written = done('export', '--task', task);
    assert.match(written.stderr, /^260 of 260 rows, 198 labeled\.\nreviews\.csv → .*reviews\.labeled\.csv\n$/);
    const copy = cli.read('reviews.labeled.csv');
    const expected = source
      .trimEnd()
      .split('\r\n')
      .map((line, i) => {
        const row = rows[i - 1];
        const second = new Date(Date.UTC(2026, 0, 1, 0, 0, i - 1)).toISOString();
        if (row === undefined) return `${line},label_2,annotator,time`;
        return i > rowCount - undecided ? `${line},,,` : `${line},${i === 4 || i === 5 ? '' : row.label},mei,${second}`;
      });
    assert.strictEqual(copy, `${expected.join('\r\n')}\r\n`);
    done('export', '--task', `${task}/`);
    assert.ok(existsSync(cli.at('reviews.labeled-2.csv')));

    const labeled = done('export', '--task', task, '--rows', 'labeled', '--columns', 'label,status', '--output', '-');
    assert.match(labeled.stderr, /198 of 260 rows, 198 labeled \(left out: open 60, skipped 1, flagged 1\)/);
    assert.strictEqual(readAll('x.csv', Buffer.from(labeled.stdout)).length, 199);
    const huggingFace = done('export', '--task', task, '--format', 'huggingface', '--output', 'hf.jsonl');
    assert.match(huggingFace.stderr, /198 of 260 rows/);
    assert.deepStrictEqual(JSON.parse(cli.read('hf.jsonl').split('\n')[0] ?? ''), { text: rows[0]?.text, label: rows[0]?.label });
  });

  it('imports nothing from its own export, and labels of others from elsewhere', () => {
    const before = readFileSync(journal('mei'), 'utf8');
    done('export', '--task', task, '--columns', 'label,annotator,time,status', '--output', 'again.csv');
    const again = done('import', '--task', task, '--annotator', 'tom', '--label', 'label_2', 'again.csv');
    assert.match(again.stderr, /200 answers: 200 as the task has them, 60 rows without a label\.\n0 decisions written\./);
    assert.ok(!existsSync(journal('tom')));

    const studio = [
      { id: 1, data: { text: rows[250]?.text }, annotations: [{ completed_by: 'li@example.org', result: [{ from_name: 's', value: { choices: ['mixed'] } }] }] },
      { id: 2, data: { text: 'a text of another task' }, annotations: [{ completed_by: 'li@example.org', result: [{ from_name: 's', value: { choices: ['positive'] } }] }] },
      { id: 3, data: { text: rows[251]?.text }, annotations: [{ was_cancelled: true, result: [] }] },
    ];
    writeFileSync(cli.at('studio.json'), JSON.stringify(studio));
    const preview = done('import', '--task', task, '--annotator', 'tom', '--dry-run', 'studio.json');
    assert.match(preview.stderr, /3 answers: 2 new, 1 of texts that the task lacks\.\nNew labels: mixed \(1\)\nRows whose texts the task lacks: 2\n$/);
    assert.ok(!existsSync(journal('tom')));
    done('import', '--task', task, '--annotator', 'tom', 'studio.json');
    assert.deepStrictEqual(linesOf(journal('tom')).map(({ status, origin, source: place }) => [status, origin, place?.row]), [['skipped', 'import', 252]]);
    const others = readdirSync(cli.at(task, 'labels')).filter((name) => name.startsWith('li'));
    assert.strictEqual(others.length, 1);
    assert.deepStrictEqual(linesOf(cli.at(task, 'labels', others[0] ?? '')).map(({ label, annotator }) => [label, annotator]), [['mixed', 'li@example.org']]);
    assert.match(readFileSync(cli.at(task, 'task.json'), 'utf8'), /"id":"mixed","name":"mixed"/);
    assert.match(done('import', '--task', task, '--annotator', 'tom', 'studio.json').stderr, /0 decisions written/);
    assert.strictEqual(readFileSync(journal('mei'), 'utf8'), before);
    rmSync(cli.at(task, 'labels', others[0] ?? ''));
  });

  it('trains on what was decided, holds the random checks out, and guesses with the new version', () => {
    const decided = rows.slice(0, rowCount - undecided).filter((_, i) => i !== 3 && i !== 4);
    const checks = decided.filter(({ text }) => isCheck(exampleId(text))).length;
    assert.ok(checks >= 20, `${checks} checks`);
    const trained = done('train', '--task', task, '--embedding-size', '16', '--hidden-units', '16', '--epochs', '8', '--learning-rate', '0.01', '--json');
    assert.match(trained.stderr, new RegExp(`^${decided.length - checks} rows to train on, ${checks} held out, 2 labels\\.`));
    const models = cli.at(task, 'models');
    assert.deepStrictEqual(readdirSync(models).sort(), ['current', 'v1']);
    assert.strictEqual(readFileSync(path.join(models, 'current'), 'utf8'), 'v1\n');
    assert.match(cli.read('.label-lens/.gitignore'), /models/);
    assert.strictEqual((JSON.parse(trained.stdout) as { output: string }).output, path.join(models, 'v1').replaceAll('\\', '/'));

    const guessed = readAll('x.csv', Buffer.from(done('export', '--task', task, '--columns', 'label,guess,score', '--output', '-').stdout)).filter(({ kind }) => kind === 'row');
    const right = guessed.filter((record) => record.value(2) === record.value(4)).length;
    assert.ok(right >= 0.9 * rowCount, `${right} of ${rowCount} guesses are right`);
    done('train', '--task', task, '--hidden-units', '16', '--epochs', '1', '--output', 'elsewhere', '--name', 'mine');
    assert.deepStrictEqual(readdirSync(cli.at('elsewhere')).sort(), ['model.json', 'model.onnx', 'report.html', 'report.md', 'tokenizer.json']);
    assert.deepStrictEqual(readdirSync(models).sort(), ['current', 'v1']);

    writeFileSync(path.join(models, 'v1/model.json'), '{');
    const without = done('export', '--task', task, '--rows', 'labeled', '--output', 'without.csv');
    assert.match(without.stderr, /model\.json is damaged.*The export goes on without guesses\.\n198 of 260 rows/);
    assert.match(cli.read('without.csv'), /^id,text,label,label_2,annotator,time\r\n/);
    assert.strictEqual(cli.run(['export', '--task', task, '--columns', 'guess', '--output', 'none.csv']).status, 1);
    assert.ok(!existsSync(cli.at('none.csv')));
  });

  it('explains mistakes', async () => {
    const cases: readonly Mistake[] = [
      [['export'], 2, /--task is missing/],
      [['export', '--task', task, 'reviews.csv'], 2, /no operands/],
      [['export', '--task', task, '--format', 'xml'], 2, /csv, jsonl, huggingface/],
      [['export', '--task', task, '--columns', 'label,colour'], 2, /no column colour/],
      [['export', '--task', task, '--rows', 'some'], 2, /all or labeled/],
      [['export', '--task', task, '--output', 'reviews.csv'], 1, /cannot replace reviews\.csv itself/],
      [['export', '--task', 'reviews'], 1, /is no folder of a task/],
      [['export', '--task', '.label-lens/none'], 1, /no task none/],
      [['import', '--task', task, 'reviews.csv'], 2, /--annotator is missing/],
      [['import', '--task', task, '--annotator', 'tom', 'absent.csv'], 1, /absent\.csv/],
      [['import', '--task', task, '--annotator', 'tom', '--label', 'stars', 'reviews.csv'], 1, /"stars".*"id", "text", "label"/],
      [['train', '--task', task, 'reviews.csv'], 2, /Give one of them/],
      [['train', '--task', task, '--label', 'label'], 2, /--label is about a file/],
      [['train', '--output', 'x', 'reviews.csv'], 2, /--label is missing/],
    ];
    await cli.explains(cases);
    assert.strictEqual(cli.read('reviews.csv'), source);
    assert.match(done('--help').stdout, /export.*\n.*import/);
  });
});
