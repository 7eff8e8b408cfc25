import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { CancelledError, HumanError } from '../../core/errors';
import { AtomicFile, unlessMissing } from './atomicFile';
import { fileError } from './fileErrors';

/** Bytes read or unpacked at a time. */
const chunkSize = 256 * 1024;

/** A file or standard input, unpacked. */
export interface InputFile {
  /** The bytes, to be read once. Leaving the loop early closes the file. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Share of the file that was read so far, 0..1; undefined where its size is not known, as for standard input. */
  fraction(): number | undefined;
}

/**
 * Opens `file` for reading, or `stdin` if it is `-`. Gzip is unpacked: it is recognized by its first bytes, and expected where the name ends in `.gz`.
 *
 * @throws HumanError from here when there is no such file or it may not be read; from `chunks` also `file.gzip` when a packed file is damaged or cut short
 */
export async function openInput(file: string, stdin: Readable = process.stdin): Promise<InputFile> {
  if (file === '-') return { chunks: unpacked(stdin, 'standard input', false), fraction: () => undefined };
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw isFolder();
    const stream = createReadStream(file, { highWaterMark: chunkSize });
    await once(stream, 'open');
    const { size } = found;
    return {
      chunks: unpacked(stream, file, file.toLowerCase().endsWith('.gz')),
      fraction: () => (found.isFile() && size > 0 ? Math.min(1, stream.bytesRead / size) : undefined),
    };
  } catch (error) {
    throw fileError(error, file, 'read');
  }
}

async function* unpacked(source: Readable, name: string, isPacked: boolean): AsyncGenerator<Uint8Array> {
  try {
    const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    // the two bytes that tell may come one by one
    let head: Uint8Array = new Uint8Array(0);
    while (head.length < 2) {
      const next = await chunks.next();
      if (next.done) break;
      head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    }
    const whole = withHead(head, { [Symbol.asyncIterator]: () => chunks });
    if (isPacked || (head[0] === 0x1f && head[1] === 0x8b)) yield* gunzipped(whole, name);
    else yield* whole;
  } catch (error) {
    throw fileError(error, name, 'read');
  } finally {
    // standard input too: nobody reads the rest, and an open pipe would keep the process alive
    source.destroy();
  }
}

async function* withHead(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* rest;
}

async function* gunzipped(packed: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize });
  const piped = pipeline(Readable.from(packed, { objectMode: false }), gunzip);
  // it fails together with the loop below, which tells
  piped.catch(() => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('Z_')) throw error;
    throw new HumanError('file.gzip', '{0} is not a whole gzip file ({1}). Copy or download it again, or unpack it by hand.', [name, code], { cause: error });
  }
}

/** Where results go; nothing is to be seen of them before {@link commit}, except on standard output. */
export interface OutputFile {
  /** Resolves when more may be written. The bytes must not change before that. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** All was written: the file takes its name. */
  readonly commit: () => Promise<void>;
  /** Something went wrong: the file is removed. Does nothing after {@link commit}. */
  readonly discard: () => Promise<void>;
}

/**
 * Opens `file` for writing: under a temporary name beside it until {@link OutputFile.commit}, packed where the name ends in `.gz`. `-` is `stdout`, and what is there
 * but no ordinary file (a pipe, `/dev/null`) is written to directly.
 *
 * @throws HumanError when it cannot be written, from here or later. When the reader of standard output or a pipe has gone, `write` throws CancelledError.
 */
export async function openOutput(file: string, stdout: Writable = process.stdout): Promise<OutputFile> {
  if (file === '-') return streamOutput(stdout, 'standard output');
  try {
    const old = await stat(file).catch(unlessMissing);
    if (old?.isDirectory()) throw isFolder();
    if (old && !old.isFile()) return directOutput(await open(file, 'w'), file);
    const target = await AtomicFile.create(file);
    return file.toLowerCase().endsWith('.gz') ? packedOutput(target, file) : plainOutput(target, file);
  } catch (error) {
    throw fileError(error, file, 'write');
  }
}

/** Makes `folder`, with those that it lies in; it may be there already. @throws HumanError when it cannot be made */
export async function createFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    // where a file stands in the way, the system says only that it exists
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new HumanError('file.notFolder', '{0} is a file, and a folder is needed there. Choose another place.', [folder], { cause: error });
    throw fileError(error, folder, 'write');
  }
}

function plainOutput(target: AtomicFile, name: string): OutputFile {
  return {
    write: async (bytes) => await worded(name, () => target.handle.writeFile(bytes)),
    commit: async () => await worded(name, () => target.commit()),
    discard: async () => await target.discard(),
  };
}

function packedOutput(target: AtomicFile, name: string): OutputFile {
  const gzip = createGzip({ chunkSize });
  const sink = new Writable({ write: (chunk: Uint8Array, _, done) => void target.handle.writeFile(chunk).then(() => done(), done) });
  const packed = pipeline(gzip, sink);
  // whoever writes next, or commits, is told
  packed.catch(() => undefined);
  const write = writer(gzip, name);
  return {
    write,
    commit: async () => {
      try {
        gzip.end();
        await worded(name, () => packed);
      } catch (error) {
        await target.discard();
        throw error;
      }
      await worded(name, () => target.commit());
    },
    discard: async () => {
      gzip.destroy();
      sink.destroy();
      await target.discard();
    },
  };
}

/** For what is no ordinary file. */
function directOutput(handle: FileHandle, name: string): OutputFile {
  return {
    write: async (bytes) => await worded(name, () => handle.writeFile(bytes)),
    commit: async () => await worded(name, () => handle.close()),
    discard: async () => await handle.close(),
  };
}

/** Writes to a stream that somebody else opened and that stays open. */
function streamOutput(stream: Writable, name: string): OutputFile {
  const write = writer(stream, name);
  return { write, commit: async () => await write(new Uint8Array(0)), discard: () => Promise.resolve() };
}

/** Writes one after the other, each until the stream has taken it, so that never more than one chunk waits in memory. */
function writer(stream: Writable, name: string): OutputFile['write'] {
  let failure: Error | undefined;
  // without a listener the process would end with a stack trace
  stream.on('error', (error) => (failure ??= writeError(error, name)));
  return async (bytes) => {
    if (failure) throw failure;
    await new Promise<void>((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject((failure ??= writeError(error, name))) : resolve()));
    });
  };
}

async function worded(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw writeError(error, name);
  }
}

/** Where the reader of a pipe has gone nothing is wrong: nobody wants more. */
function writeError(error: unknown, name: string): Error {
  return (error as NodeJS.ErrnoException).code === 'EPIPE' ? new CancelledError() : fileError(error, name, 'write');
}

function isFolder(): Error {
  return Object.assign(new Error('is a folder'), { code: 'EISDIR', syscall: 'open' });
}
