// Rebuilds a shipped model from public data:  npm run build:model -- NAME DATA_FOLDER [more flags for the training]
// The recipe (models/NAME/recipe.ts) writes train.csv and valid.csv under build/models/NAME and says how to train; the command line does the training.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { loadRecipe } from './recipes.mjs';

const [name, data, ...flags] = process.argv.slice(2);
const recipe = `models/${name}/recipe.ts`;
if (!name || !data || !existsSync(recipe) || !existsSync(data)) {
  console.error('Usage: npm run build:model -- NAME DATA_FOLDER [flags of label-lens train]');
  process.exit(2);
}
const folder = path.join('build', 'models', name);
const { prepare } = await loadRecipe(recipe, folder);
const trainFlags = await prepare(data, folder);
const call = ['dist/cli.js', 'train', ...trainFlags, '--name', name, ...flags, '--valid', path.join(folder, 'valid.csv'), '--output', path.join(folder, 'bundle'), path.join(folder, 'train.csv')];
console.error(`node ${call.join(' ')}`);
process.exit(spawnSync(process.execPath, call, { stdio: 'inherit' }).status ?? 1);
