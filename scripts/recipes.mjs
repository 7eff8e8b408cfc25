// Recipes of models are TypeScript that uses the extension's own code; scripts bundle them to run them.
import * as esbuild from 'esbuild';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @param {string} entry the recipe, relative to the repository
 * @param {string} folder where the bundled recipe may lie
 * @returns {Promise<any>} what the recipe exports
 */
export async function loadRecipe(entry, folder) {
  const bundled = path.resolve(folder, 'recipe.mjs');
  await esbuild.build({ entryPoints: [entry], outfile: bundled, bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning' });
  return await import(pathToFileURL(bundled).href);
}
