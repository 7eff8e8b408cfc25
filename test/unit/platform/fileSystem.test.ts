import * as assert from 'node:assert';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { HumanError } from '../../../src/core/errors';
import { fileError } from '../../../src/platform/node/fileErrors';
import { NodeFileSystem } from '../../../src/platform/node/fileSystem';

describe('NodeFileSystem', () => {
  const files = new NodeFileSystem();
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'label-lens-fs-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const at = (...names: string[]): string => path.join(folder, ...names);

  it('does as a map of paths would', async () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const file = fc.tuple(fc.constantFrom('x', 'y'), name).map((names) => names.join('/'));
    const action = fc.oneof(
      fc.record({ type: fc.constant('write' as const), file, content: fc.uint8Array({ maxLength: 50 }) }),
      fc.record({ type: fc.constant('remove' as const), file }),
      fc.record({ type: fc.constant('rename' as const), file, to: file }),
      fc.record({ type: fc.constant('removeFolder' as const) }),
      fc.record({ type: fc.constant('renameFolder' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (actions) => {
        const root = mkdtempSync(at('run-'));
        const expected = new Map<string, Uint8Array>();
        const inFolder = (name: string): string[] => [...expected.keys()].filter((key) => key.startsWith(`${name}/`));
        for (const action of actions) {
          switch (action.type) {
            case 'write':
              await files.writeFileAtomically(path.join(root, action.file), action.content);
              expected.set(action.file, action.content);
              break;
            case 'remove':
              await files.remove(path.join(root, action.file));
              expected.delete(action.file);
              break;
            case 'rename': {
              const content = expected.get(action.file);
              if (content === undefined || !existsSync(path.join(root, path.dirname(action.to)))) break;
              await files.rename(path.join(root, action.file), path.join(root, action.to));
              expected.delete(action.file);
              expected.set(action.to, content);
              break;
            }
            case 'removeFolder':
              await files.remove(path.join(root, 'x'));
              inFolder('x').forEach((key) => expected.delete(key));
              break;
            case 'renameFolder': {
              // also over one that has files
              if (!existsSync(path.join(root, 'x'))) break;
              await files.rename(path.join(root, 'x'), path.join(root, 'y'));
              inFolder('y').forEach((key) => expected.delete(key));
              for (const key of inFolder('x')) {
                expected.set(key.replace('x/', 'y/'), expected.get(key)!);
                expected.delete(key);
              }
              break;
            }
          }
        }
        for (const key of ['x', 'y'].flatMap((parent) => ['a', 'b', 'c'].map((child) => `${parent}/${child}`))) {
          const content = await files.readFile(path.join(root, key));
          // not equal if it is a Buffer
          assert.deepStrictEqual(content, expected.get(key));
          assert.strictEqual(await files.size(path.join(root, key)), expected.get(key)?.length);
        }
        for (const parent of ['x', 'y']) {
          const listed = await files.list(path.join(root, parent));
          assert.deepStrictEqual(listed.map(({ name }) => `${parent}/${name}`).sort(), inFolder(parent).sort(), 'something was left behind');
          assert.ok(listed.every(({ kind }) => kind === 'file'));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('appends as to one long text, reads any part of it, and cuts what has not changed', async () => {
    const action = fc.oneof(
      fc.record({ type: fc.constant('append' as const), lines: fc.array(fc.constantFrom('a', 'ä', '很好', ''), { minLength: 1, maxLength: 3 }).map((lines) => lines.map((line) => `${line}\n`).join('')) }),
      fc.record({ type: fc.constant('tear' as const), text: fc.constantFrom('half', 'ha') }),
      fc.record({ type: fc.constant('cut' as const), size: fc.nat(20), off: fc.constantFrom(0, 0, 1) }),
      fc.record({ type: fc.constant('read' as const), offset: fc.nat(30), length: fc.nat(30) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (actions) => {
        const file = path.join(mkdtempSync(at('run-')), 'deep/er/file');
        let expected: Buffer | undefined;
        for (const action of actions) {
          switch (action.type) {
            case 'append':
              expected = Buffer.concat([expected ?? Buffer.alloc(0), Buffer.from(expected?.length && expected.at(-1) !== 10 ? '\n' : ''), Buffer.from(action.lines)]);
              assert.strictEqual(await files.append(file, Buffer.from(action.lines), true), expected.length);
              break;
            case 'tear':
              if (expected === undefined) break;
              writeFileSync(file, action.text, { flag: 'a' });
              expected = Buffer.concat([expected, Buffer.from(action.text)]);
              break;
            case 'cut': {
              const size = Math.min(action.size, expected?.length ?? 0);
              assert.strictEqual(await files.truncate(file, size, (expected?.length ?? 0) + action.off), expected !== undefined && action.off === 0);
              if (action.off === 0) expected = expected?.subarray(0, size);
              break;
            }
            case 'read':
              assert.deepStrictEqual(await files.readFrom(file, action.offset, action.length), expected && new Uint8Array(expected.subarray(action.offset, action.offset + action.length)));
          }
          assert.deepStrictEqual(await files.readFile(file), expected && new Uint8Array(expected));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('appends whole lines when many do at once', async () => {
    const lines = Array.from({ length: 50 }, (_, index) => `${`${index}`.repeat(5000)}\n`);
    const sizes = await Promise.all(lines.map((line) => files.append(at('new', 'file'), Buffer.from(line), true)));
    const written = readFileSync(at('new', 'file'), 'utf8');
    // one that saw another in the middle of its line begins with a line feed
    assert.deepStrictEqual(written.split('\n').filter((line) => line !== '').sort(), lines.map((line) => line.slice(0, -1)).sort());
    assert.ok(written.endsWith('\n'));
    assert.strictEqual(Math.max(...sizes), written.length);
  });

  it('does not append to a file that is gone, also when it goes meanwhile', async () => {
    const isMissing = (error: unknown): boolean => error instanceof HumanError && error.code === 'file.missing' && error.message.startsWith(at('folder/file'));
    mkdirSync(at('folder'));
    await assert.rejects(files.append(at('folder/file'), Buffer.from('x\n'), false), isMissing);
    writeFileSync(at('folder/file'), 'x\n');
    await files.append(at('folder/file'), Buffer.from('y\n'), false);
    await whileWriting(
      async (write) => {
        rmSync(at('folder'), { recursive: true });
        return await write();
      },
      () => assert.rejects(files.append(at('folder/file'), Buffer.from('z\n'), false), isMissing),
    );
    await assert.rejects(files.append(at('folder/file'), Buffer.from('z\n'), false), isMissing);
    assert.ok(!existsSync(at('folder')));
  });

  it('takes back what it wrote before the disk was full, and says that it is', async () => {
    const isFull = (error: unknown): boolean => error instanceof HumanError && error.code === 'file.full';
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
    writeFileSync(at('file'), 'x\n');
    let calls = 0;
    await whileWriting(
      (write) => (calls++ === 0 ? write(3) : Promise.reject(full)),
      () => assert.rejects(files.append(at('file'), Buffer.from('long line\n'), false), isFull),
    );
    assert.strictEqual(calls, 2);
    assert.strictEqual(readFileSync(at('file'), 'utf8'), 'x\n');
    if (!existsSync('/dev/full')) return;
    symlinkSync('/dev/full', at('full'));
    await assert.rejects(files.append(at('full'), Buffer.from('x\n'), true), isFull);
  });

  it('says when somebody cuts the file while it writes', async () => {
    writeFileSync(at('file'), 'x\ny\n');
    await whileWriting(
      async (write) => {
        const written = await write();
        writeFileSync(at('file'), '');
        return written;
      },
      () => assert.rejects(files.append(at('file'), Buffer.from('z\n'), false), (error) => error instanceof HumanError && error.code === 'file.changed'),
    );
  });

  /** Runs `work` with `write` in place of what handles of files do to write. */
  async function whileWriting(write: (original: (length?: number) => Promise<{ bytesWritten: number }>) => Promise<{ bytesWritten: number }>, work: () => Promise<void>): Promise<void> {
    const handle = await open(at('probe'), 'w');
    await handle.close();
    const prototype = Object.getPrototypeOf(handle) as { write: (this: FileHandle, content: Uint8Array, offset: number, length?: number) => Promise<{ bytesWritten: number }> };
    const original = prototype.write;
    prototype.write = function (content, offset) {
      return write((length) => original.call(this, content, offset, length));
    };
    try {
      await work();
    } finally {
      prototype.write = original;
    }
  }

  it('tells files from folders, through links too', async () => {
    mkdirSync(at('folder'));
    writeFileSync(at('file'), 'x');
    symlinkSync(at('folder'), at('link to folder'));
    symlinkSync(at('file'), at('link to file'));
    symlinkSync(at('none'), at('dead link'));
    const listed = await files.list(folder);
    assert.deepStrictEqual(Object.fromEntries(listed.map(({ name, kind }) => [name, kind])), { folder: 'folder', file: 'file', 'link to folder': 'folder', 'link to file': 'file' });
    assert.strictEqual(await files.size(at('folder')), undefined);
    assert.deepStrictEqual(await files.list(at('none')), []);
    assert.deepStrictEqual(await files.list(at('file')), []);
  });

  it('writes all of a large file or nothing, also when many write at once', async () => {
    const contents = Array.from({ length: 8 }, (_, i) => Buffer.alloc(300_000, `${i}`));
    await Promise.all(contents.map((content) => files.writeFileAtomically(at('deep/er', 'file'), content)));
    const written = readFileSync(at('deep/er', 'file'));
    assert.ok(contents.some((content) => content.equals(written)));
    assert.deepStrictEqual(readdirSync(at('deep/er')), ['file']);
  });

  it('keeps the permissions of what it replaces', async () => {
    if (process.platform === 'win32') return;
    writeFileSync(at('file'), 'old');
    chmodSync(at('file'), 0o600);
    await files.writeFileAtomically(at('file'), Buffer.from('new'));
    assert.strictEqual(statSync(at('file')).mode & 0o777, 0o600);
  });

  it('words what is wrong, and leaves no trace of it', async () => {
    writeFileSync(at('file'), 'x');
    await assert.rejects(files.writeFileAtomically(folder, Buffer.from('x')), (error) => error instanceof HumanError && error.message.startsWith(folder));
    await assert.rejects(files.writeFileAtomically(at('file', 'below'), Buffer.from('x')), (error) => error instanceof HumanError);
    await assert.rejects(files.readFile(folder), (error) => error instanceof HumanError && error.code === 'file.folder');
    await assert.rejects(files.rename(at('none'), at('file')), (error) => error instanceof HumanError && error.code === 'file.missing');
    assert.deepStrictEqual(readdirSync(folder), ['file']);
    assert.deepStrictEqual(readdirSync(path.dirname(folder)).filter((name) => name.includes(`.${path.basename(folder)}.`)), []);
  });
});

describe('fileError', () => {
  it('names the path and a remedy for what the system says', () => {
    const codes = { ENOSPC: 'file.full', EDQUOT: 'file.full', EACCES: 'file.denied', EPERM: 'file.denied', EROFS: 'file.readOnly', ENOENT: 'file.missing', ENOTDIR: 'file.missing', EISDIR: 'file.folder', EBUSY: 'file.busy', EIO: 'file.failed' };
    for (const doing of ['read', 'write'] as const) {
      for (const [system, code] of Object.entries(codes)) {
        const cause = Object.assign(new Error(`${system}: …`), { code: system, syscall: 'write' });
        const error = fileError(cause, 'some/file.csv', doing);
        assert.ok(error instanceof HumanError);
        assert.strictEqual(error.code, code);
        assert.match(error.message, /^some\/file\.csv [^.]+\. [A-Z][^.]+\.$/);
        assert.strictEqual(error.cause, cause);
      }
    }
  });

  it('leaves alone what is not the system’s', () => {
    const human = new HumanError('a.b', 'Stop. Go.');
    const defect = new TypeError('defect');
    assert.strictEqual(fileError(human, 'f', 'read'), human);
    assert.strictEqual(fileError(defect, 'f', 'read'), defect);
  });
});
