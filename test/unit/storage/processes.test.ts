import * as esbuild from 'esbuild';
import * as assert from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { formatDecision, parseDecision } from '../../../src/core/labels/decision';
import { exampleId } from '../../../src/core/text/normalize';
import { Random } from '../../../src/core/util/random';
import { NodeFileSystem } from '../../../src/platform/node/fileSystem';
import { JournalStore } from '../../../src/storage/journalStore';
import { TaskStore } from '../../../src/storage/taskStore';
import { decision, task } from '../labels/decisions';

describe('journals, processes and git', function () {
  // whole processes, more than fifty of them, on a machine that may be busy
  this.timeout(300_000);
  let root: string;
  const files = new NodeFileSystem();
  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'label-lens-journal-'));
    await esbuild.build({ entryPoints: ['test/unit/storage/writer.ts'], outfile: path.join(root, 'writer.js'), bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'warning' });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  /** Runs a writer, until it ends or has acknowledged `kill` decisions. @returns what it acknowledged */
  const write = (folder: string, name: string, count: number, kill = Infinity): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [path.join(root, 'writer.js'), folder, 'mei', name, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
      let told = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        told += text;
        if (told.split('\n').length > kill) child.kill('SIGKILL');
      });
      child.once('error', reject);
      child.once('close', (status, signal) => (status === 0 || signal === 'SIGKILL' ? resolve(told.split('\n').slice(0, -1)) : reject(new Error(`the writer ended with ${status}`))));
    });
  const linesOf = (file: string): readonly string[] => readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');

  it('lose no acknowledged decision when the process is killed fifty times', async () => {
    const folder = path.join(root, 'killed');
    const random = new Random(4);
    const acknowledged: string[] = [];
    // two at a time: one begins, and repairs, while the other writes
    for (let run = 0; run < 50; run += 2) acknowledged.push(...(await Promise.all([run, run + 1].map((each) => write(folder, `${each}`, 1_000_000, 1 + random.below(20))))).flat());
    const { store } = await JournalStore.open({ fileSystem: files, folder, task, annotator: 'mei' });
    assert.ok(acknowledged.length >= 50);
    assert.deepStrictEqual(acknowledged.filter((text) => store.state.stateOf(exampleId(text))?.value !== 'good'), []);
    assert.deepStrictEqual(store.foreign, []);
    assert.strictEqual(linesOf(path.join(folder, 'mei.jsonl')).length, [...store.state.decisions()].length);
  });

  it('take a thousand decisions from each of two processes at once', async () => {
    const folder = path.join(root, 'two');
    const told = (await Promise.all(['one', 'two'].map((name) => write(folder, name, 1000)))).flat();
    assert.strictEqual(new Set(told).size, 2000);
    const lines = linesOf(path.join(folder, 'mei.jsonl'));
    assert.strictEqual(lines.length, 2000);
    const decided = lines.map((line) => {
      const parsed = parseDecision(line, 'mei.jsonl', 'single');
      assert.ok(parsed.kind === 'decision', line);
      return parsed.decision.text;
    });
    assert.deepStrictEqual(decided.sort(), [...told].sort());
    const { store, problems } = await JournalStore.open({ fileSystem: files, folder, task, annotator: 'mei' });
    assert.deepStrictEqual(problems, []);
    assert.strictEqual(store.state.counts().labeled, 2000);
  });

  it('are merged by git without a conflict, whoever merges whom', async () => {
    const states: unknown[] = [];
    for (const [main, side] of [['left', 'right'], ['right', 'left']] as const) {
      const folder = path.join(root, `git ${main}`);
      mkdirSync(folder);
      const git = (...args: string[]): string =>
        execFileSync('git', ['-c', 'user.name=mei', '-c', 'user.email=mei@example.org', '-c', 'init.defaultBranch=start', '-c', 'commit.gpgsign=false', ...args], { cwd: folder, encoding: 'utf8', env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' } });
      await new TaskStore(files, folder).create(task);
      const labels = path.join(folder, '.label-lens/reviews/labels');
      const add = (annotator: string, decisions: readonly ReturnType<typeof decision>[]): void => writeFileSync(path.join(labels, `${annotator}.jsonl`), decisions.map((each) => `${formatDecision(each)}\n`).join(''), { flag: 'a' });
      const commit = (message: string): string => (git('add', '-A'), git('commit', '-q', '-m', message));
      git('init', '-q');
      add('mei', [decision(1, 'a', 'good'), decision(2, 'b', 'good')]);
      commit('start');
      const sides = {
        left: () => add('mei', [decision(3, 'a', 'bad'), decision(5, 'c', 'good')]),
        right: () => {
          add('mei', [decision(4, 'a', 'mixed'), decision(6, 'b', undefined)]);
          add('li', [decision(7, 'c', 'bad', { annotator: 'li' })]);
        },
      };
      for (const name of ['left', 'right'] as const) {
        git('checkout', '-q', '-b', name, 'start');
        sides[name]();
        commit(name);
      }
      git('checkout', '-q', main);
      const { store } = await JournalStore.open({ fileSystem: files, folder: labels, task, annotator: 'mei' });
      git('merge', '-q', '--no-edit', side);
      const { problems } = await store.refresh();
      assert.deepStrictEqual(problems, []);
      assert.strictEqual(linesOf(path.join(labels, 'mei.jsonl')).length, 6);
      const { store: fresh, problems: found } = await JournalStore.open({ fileSystem: files, folder: labels, task });
      assert.deepStrictEqual(found, []);
      assert.deepStrictEqual([...store.state.decisions()], [...fresh.state.decisions()]);
      assert.deepStrictEqual(['a', 'b', 'c'].map((text) => store.state.stateOf(exampleId(text))?.value), ['mixed', undefined, 'bad']);
      states.push([...store.state.decisions()]);
      assert.strictEqual(git('status', '--porcelain'), '');
      assert.deepStrictEqual(readdirSync(labels).sort(), ['.gitattributes', 'li.jsonl', 'mei.jsonl']);
      // models stay out
      mkdirSync(path.join(folder, '.label-lens/reviews/models'));
      writeFileSync(path.join(folder, '.label-lens/reviews/models/current'), 'v1\n');
      assert.strictEqual(git('status', '--porcelain'), '');
    }
    assert.deepStrictEqual(states[0], states[1]);
  });
});
