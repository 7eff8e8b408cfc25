import * as assert from 'node:assert';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { useCommandLine } from './commandLine';
import { table } from './table';

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

describe('training on the command line that is killed', function () {
  // whole processes, a dozen of them, on a machine that may be busy
  this.timeout(300_000);
  const cli = useCommandLine();
  const files = ['model.onnx', 'tokenizer.json'] as const;
  /** What an uninterrupted run gives. */
  const whole: Record<string, Buffer> = {};

  /**
   * Trains into `output`.
   * @param stop kills the process with that signal after so many changes in the folder: temporary files and checkpoints come and go there
   */
  const train = async (output: string, more: readonly string[] = [], stop?: { readonly signal: NodeJS.Signals; readonly changes: number }): Promise<Ended> => {
    const target = cli.at(output);
    mkdirSync(target, { recursive: true });
    // the name stands in model.onnx
    const child = cli.start(['train', '--label', 'label', '--embedding-size', '16', '--hidden-units', '16', '--epochs', '20', '--patience', '20', '--name', 'same', '--output', output, ...more, 'train.csv'], ['ignore', 'ignore', 'pipe']);
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    let changes = 0;
    const watcher = watch(target, () => {
      if (stop && ++changes === stop.changes) child.kill(stop.signal);
    });
    try {
      return await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (status, signal) => resolve({ status, signal, stderr }));
      });
    } finally {
      watcher.close();
    }
  };
  const assertSame = (output: string): void => {
    for (const file of files) assert.ok(readFileSync(cli.at(output, file)).equals(whole[file]!), file);
    assert.deepStrictEqual(readdirSync(cli.at(output)).sort(), ['model.json', 'model.onnx', 'report.html', 'report.md', 'tokenizer.json'], 'nothing else is left');
  };

  before(async () => {
    writeFileSync(cli.at('train.csv'), table(600, 1));
    const ended = await train('whole');
    assert.strictEqual(ended.status, 0, ended.stderr);
    for (const file of files) whole[file] = readFileSync(cli.at('whole', file));
    assertSame('whole');
  });

  it('ends with the same model, wherever it was killed and however often', async () => {
    let killed = 0;
    let continued = 0;
    for (let changes = 1; killed < 6 || continued < 3; changes = (changes % 11) + 1) {
      // threads change nothing
      const { status, signal, stderr } = await train('killed', ['--workers', String(1 + (changes % 2))], { signal: 'SIGKILL', changes });
      if (signal === 'SIGKILL') killed++;
      // it was done before the signal came: the next run begins anew
      else assert.strictEqual(status, 0, stderr);
      if (/^Continuing after epoch \d+/m.test(stderr)) continued++;
      assert.doesNotMatch(stderr, /damaged|cannot|other settings/);
    }
    const ended = await train('killed');
    assert.strictEqual(ended.status, 0, ended.stderr);
    assertSame('killed');
  });

  it('says on Ctrl+C that the same command continues, and --restart begins anew', async function () {
    if (process.platform === 'win32') this.skip();
    let stopped: Ended;
    // a checkpoint is there after its temporary file has come and been written and renamed
    do {
      rmSync(cli.at('stopped'), { recursive: true, force: true });
      stopped = await train('stopped', ['--epochs', '1000', '--patience', '1000'], { signal: 'SIGINT', changes: 8 });
    } while (!existsSync(cli.at('stopped/training.checkpoint')));
    assert.strictEqual(stopped.status, 130, stopped.stderr);
    assert.match(stopped.stderr, /The same command continues this training\.\nCancelled\.\n$/);
    cpSync(cli.at('stopped'), cli.at('copy'), { recursive: true });

    const other = await train('stopped');
    assert.match(other.stderr, /stopped\/training\.checkpoint is of a training with other rows or other settings, so training starts from the beginning/);
    assert.strictEqual(other.status, 0, other.stderr);
    assertSame('stopped');

    const anew = await train('copy', ['--restart']);
    assert.doesNotMatch(anew.stderr, /checkpoint|Continuing/);
    assert.strictEqual(anew.status, 0, anew.stderr);
    assertSame('copy');
  });

  it('starts over from a damaged checkpoint, and says so', async () => {
    mkdirSync(cli.at('damaged'));
    writeFileSync(cli.at('damaged/training.checkpoint'), 'half a ');
    const { status, stderr } = await train('damaged');
    assert.match(stderr, /damaged\/training\.checkpoint is damaged or is none, so training starts from the beginning/);
    assert.strictEqual(status, 0, stderr);
    assertSame('damaged');
  });
});
