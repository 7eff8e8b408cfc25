// @ts-check
// npm run package: label-lens.vsix, with minified bundles, and a look at what is in it.
import { createVSIX, listFiles, PackageManager } from '@vscode/vsce';
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** The most that a person should have to download, in bytes. */
const sizeLimit = 25 * 1024 * 1024;

const { values } = parseArgs({ options: { out: { type: 'string', default: 'label-lens.vsix' } } });

/** What a package may hold (.vscodeignore denies the rest) and what it must hold to run. */
const allowed = [/^dist\/[\w.-]+\.(js|wasm)$/, /^dist\/webview\/(panel|training)\.(js|css)$/, /^media\/(?!.*\.label-lens)/, /^models\/[\w.-]+\/[\w.-]+\.(onnx|json|md)$/, /^l10n\/[\w.-]+\.json$/, /^package(\.nls(\.[\w-]+)?)?\.json$/, /^(README|CHANGELOG)\.md$/i, /^LICENSE(\.txt)?$/i];
const needed = ['package.json', 'dist/extension.js', 'dist/predictor.js', 'dist/trainer.js', 'dist/learner.js', 'dist/explainer.js', 'dist/webview/panel.js', 'dist/webview/panel.css', 'dist/webview/training.js', 'dist/webview/training.css', 'dist/ort-wasm-simd-threaded.wasm', 'models/sentiment/model.onnx', 'models/sentiment/tokenizer.json', 'models/sentiment/model.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];

try {
  // runs vscode:prepublish, which builds minified bundles
  await createVSIX({ cwd: process.cwd(), packagePath: values.out, dependencies: false, allowMissingRepository: true, rewriteRelativeLinks: false });
  const files = await listFiles({ cwd: process.cwd(), packageManager: PackageManager.None });
  const strange = files.filter((file) => !allowed.some((pattern) => pattern.test(file)));
  if (strange.length > 0) throw new Error(`The package holds files that no user needs: ${strange.join(', ')}. Deny them in .vscodeignore.`);
  const absent = needed.filter((file) => !files.includes(file));
  if (absent.length > 0) throw new Error(`The package lacks ${absent.join(', ')}.`);
  const size = statSync(values.out).size;
  if (size > sizeLimit) throw new Error(`${values.out} has ${megabytes(size)} MB; the limit is ${megabytes(sizeLimit)} MB. Run "npx vsce ls --no-dependencies --tree" to see what is large.`);
  console.log(`${values.out}: ${files.length} files, ${megabytes(size)} MB`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1024 / 1024).toFixed(1);
}
