import * as assert from 'node:assert';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import type { HumanError } from '../../../src/core/errors';
import { fileError } from '../../../src/platform/node/fileErrors';
import { NodeFileSystem } from '../../../src/platform/node/fileSystem';
import { CheckpointFile } from '../../../src/storage/checkpointFile';
import { isTemporaryName, temporaryName } from '../../../src/storage/fileSystem';
import { CheckpointKeeper, type CheckpointStore } from '../../../src/training/checkpointKeeper';
import { MemoryFileSystem } from '../app/memoryFileSystem';

const place = '/models/mine/training.checkpoint';

/** As the operating system says it. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: write`), { code, syscall: 'write' });
}

/** A store whose saves end when the test says so. */
class SlowStore implements CheckpointStore {
  readonly where = place;
  readonly begun: number[] = [];
  stored: number | undefined;
  private readonly ends: ((error?: Error) => void)[] = [];

  load(): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.stored === undefined ? undefined : Uint8Array.of(this.stored));
  }

  async save(checkpoint: Uint8Array): Promise<void> {
    const value = checkpoint[0]!;
    this.begun.push(value);
    await new Promise<void>((resolve, reject) => this.ends.push((error) => (error ? reject(error) : resolve())));
    this.stored = value;
  }

  clear(): Promise<void> {
    this.stored = undefined;
    return Promise.resolve();
  }

  get saving(): number {
    return this.ends.length;
  }

  end(error?: Error): void {
    this.ends.shift()!(error);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function keeperOf(store: CheckpointStore): { keeper: CheckpointKeeper; problems: HumanError[]; saves: () => number } {
  const problems: HumanError[] = [];
  let saves = 0;
  return { keeper: new CheckpointKeeper(store, { onSaved: () => saves++, onProblem: (problem) => problems.push(problem) }), problems, saves: () => saves };
}

describe("a checkpoint's keeper", () => {
  it('saves one at a time and the latest at last, whatever comes while it saves and whatever fails', async () => {
    const step = fc.oneof(fc.constant('put' as const), fc.constant('saved' as const), fc.constant('failed' as const));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = new SlowStore();
        const { keeper, problems, saves } = keeperOf(store);
        let latest = 0;
        let fails = 0;
        for (const what of steps) {
          if (what === 'put') keeper.put(Uint8Array.of(++latest));
          else if (store.saving > 0) {
            if (what === 'failed') fails++;
            store.end(what === 'failed' ? systemError('EIO') : undefined);
          }
          await turn();
          assert.ok(store.saving <= 1, 'one at a time');
          assert.strictEqual(keeper.isStored, store.stored !== undefined);
        }
        const settled = keeper.settle(false);
        while (store.saving > 0) {
          store.end();
          await turn();
        }
        await settled;
        assert.deepStrictEqual(store.begun, [...store.begun].sort((a, b) => a - b), 'none is saved after a later one');
        assert.strictEqual(store.begun.at(-1) ?? 0, latest);
        assert.strictEqual(problems.length, Math.min(fails, 1), 'told once');
        assert.strictEqual(saves(), store.begun.length - fails);
      }),
    );
  });

  it('drops what waits when training has ended, but waits for what is being saved', async () => {
    const store = new SlowStore();
    const { keeper } = keeperOf(store);
    keeper.put(Uint8Array.of(1));
    keeper.put(Uint8Array.of(2));
    let settled = false;
    const settling = keeper.settle(true).then(() => (settled = true));
    await turn();
    assert.ok(!settled);
    store.end();
    await settling;
    assert.deepStrictEqual(store.begun, [1]);
    keeper.put(Uint8Array.of(3));
    const cleared = keeper.clear();
    store.end();
    await cleared;
    assert.deepStrictEqual([store.stored, keeper.isStored], [undefined, false]);
  });

  for (const [code, id, words] of [
    ['ENOSPC', 'training.checkpointFull', /disk is full.*goes on in memory.*free some space/],
    ['EDQUOT', 'training.checkpointFull', /disk is full/],
    ['EROFS', 'training.checkpointDenied', /may not be written.*goes on in memory.*folder writable/],
    ['EACCES', 'training.checkpointDenied', /may not be written/],
    ['EIO', 'training.checkpointFailed', /\(EIO\).*goes on in memory.*check the path/],
  ] as const) {
    it(`says what to do about ${code}, and saves again when it can`, async () => {
      let error: Error | undefined = fileError(systemError(code), place, 'write');
      const fileSystem = new MemoryFileSystem();
      const { keeper, problems } = keeperOf(
        new CheckpointFile(Object.assign(Object.create(fileSystem) as MemoryFileSystem, { writeFileAtomically: (file: string, content: Uint8Array) => (error ? Promise.reject(error) : fileSystem.writeFileAtomically(file, content)) }), place),
      );
      keeper.put(Uint8Array.of(1));
      await keeper.settle(false);
      assert.strictEqual(keeper.isStored, false);
      assert.deepStrictEqual(problems.map((problem) => problem.code), [id]);
      assert.match(problems[0]!.message, words);
      assert.ok(problems[0]!.message.includes(place));
      error = undefined;
      keeper.put(Uint8Array.of(2));
      await keeper.settle(false);
      assert.deepStrictEqual(fileSystem.files.get(place), Uint8Array.of(2));
      assert.strictEqual(keeper.isStored, true);
    });
  }

  it('starts over when the file cannot be read, and says why', async () => {
    const fileSystem = Object.assign(new MemoryFileSystem(), { readFile: () => Promise.reject(fileError(systemError('EACCES'), place, 'read')) });
    fileSystem.put(place, 'checkpoint');
    const { keeper, problems } = keeperOf(new CheckpointFile(fileSystem, place));
    assert.strictEqual(await keeper.load(), undefined);
    assert.deepStrictEqual(problems.map(({ code }) => code), ['training.checkpointUnread']);
    assert.match(problems[0]!.message, /training\.checkpoint cannot be read \(EACCES\)/);
  });

  it('gives a copy away, so that moving it to a worker takes nothing from the store', async () => {
    const fileSystem = new MemoryFileSystem();
    fileSystem.put(place, 'checkpoint');
    const loaded = await keeperOf(new CheckpointFile(fileSystem, place)).keeper.load();
    structuredClone(loaded, { transfer: [loaded!.buffer] });
    assert.strictEqual(new TextDecoder().decode(fileSystem.files.get(place)), 'checkpoint');
  });
});

describe('the file of a checkpoint', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'label-lens-checkpoint-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is saved, loaded and removed, in a folder that need not be there', async () => {
    const file = new CheckpointFile(new NodeFileSystem(), path.join(folder, 'model', 'training.checkpoint'));
    assert.strictEqual(await file.load(), undefined);
    await file.save(Uint8Array.of(1));
    await file.save(Uint8Array.of(2));
    assert.deepStrictEqual(await file.load(), Uint8Array.of(2));
    await file.clear();
    await file.clear();
    assert.deepStrictEqual(readdirSync(path.join(folder, 'model')), []);
  });

  it('takes away what was left by processes that were killed while they saved it, and nothing else', async () => {
    const others = ['training.checkpoint', '.training.checkpoint.tmp', '.training.checkpoint.0123456789ab.tmp2', '.model.onnx.0123456789ab.tmp', '.training.checkpoint.0123456789AB.tmp', 'model.json'];
    for (const name of [...others, '.training.checkpoint.0123456789ab.tmp', '.training.checkpoint.ba9876543210.tmp']) writeFileSync(path.join(folder, name), name);
    mkdirSync(path.join(folder, '.training.checkpoint.000000000000.tmp'));
    const file = new CheckpointFile(new NodeFileSystem(), path.join(folder, 'training.checkpoint'));
    assert.strictEqual(new TextDecoder().decode(await file.load()), 'training.checkpoint');
    assert.deepStrictEqual(readdirSync(folder).sort(), [...others, '.training.checkpoint.000000000000.tmp'].sort());
  });

  it('is refused unread when it is larger than any', async () => {
    const fileSystem = Object.assign(new MemoryFileSystem(), { size: () => Promise.resolve(2 ** 40) });
    assert.deepStrictEqual(await new CheckpointFile(fileSystem, place).load(), new Uint8Array(0));
    assert.deepStrictEqual(fileSystem.read, []);
  });

  it('cannot lie where a file is in the way, which is told with its path', async () => {
    writeFileSync(path.join(folder, 'model'), '');
    const where = path.join(folder, 'model', 'training.checkpoint');
    const { keeper, problems } = keeperOf(new CheckpointFile(new NodeFileSystem(), where));
    assert.strictEqual(await keeper.load(), undefined);
    keeper.put(Uint8Array.of(1));
    await keeper.settle(false);
    assert.deepStrictEqual(problems.map(({ code }) => code), ['training.checkpointFailed']);
    assert.ok(problems[0]!.message.includes(where));
    assert.strictEqual(readFileSync(path.join(folder, 'model')).length, 0);
  });

  it('has temporary names that can be told from all others', () => {
    const unique = fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 12, maxLength: 12 }).map((digits) => digits.join(''));
    fc.assert(
      fc.property(fc.string({ maxLength: 260 }), fc.string({ maxLength: 260 }), unique, (name, other, digits) => {
        const temporary = temporaryName(name, digits);
        assert.ok(isTemporaryName(temporary, name) && !isTemporaryName(name, name));
        assert.strictEqual(isTemporaryName(temporary, other), name.slice(0, 200) === other.slice(0, 200));
      }),
    );
  });
});
