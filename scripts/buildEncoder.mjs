// Builds the encoder and the models on it from public data:  npm run build:encoder -- NAME|all DATA_FOLDER [--without SET,…] [flags of train.py]
// The recipe (models/sentiment/encoder, see its README) gathers data, trains the encoder, composes its models and says how good they are. It needs Python with PyTorch: LABEL_LENS_PYTHON names it.
import * as esbuild from 'esbuild';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';

const [name, data, ...flags] = process.argv.slice(2);
if (!name || !data || !existsSync(data)) {
  console.error('Usage: npm run build:encoder -- NAME|all DATA_FOLDER [--without SET,…] [flags of models/sentiment/encoder/train.py]');
  process.exit(2);
}
const at = flags.indexOf('--without');
const without = at < 0 ? [] : (flags.splice(at, 2)[1] ?? '').split(',');
const folder = path.join('build', 'encoder');
const bundled = path.join(folder, 'recipe.mjs');
await esbuild.build({
  stdin: { contents: `export { build } from './recipe'; export { shippedModels } from './models';`, resolveDir: 'models/sentiment/encoder', loader: 'ts' },
  outfile: bundled,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
});
const { build, shippedModels } = await import(pathToFileURL(path.resolve(bundled)).href);
await build(name === 'all' ? shippedModels.map((model) => model.name) : [name], data, folder, without, flags);
