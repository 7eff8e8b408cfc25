import * as assert from 'node:assert';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
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
