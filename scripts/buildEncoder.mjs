// Builds the encoder and the models on it from public data:  npm run build:encoder -- NAME|all DATA_FOLDER [--without SET,…] [flags of train.py]
// The recipe (models/sentiment/encoder, see its README) gathers data, trains the encoder, composes its models and says how good they are. It needs Python with PyTorch: LABEL_LENS_PYTHON names it.
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { loadRecipe } from './recipes.mjs';

const [name, data, ...flags] = process.argv.slice(2);
if (!name || !data || !existsSync(data)) {
  console.error('Usage: npm run build:encoder -- NAME|all DATA_FOLDER [--without SET,…] [flags of models/sentiment/encoder/train.py]');
  process.exit(2);
}
const at = flags.indexOf('--without');
const without = at < 0 ? [] : (flags.splice(at, 2)[1] ?? '').split(',');
const folder = path.join('build', 'encoder');
const { build } = await loadRecipe('models/sentiment/encoder/recipe.ts', folder);
await build(name, data, folder, without, flags);
