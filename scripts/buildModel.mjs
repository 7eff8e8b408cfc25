// Builds the shipped models from public data:  npm run build:model -- NAME|all DATA_FOLDER [--without SET,…] [flags of train.py]
// The recipe (models/sentiment/recipe, see its README) gathers data, trains the encoder that the models share, composes them and says how good they are. It needs Python with PyTorch: LABEL_LENS_PYTHON names it.
import * as esbuild from 'esbuild';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';

const [name, data, ...flags] = process.argv.slice(2);
if (!name || !data || !existsSync(data)) {
  console.error('Usage: npm run build:model -- NAME|all DATA_FOLDER [--without SET,…] [flags of models/sentiment/recipe/train.py]');
  process.exit(2);
}
const at = flags.indexOf('--without');
const without = at < 0 ? [] : (flags.splice(at, 2)[1] ?? '').split(',');
const folder = path.join('build', 'models');
const bundled = path.resolve(folder, 'recipe.mjs');
await esbuild.build({ entryPoints: ['models/sentiment/recipe/recipe.ts'], outfile: bundled, bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning' });
const { build } = await import(pathToFileURL(bundled).href);
await build(name, data, folder, without, flags);
