// Compiles src/training/kernels/assembly (AssemblyScript) to WebAssembly, when its sources, flags or compiler have changed since the last time.
//   node scripts/buildKernels.mjs        or: import { buildKernels } …
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const kernels = fileURLToPath(new URL('../src/training/kernels/', import.meta.url));
const compiler = fileURLToPath(new URL('../node_modules/assemblyscript/package.json', import.meta.url));
const sources = path.join(kernels, 'assembly');
const target = path.join(kernels, 'wasm');

const common = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory', '--noExportMemory'];
const relaxed = ['--enable', 'relaxed-simd'];
// a shared memory must be declared with its greatest size, and the memory given at run time must not exceed it: 65,536 pages are all of 4 GiB
const shared = ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536'];

/** Name of the build and its flags: with and without fused multiply-add, for a private and for a shared memory. */
const builds = {
  relaxed: [...common, ...relaxed],
  plain: common,
  relaxedShared: [...common, ...relaxed, ...shared],
  plainShared: [...common, ...shared],
};

/** Brings src/training/kernels/wasm/*.wasm up to date. Safe to run at the same time as another build. */
export async function buildKernels() {
  const names = (await readdir(sources)).filter((name) => name.endsWith('.ts')).sort();
  const hash = createHash('sha256').update(JSON.parse(await readFile(compiler, 'utf8')).version).update(JSON.stringify(builds));
  for (const name of names) hash.update(name).update(await readFile(path.join(sources, name)));
  const stamp = `${hash.digest('hex')}\n`;
  const stampFile = path.join(target, 'sources.sha256');
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return;
  await mkdir(target, { recursive: true });
  for (const [name, flags] of Object.entries(builds)) await replace(path.join(target, `${name}.wasm`), await compile(flags));
  await replace(stampFile, stamp);
}

async function compile(flags) {
  // here, because loading the compiler takes half a second and most runs do not need it
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(['index.ts', '--outFile', 'out.wasm', ...flags], {
    readFile: (name, base) => readFile(path.join(sources, path.relative('.', path.join(base, name))), 'utf8').catch(() => null),
    writeFile: (name, contents) => {
      if (name === 'out.wasm') binary = contents;
    },
    listFiles: () => [],
  });
  if (error || !binary) throw new Error(`The training kernels do not compile: ${error?.message ?? 'no output'}\n${stderr}`);
  return binary;
}

/** Writes a file so that no other process ever sees half of it. */
async function replace(file, contents) {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, contents);
  await rename(temporary, file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildKernels();
