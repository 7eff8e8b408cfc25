// @ts-check
// npm run screenshot -- [FOLDER]: takes the README's pictures from a real VS Code that runs this checkout.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as esbuild from 'esbuild';

const outfile = join('build', 'test', 'screenshots.mjs');
await esbuild.build({ entryPoints: ['test/vscode/screenshots.ts'], outfile, bundle: true, packages: 'external', platform: 'node', target: 'node20', format: 'esm', sourcemap: 'inline', logLevel: 'warning' });
for (const command of [['esbuild.mjs'], ['--enable-source-maps', outfile, ...process.argv.slice(2)]]) {
  const { status } = spawnSync(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(1);
}
