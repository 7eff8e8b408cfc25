import * as assert from 'node:assert';
import { spawn, spawnSync, type ChildProcess, type SpawnSyncReturns, type StdioOptions } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import * as path from 'node:path';
import { buildDist } from '../../dist';

/** What a person who makes a mistake is to see: the arguments, the exit status, what stands on stderr. */
export type Mistake = readonly [args: readonly string[], status: number, message: RegExp];

/**
 * The baseline compiler alone: a process that predicts a few rows would spend two thirds of its time on optimizing the WebAssembly of onnxruntime, 14 MB, which computes the same either way.
 */
const nodeFlags = ['--liftoff-only'];

/** The command line, built into a folder that is also where its processes run. */
export class CommandLine {
  private path: string | undefined;

  get folder(): string {
    assert.ok(this.path !== undefined, 'The folder is there when tests run.');
    return this.path;
  }

  async open(): Promise<void> {
    this.path = mkdtempSync(path.join(tmpdir(), 'label-lens-cli-'));
    await buildDist(path.join(this.path, 'dist'), ['cli', 'predictor', 'trainer', 'kernelHelper']);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A file's place in the folder. */
  at(...names: readonly string[]): string {
    return path.join(this.folder, ...names);
  }

  read(file: string): string {
    return readFileSync(this.at(file), 'utf8');
  }

  run(args: readonly string[], input?: string): SpawnSyncReturns<string> {
    return spawnSync(process.execPath, this.argv(args), { cwd: this.folder, encoding: 'utf8', ...(input === undefined ? {} : { input }) });
  }

  /** As {@link run}, of what should succeed. */
  done(args: readonly string[], input?: string): SpawnSyncReturns<string> {
    const result = this.run(args, input);
    assert.strictEqual(result.status, 0, result.stderr);
    return result;
  }

  start(args: readonly string[], stdio: StdioOptions): ChildProcess {
    return spawn(process.execPath, this.argv(args), { cwd: this.folder, stdio });
  }

  /** Makes the mistakes, as many at a time as there are cores. */
  async explains(mistakes: readonly Mistake[]): Promise<void> {
    const left = [...mistakes];
    const lane = async (): Promise<void> => {
      for (let mistake = left.shift(); mistake; mistake = left.shift()) {
        const [args, status, message] = mistake;
        const child = this.start(args, ['ignore', 'ignore', 'pipe']);
        let stderr = '';
        child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
        const ended = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
        assert.match(stderr, message, args.join(' '));
        assert.strictEqual(ended, status, args.join(' '));
        assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace for a person');
      }
    };
    // all have ended, also when one is not as it should be
    for (const outcome of await Promise.allSettled(Array.from({ length: availableParallelism() }, lane))) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private argv(args: readonly string[]): string[] {
    return [...nodeFlags, this.at('dist/cli.js'), ...args];
  }
}

/** A command line for all tests of the `describe` that calls it; its folder is there in tests only. */
export function useCommandLine(): CommandLine {
  const cli = new CommandLine();
  before(() => cli.open());
  after(() => cli.close());
  return cli;
}

/** The JSON that a command prints last. */
export function lastLine(text: string): unknown {
  return JSON.parse(text.trimEnd().split('\n').at(-1)!);
}
