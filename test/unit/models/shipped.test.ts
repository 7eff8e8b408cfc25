import * as assert from 'node:assert';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { shippedModels } from '../../../models/sentiment/recipe/models';
import { defaultModel, ModelStore } from '../../../src/app/modelStore';
import { validateBundle } from '../../../src/core/model/bundle';
import { NodeFileSystem } from '../../../src/platform/node/fileSystem';

describe('the shipped models', () => {
  const store = new ModelStore({ fileSystem: new NodeFileSystem(), shippedFolder: path.resolve('models') });

  it('are those of the recipe, and nothing else lies between them', async () => {
    const listed = await store.list();
    assert.deepStrictEqual(listed.map(({ name, problem }) => [name, problem]).sort(), shippedModels.map(({ name }) => [name, undefined]).sort());
    assert.strictEqual(listed[0]?.name, defaultModel);
  });

  for (const { name, description } of shippedModels)
    it(`${name} opens as a sound bundle, and its card says what it is`, async () => {
      const { files } = await store.open(name);
      const { manifest, tokenizer } = validateBundle(files, name);
      assert.strictEqual(manifest.description, description);
      assert.ok(tokenizer.encode('The room was 很好, wasn’t it?').length > 6);
      const card = readFileSync(path.join('models', name, 'README.md'), 'utf8');
      for (const part of [`# ${name}`, description, ...manifest.task.labels.map(({ id }) => `\`${id}\``), '## Rebuild it', '## Data', '## How good it is', '## Known failures']) assert.ok(card.includes(part), part);
    });

  it('take at most 12 MB together, and no file more than 8 MB', () => {
    const sizes = readdirSync('models', { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [statSync(path.join(entry.parentPath, entry.name)).size] : []));
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 12e6);
    assert.ok(Math.max(...sizes) <= 8e6);
  });
});
