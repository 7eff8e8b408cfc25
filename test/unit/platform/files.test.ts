import * as assert from 'node:assert';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { CancelledError } from '../../../src/core/errors';
import { openInput, openOutput, type InputFile } from '../../../src/platform/node/files';
import { humanError } from '../humanErrors';

async function all(input: InputFile): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}


describe('files', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'label-lens-files-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string, content?: Uint8Array | string): string => {
    const file = path.join(folder, name);
    if (content !== undefined) writeFileSync(file, content);
    return file;
  };

  describe('openInput', () => {
    it('gives the bytes of a file, packed or not, whatever its name and size', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 8000 }), fc.boolean(), fc.boolean(), async (seed, times, isPacked, isNamed) => {
          // bytes that look like gzip are read as such, which is what we want
          fc.pre(isPacked || seed[0] !== 0x1f);
          const content = Buffer.concat(Array.from({ length: times }, () => seed));
          const file = at(isPacked && isNamed ? 'a.csv.gz' : 'a.csv', isPacked ? gzipSync(content) : content);
          const input = await openInput(file);
          assert.ok(content.equals(await all(input)));
          const fraction = input.fraction();
          assert.ok(fraction === 1 || (fraction === undefined && statSync(file).size === 0), `fraction ${fraction}`);
        }),
        { numRuns: 60 },
      );
    });

    it('reads standard input in whatever pieces it comes, packed too', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string(), fc.boolean(), fc.integer({ min: 1, max: 9 }), async (text, isPacked, size) => {
          const content = Buffer.from(`text${text}`);
          const bytes = isPacked ? gzipSync(content) : content;
          const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
          const input = await openInput('-', Readable.from(pieces, { objectMode: false }));
          assert.strictEqual(input.fraction(), undefined);
          assert.ok(content.equals(await all(input)));
        }),
        { numRuns: 60 },
      );
    });

    it('reads several gzip members as one', async () => {
      assert.strictEqual((await all(await openInput(at('a.gz', Buffer.concat([gzipSync('one\n'), gzipSync('two\n')]))))).toString(), 'one\ntwo\n');
    });

    it('words what is wrong', async () => {
      await assert.rejects(openInput(at('none.csv')), humanError('file.missing', 'none.csv'));
      await assert.rejects(openInput(folder), humanError('file.folder', folder));
      const packed = gzipSync(Buffer.alloc(100_000, 'abc'));
      await assert.rejects(all(await openInput(at('cut.gz', packed.subarray(0, packed.length - 20)))), humanError('file.gzip', 'cut.gz'));
      await assert.rejects(all(await openInput(at('no.gz', 'plain text'))), humanError('file.gzip', 'no.gz'));
    });

    it('closes the file when the reader leaves early', async () => {
      for (const content of [Buffer.alloc(5_000_000, 'abc'), gzipSync(randomBytes(5_000_000))]) {
        const open = (): string[] => readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === file);
        const file = at('large', content);
        const input = await openInput(file);
        for await (const chunk of input.chunks) {
          assert.ok(chunk.length > 0);
          if (existsSync('/proc/self/fd')) assert.strictEqual(open().length, 1);
          break;
        }
        await until(() => !existsSync('/proc/self/fd') || open().length === 0);
      }
    });
  });

  describe('openOutput', () => {
    it('writes what it gets, in order, and packs .gz', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 30 }), fc.boolean(), async (chunks, isPacked) => {
          const file = at(isPacked ? 'out.csv.gz' : 'out.csv');
          const output = await openOutput(file);
          for (const chunk of chunks) await output.write(chunk);
          await output.commit();
          await output.discard();
          const content = readFileSync(file);
          assert.ok(Buffer.concat(chunks).equals(isPacked ? gunzipSync(content) : content));
          assert.deepStrictEqual(readdirSync(folder).sort(), readdirSync(folder).filter((name) => name.startsWith('out.csv')).sort(), 'something was left behind');
        }),
        { numRuns: 40 },
      );
    });

    it('shows nothing before the commit, and leaves nothing but the old file after a discard', async () => {
      for (const name of ['out.csv', 'out.csv.gz']) {
        const file = at(name, 'old');
        const output = await openOutput(file);
        await output.write(Buffer.alloc(1_000_000, 'new'));
        assert.strictEqual(readFileSync(file, 'utf8'), 'old');
        await output.discard();
        await output.discard();
        assert.strictEqual(readFileSync(file, 'utf8'), 'old');
        const again = await openOutput(file);
        // a write under way when it is discarded
        const write = again.write(Buffer.alloc(30_000_000, 'new')).catch(() => undefined);
        await again.discard();
        await write;
        assert.strictEqual(readFileSync(file, 'utf8'), 'old');
        rmSync(file);
        assert.deepStrictEqual(readdirSync(folder), []);
      }
    });

    it('may replace the file that is being read', async () => {
      const file = at('same.csv', Buffer.alloc(2_000_000, 'x'));
      const input = await openInput(file);
      const output = await openOutput(file);
      for await (const chunk of input.chunks) await output.write(Buffer.from(chunk).fill('y'));
      await output.commit();
      assert.ok(readFileSync(file).equals(Buffer.alloc(2_000_000, 'y')));
    });

    it('keeps permissions and symbolic links', async () => {
      if (process.platform === 'win32') return;
      const file = at('real.csv', 'old');
      chmodSync(file, 0o640);
      symlinkSync(file, at('link.csv'));
      const output = await openOutput(at('link.csv'));
      await output.write(Buffer.from('new'));
      await output.commit();
      assert.ok(lstatSync(at('link.csv')).isSymbolicLink());
      assert.strictEqual(readFileSync(file, 'utf8'), 'new');
      assert.strictEqual(statSync(file).mode & 0o777, 0o640);
    });

    it('writes to what is no ordinary file without replacing it', async () => {
      if (!existsSync('/dev/null')) return;
      const link = at('null');
      symlinkSync('/dev/null', link);
      const output = await openOutput(link);
      await output.write(Buffer.from('gone'));
      await output.commit();
      assert.ok(statSync(link).isCharacterDevice());
      assert.deepStrictEqual(readdirSync(folder), ['null']);
    });

    it('words what is wrong', async () => {
      mkdirSync(at('a folder'));
      await assert.rejects(openOutput(at('a folder')), humanError('file.folder', 'a folder'));
      await assert.rejects(openOutput(at('none/out.csv')), humanError('file.missing', 'none/out.csv'));
      if (!existsSync('/dev/full')) return;
      const full = await openOutput('/dev/full');
      await assert.rejects(full.write(Buffer.from('x')), humanError('file.full', '/dev/full'));
      await assert.rejects(full.write(Buffer.from('x')), humanError('file.full'));
      await full.discard();
    });

    it('waits for a slow standard output', async () => {
      let taken = 0;
      let take: (() => void) | undefined;
      const slow = new Writable({
        highWaterMark: 10,
        write: (chunk: Buffer, _, done) => {
          take = () => {
            taken += chunk.length;
            done();
          };
        },
      });
      const output = await openOutput('-', slow);
      let written = 0;
      const writing = (async () => {
        for (let i = 0; i < 5; i++) {
          await output.write(Buffer.alloc(100));
          written++;
        }
        await output.commit();
      })();
      for (let i = 0; i < 6; i++) {
        await until(() => take !== undefined);
        assert.strictEqual(written, i, 'more was written than was taken');
        const next = take;
        take = undefined;
        next?.();
      }
      await writing;
      assert.strictEqual(taken, 500);
    });

    it('ends quietly when the reader of standard output has gone', async () => {
      const pipe = new PassThrough();
      const output = await openOutput('-', pipe);
      await output.write(Buffer.from('first'));
      pipe.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
      await assert.rejects(output.write(Buffer.from('second')), CancelledError);
      await assert.rejects(output.commit(), CancelledError);
      await output.discard();
    });
  });
});

function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // it was the one of the listing itself
    return undefined;
  }
}

/** Ends when `condition` holds; the test's own time limit is the bound. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
