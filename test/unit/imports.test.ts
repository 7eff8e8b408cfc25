import * as assert from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';

/** Who may import whom: a folder of `src/` (or a door) and the folders and packages that its files may name. */
const rules: Readonly<Record<string, { readonly folders: readonly string[]; readonly packages: readonly string[] }>> = {
  core: { folders: ['core'], packages: ['@noble/hashes'] },
  inference: { folders: ['inference', 'core'], packages: ['onnxruntime-web', 'lru-cache'] },
  training: { folders: ['training', 'core'], packages: ['@tensorflow/', '@noble/hashes'] },
  labeling: { folders: ['labeling', 'core'], packages: [] },
  storage: { folders: ['storage', 'core'], packages: [] },
  platform: { folders: ['platform', 'storage/fileSystem', 'core'], packages: ['node:'] },
  'platform/web': { folders: ['platform/web', 'core'], packages: [] },
  'platform/web/trainerWorker': { folders: ['platform/web', 'training', 'core'], packages: [] },
  'platform/node/predictorWorker': { folders: ['platform', 'inference', 'core'], packages: ['node:'] },
  'platform/node/kernelHelper': { folders: ['platform', 'training', 'core'], packages: ['node:'] },
  'platform/node/learnerWorker': { folders: ['platform', 'labeling', 'core'], packages: ['node:'] },
  'platform/node/explainerWorker': { folders: ['platform', 'training', 'core'], packages: ['node:'] },
  'platform/node/trainerWorker': { folders: ['platform', 'training', 'core'], packages: ['node:'] },
  app: { folders: ['app', 'core', 'inference', 'training', 'labeling', 'storage'], packages: [] },
  editor: { folders: ['editor', 'app', 'core', 'commands/ids'], packages: ['vscode'] },
  panel: { folders: ['panel', 'app', 'core', 'commands/ids'], packages: ['vscode'] },
  commands: { folders: ['commands', 'app', 'core', 'editor'], packages: ['vscode'] },
  'extension.ts': { folders: ['platform', 'app', 'core', 'storage', 'editor', 'panel', 'commands'], packages: ['vscode', 'node:'] },
  cli: { folders: ['cli', 'app', 'core', 'inference', 'training'], packages: ['node:'] },
  'cli.ts': { folders: ['cli', 'platform', 'app', 'core', 'storage', 'inference', 'training', 'labeling'], packages: ['node:'] },
};

const root = path.resolve('src');

function ruleOf(file: string): string | undefined {
  const name = file.replace(/\.ts$/, '');
  const keys = Object.keys(rules).filter((key) => name === key.replace(/\.ts$/, '') || name.startsWith(`${key}/`));
  return keys.sort((a, b) => b.length - a.length)[0];
}

function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s+'([^']+)'/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

describe('the import rule of the house', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.includes('assembly'));

  it('finds the source files', () => assert.ok(files.length > 5));

  for (const file of files) {
    it(`src/${file} imports only what its folder may`, () => {
      const key = ruleOf(file);
      assert.ok(key, `${file} is in no folder of the design`);
      const rule = rules[key]!;
      for (const target of importsOf(readFileSync(path.join(root, file), 'utf8'))) {
        if (target.startsWith('.')) {
          const resolved = path.relative(root, path.resolve(root, path.dirname(file), target));
          assert.ok(
            rule.folders.some((folder) => resolved === folder || resolved.startsWith(`${folder}/`)),
            `src/${file} imports ${resolved}; ${key} may import ${rule.folders.join(', ')}`,
          );
        } else {
          assert.ok(
            rule.packages.some((name) => target === name || target.startsWith(name.endsWith('/') || name.endsWith(':') ? name : `${name}/`)),
            `src/${file} imports the package ${target}; ${key} may import ${rule.packages.join(', ') || 'none'}`,
          );
        }
      }
    });
  }
});

describe('the promise that nothing leaves the machine', () => {
  const connects = /(?<![.\w])fetch\s*\(|\b(?:globalThis|window|self)\.fetch\b|\b(?:XMLHttpRequest|WebSocket|EventSource|RTCPeerConnection|WebTransport|sendBeacon)\b/;
  const networks = /^node:(?:http|https|http2|net|tls|dgram|dns|inspector)\b/;
  // kernels are AssemblyScript, which can reach nothing
  const files = [root, path.resolve('webview')].flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name))).filter((name) => name.endsWith('.ts') && !name.includes('assembly'));

  it('would see a connection', () => {
    for (const code of ['await fetch(url)', 'window.fetch(url)', 'new WebSocket(url)', 'navigator.sendBeacon(url)']) assert.match(code, connects);
    assert.doesNotMatch('this.fetch(count); prefetch(document)', connects);
  });

  for (const file of files) {
    it(`${path.relative('.', file)} opens no connection`, () => {
      const source = readFileSync(file, 'utf8');
      assert.strictEqual(connects.exec(source)?.[0], undefined);
      assert.deepStrictEqual(importsOf(source).filter((name) => networks.test(name)), []);
    });
  }
});
