import * as assert from 'node:assert';
import { existsSync, mkdirSync, readFileSync, readdirSync, watch, writeFileSync } from 'node:fs';
import { readAll } from '../../../src/core/csv/reader';
import { lastLine, useCommandLine, type Mistake } from './commandLine';
import { table } from './table';

interface TuneJson {
  readonly trained: number;
  readonly reused: number;
  readonly metric: string;
  readonly ranking: readonly { preset: string; hyperparameters: Record<string, number>; mean: Record<string, number>; deviation: Record<string, number>; seconds: number }[];
}

describe('the command line from data to the best settings', function () {
  // whole processes, many of them, on a machine that may be busy
  this.timeout(300_000);
  const cli = useCommandLine();
  const small = ['--embedding-size', '8', '--hidden-units', '8', '--epochs', '2'];
  const search = ['tune', '--label', 'label', '--folds', '2', '--grid', 'learningRate=0.001,0.02', ...small, '--json'];

  before(() => writeFileSync(cli.at('all.csv'), `${table(200, 1)}201,,positive\r\n202,"no label",\r\n203,"odd",unsure\r\n`));

  it('prepares, tunes, trains with what was best, and compares', () => {
    const prepared = cli.done(['prepare', '--label', 'label', '--map', 'positive=pos,negative=neg,unsure=,none=x', '--split', '0.7,0.1,0.2', '--output', 'parts', '--json', 'all.csv']);
    assert.match(prepared.stderr, /No row has these labels of the map: none/);
    assert.match(prepared.stdout, /all\.csv: 203 rows, 200 kept, dropped: 1 without a text, 1 without a label, 1 not mapped/);
    const { parts } = lastLine(prepared.stdout) as { parts: Record<string, { rows: number; labels: Record<string, number> }> };
    assert.deepStrictEqual(parts, { train: { rows: 140, labels: { neg: 70, pos: 70 } }, valid: { rows: 20, labels: { neg: 10, pos: 10 } }, test: { rows: 40, labels: { neg: 20, pos: 20 } } });
    const rows = ['train', 'valid', 'test'].flatMap((name) => {
      const records = readAll(`${name}.csv`, readFileSync(cli.at(`parts/${name}.csv`))).map((record) => record.values());
      assert.deepStrictEqual(records[0], ['id', 'text', 'label']);
      return records.slice(1);
    });
    assert.strictEqual(new Set(rows.map(([id]) => id)).size, 200);
    assert.match(prepared.stdout, /^label  train  valid  test\nneg {7}70 {5}10 {4}20\npos {7}70 {5}10 {4}20\nrows {5}140 {5}20 {4}40$/m);

    const tuned = cli.done([...search, '--output', 'tuned', 'parts/train.csv']);
    const { ranking, trained, reused, metric } = lastLine(tuned.stdout) as TuneJson;
    assert.deepStrictEqual([trained, reused, metric, ranking.length], [4, 0, 'accuracy', 2]);
    assert.strictEqual(ranking[0]!.hyperparameters.learningRate, 0.02);
    assert.ok(ranking[0]!.mean.accuracy! >= ranking[1]!.mean.accuracy!);
    assert.match(tuned.stdout, /preset +learningRate +accuracy +macroF1 +loss +ece +seconds\n1  bilstm-pool  0\.02 /);
    assert.deepStrictEqual(readdirSync(cli.at('tuned')).sort(), ['best.preset.json', 'tune.jsonl']);
    const preset = JSON.parse(cli.read('tuned/best.preset.json')) as { preset: string; hyperparameters: Record<string, number>; description: string };
    assert.deepStrictEqual([preset.preset, preset.hyperparameters], ['bilstm-pool', { embeddingSize: 8, hiddenUnits: 8, epochs: 2, learningRate: 0.02 }]);

    cli.done(['train', '--label', 'label', '--preset', 'tuned/best.preset.json', '--epochs', '6', '--valid', 'parts/valid.csv', '--output', 'best', 'parts/train.csv']);
    // flags win over the file, the file over the preset
    const { hyperparameters } = JSON.parse(cli.read('best/model.json')) as { hyperparameters: Record<string, number> };
    assert.deepStrictEqual(['epochs', 'learningRate', 'hiddenUnits', 'batchSize'].map((name) => hyperparameters[name]), [6, 0.02, 8, 32]);
    cli.done(['train', '--label', 'label', '--preset', 'tuned/best.preset.json', '--epochs', '1', '--learning-rate', '0.00001', '--valid', 'parts/valid.csv', '--output', 'other', 'parts/train.csv']);

    const compared = cli.done(['compare', './best', './other', '--label', 'label', '--json', '--report', 'compared', 'parts/test.csv']);
    assert.match(compared.stderr, /The report is in compared\.html and compared\.md/);
    for (const [name, title] of [['compared.html', /<h1>2 models compared<\/h1>/], ['compared.md', /^# 2 models compared\n/]] as const) {
      assert.match(cli.read(name), title);
      for (const part of ['./best', './other', 'McNemar', '40 rows']) assert.ok(cli.read(name).includes(part), `${name}: ${part}`);
    }
    const comparison = lastLine(compared.stdout) as { rows: number; models: { name: string; accuracy: { value: number; low: number; high: number } }[]; pairs: { difference: { value: number }; test: { onlyFirst: number; onlySecond: number; p: number } }[] };
    assert.deepStrictEqual([comparison.rows, comparison.models.map(({ name }) => name)], [40, ['./best', './other']]);
    for (const { name, accuracy } of comparison.models) {
      const evaluated = cli.run(['evaluate', '--model', name, '--label', 'label', '--json', 'parts/test.csv']);
      assert.strictEqual((lastLine(evaluated.stdout) as { accuracy: number }).accuracy, accuracy.value);
    }
    const [{ difference, test }] = comparison.pairs as [(typeof comparison.pairs)[number]];
    assert.ok(Math.abs(difference.value - (test.onlyFirst - test.onlySecond) / 40) < 1e-12);
    assert.match(compared.stdout, /\.\/best − \.\/other +\+\d/);
  });

  it('tunes on after it was killed, wherever that was, and trains nothing twice', async () => {
    writeFileSync(cli.at('train.csv'), table(120, 1));
    const whole = lastLine(cli.run([...search, '--output', 'whole', 'train.csv']).stdout) as TuneJson;
    const scores = ({ ranking }: TuneJson): unknown => ranking.map(({ hyperparameters, mean, deviation }) => ({ hyperparameters, mean, deviation }));
    const target = cli.at('killed');
    mkdirSync(target);
    const lines = (): string[] => (existsSync(cli.at('killed/tune.jsonl')) ? cli.read('killed/tune.jsonl').split('\n').filter((line) => line !== '') : []);
    let kills = 0;
    let ended: NodeJS.Signals | null = null;
    // kills it after more and more changes in the folder: checkpoints come and go there, and lines come
    for (let changes = 2; lines().length < 4; changes += 3) {
      const child = cli.start([...search, '--output', 'killed', 'train.csv'], 'ignore');
      let seen = 0;
      const watcher = watch(target, () => {
        if (++seen === changes) child.kill('SIGKILL');
      });
      ended = await new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)));
      watcher.close();
      if (ended === 'SIGKILL') kills++;
    }
    assert.ok(kills >= 2, `${kills} kills`);
    const keys = lines().map((line) => (JSON.parse(line) as { key: string }).key);
    assert.strictEqual(new Set(keys).size, 4);
    assert.strictEqual(keys.length, 4, 'a fold was trained twice');
    const result = cli.done([...search, '--output', 'killed', 'train.csv']);
    const last = lastLine(result.stdout) as TuneJson;
    assert.deepStrictEqual([last.trained, last.reused], [0, 4]);
    assert.deepStrictEqual(scores(last), scores(whole));
  });

  it('draws at random, and says on Ctrl+C that the same command continues', async function () {
    if (process.platform === 'win32') this.skip();
    const args = ['tune', '--label', 'label', '--folds', '2', '--random', '2', '--range', 'learningRate=0.001..0.02;dropout=0.1..0.5', ...small, '--epochs', '1000', '--patience', '1000', '--output', 'stopped', 'all.csv'];
    mkdirSync(cli.at('stopped'));
    const child = cli.start(args, ['ignore', 'ignore', 'pipe']);
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    let isStopped = false;
    const watcher = watch(cli.at('stopped'), () => {
      // a second one would end it without a word
      if (!isStopped) isStopped = child.kill('SIGINT');
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    watcher.close();
    assert.strictEqual(status, 130, stderr);
    assert.match(stderr, /202 rows, 2 settings, 2 folds: 4 trainings\.\n(?:.*\n)*The same command continues\.\nCancelled\.\n$/);
  });

  it('explains mistakes and exits with 2, failures with 1', async () => {
    writeFileSync(cli.at('numbers.csv'), 'text,stars\nfine,4\nbad,one\n');
    writeFileSync(cli.at('bad.json'), '{"formatVersion":1,"name":"x","preset":"bilstm-pool","hyperparameters":{"hiddenUnits":30}}');
    writeFileSync(cli.at('map.csv'), 'old,new\na,b\n');
    const prepare = ['prepare', '--label', 'label', '--output', 'none'];
    const tune = ['tune', '--label', 'label', '--output', 'none'];
    const cases: readonly Mistake[] = [
      [['prepare', '--label', 'label', 'all.csv'], 2, /--output is missing/],
      [['prepare', '--output', 'none', 'all.csv'], 2, /--label is missing/],
      [[...prepare, '--split', '0.8,0.3,0.1', 'all.csv'], 2, /--split takes three shares whose sum is 1/],
      [[...prepare, '--split', '0,0.5,0.5', 'all.csv'], 2, /--split takes/],
      [[...prepare, '--split', '0.9,0.1', 'all.csv'], 2, /--split takes/],
      [[...prepare, '--words', '0', 'all.csv'], 2, /--words takes a whole number/],
      [[...prepare, '--seed', '1.5', 'all.csv'], 2, /--seed takes/],
      [[...prepare, '--kind', 'many', 'all.csv'], 2, /--kind takes single, multi, number/],
      [[...prepare, '--only-mapped', 'all.csv'], 2, /--only-mapped drops what --map and --map-file lack/],
      [[...prepare, '--map', 'a', 'all.csv'], 1, /--map says "a", which is no pair/],
      [[...prepare, '--map-file', 'map.csv', 'all.csv'], 1, /map\.csv has no column "from"/],
      [[...prepare, '--map-file', 'absent.json', 'all.csv'], 1, /absent\.json does not exist/],
      [[...prepare, '--map', 'x=y', '--only-mapped', 'all.csv'], 1, /all\.csv: none of 203 rows is left.*201 a label that is not mapped/],
      [['prepare', '--label', 'stars', '--kind', 'number', '--output', 'none', 'numbers.csv'], 1, /numbers\.csv, row 2, column stars: "one" is no number/],
      [['prepare', '--label', 'sentiment', '--output', 'none', 'all.csv'], 1, /all\.csv has no column "sentiment".*"id", "text", "label"/],
      [['prepare', '--label', 'label', '--output', 'all.csv', 'all.csv'], 1, /all\.csv is a file, and a folder is needed there/],
      [[...tune, '--grid', 'epochs=1', '--random', '3', 'all.csv'], 2, /Give one of them/],
      [[...tune, '--random', '3', 'all.csv'], 2, /--random and --range go together/],
      [[...tune, '--grid', 'epochs=1,2', '--epochs', '3', 'all.csv'], 2, /--epochs fixes what --grid tries/],
      [[...tune, '--folds', '1', 'all.csv'], 2, /--folds takes a whole number from 2 to 50/],
      [[...tune, '--best-by', 'rmse', 'all.csv'], 2, /--best-by takes accuracy, macroF1, loss, ece\./],
      [[...tune, '--presets', 'bilstm-pool,gru', 'all.csv'], 2, /There is no preset gru.*bilstm-pool/],
      [[...tune, '--presets', 'bad.json', 'all.csv'], 1, /bad\.json: hiddenUnits .*multiple of 4/],
      [[...tune, '--grid', 'rate=1', 'all.csv'], 1, /no hyperparameter rate/],
      [[...tune, '--grid', 'hiddenUnits=30', 'all.csv'], 1, /hiddenUnits.*multiple of 4/],
      [['train', '--label', 'label', '--output', 'none', '--preset', 'bad.json', 'all.csv'], 1, /bad\.json: hiddenUnits/],
      [['train', '--label', 'label', '--output', 'none', '--preset', 'absent.json', 'all.csv'], 1, /absent\.json does not exist/],
      [['compare', './a', '--label', 'label', 'all.csv'], 2, /Two or more MODELs are expected/],
      [['compare', './a', './a', '--label', 'label', 'all.csv'], 2, /\.\/a is there twice/],
      [['compare', './best', './missing', '--label', 'label', 'all.csv'], 1, /missing holds no model\.json/],
      [['compare', './best', './other', '--label', 'label', 'all.csv'], 1, /all\.csv, row 1, column label: the model \.\/best does not know these labels of the file: positive, negative, unsure\. It knows neg, pos/],
    ];
    await cli.explains(cases);
    assert.deepStrictEqual(existsSync(cli.at('none')) ? readdirSync(cli.at('none')) : [], [], 'nothing half-written stays behind');
    mkdirSync(cli.at('own'));
    writeFileSync(cli.at('own/train.csv'), table(20, 1));
    const same = cli.run(['prepare', '--label', 'label', '--output', 'own/', 'own/train.csv']);
    assert.match(same.stderr, /The parts would replace own\/train\.csv itself/);
    assert.strictEqual(cli.read('own/train.csv'), table(20, 1));
    for (const command of ['prepare', 'tune', 'compare']) assert.match(cli.run([command, '--help']).stdout, new RegExp(`^label-lens ${command} \\[flags\\] --label COL`));
  });

  it('prepares standard input', () => {
    cli.done(['prepare', '--label', 'label', '--output', 'piped', '-'], table(50, 3));
    assert.deepStrictEqual(readdirSync(cli.at('piped')).sort(), ['test.csv', 'train.csv', 'valid.csv']);
  });
});
