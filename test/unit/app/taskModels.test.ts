import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { ModelStore } from '../../../src/app/modelStore';
import { TaskModels, taskNameOf } from '../../../src/app/taskModels';
import { HumanError } from '../../../src/core/errors';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import { wordBundle } from '../../fixtures/wordModel';
import { MemoryFileSystem } from './memoryFileSystem';

const folder = '/home/项目';
const root = `${folder}/.label-lens`;
const bundle = (version: string): BundleFiles => wordBundle({ name: 'reviews', version, good: ['good'], bad: ['bad'] });

describe('names of tasks', () => {
  for (const [file, expected] of [
    ['reviews.csv', 'reviews'],
    ['reviews.csv.gz', 'reviews'],
    ['Reviews 2024 (final).tsv', 'Reviews-2024-final'],
    ['评论.jsonl', '评论'],
    ['a.b.csv', 'a-b'],
    ['.csv', 'csv'],
    ['???.csv', 'model'],
    ['CON.csv', 'CON-own'],
    ['Sentiment.csv', 'Sentiment-own'],
    ['noending', 'noending'],
  ] as const) {
    it(`${file} → ${expected}`, () => assert.strictEqual(taskNameOf(file, ['sentiment']), expected));
  }

  it('are always plain names of folders that the model store finds again', async () => {
    const names = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.array(fc.constantFrom('..', '/', '\\', ':', '.csv', '.gz', ' ', 'a', '中', '\0'), { maxLength: 8 }).map((parts) => parts.join('')));
    await fc.assert(
      fc.asyncProperty(names, async (file) => {
        const name = taskNameOf(file, ['sentiment']);
        assert.match(name, /^[^./\\:\0\s][^./\\:\0]*$/);
        assert.ok(new TextEncoder().encode(name).length <= 250);
        const fileSystem = new MemoryFileSystem();
        await new TaskModels(fileSystem, folder, name).add(bundle('v1'));
        assert.strictEqual((await new ModelStore({ fileSystem, shippedFolder: '/models', workspaceFolders: () => [folder] }).open(name)).name, `${name}/v1`);
      }),
      { numRuns: 50 },
    );
  });
});

describe('versions of a task', () => {
  let fileSystem: MemoryFileSystem;
  let models: TaskModels;
  beforeEach(() => {
    fileSystem = new MemoryFileSystem();
    models = new TaskModels(fileSystem, folder, 'reviews');
  });

  it('count up from the highest there is, whatever else lies there', async () => {
    assert.strictEqual(await models.nextVersion(), 'v1');
    for (const name of ['v2/model.json', 'v10/half-written', 'v03/x', 'vx/y', 'current', 'training.checkpoint', 'old-v99/model.json']) fileSystem.put(`${root}/reviews/models/${name}`, '');
    assert.strictEqual(await models.nextVersion(), 'v11');
  });

  it('are written with model.json last of the model, and `current` after that', async () => {
    const written: string[] = [];
    const write = fileSystem.writeFileAtomically.bind(fileSystem);
    fileSystem.writeFileAtomically = (path, content) => {
      written.push(path.slice(`${root}/reviews/models/`.length));
      return write(path, content);
    };
    assert.deepStrictEqual(await models.add(bundle('v1')), { version: 'v1', folder: `${root}/reviews/models/v1` });
    assert.deepStrictEqual(written, ['v1/model.onnx', 'v1/tokenizer.json', 'v1/model.json', 'current']);
  });

  it('never replace one that is there, and then say their own number', async () => {
    await models.add(bundle('v1'));
    const before = new Map(fileSystem.files);
    assert.strictEqual((await models.add(bundle('v1'))).version, 'v2');
    for (const [path, content] of before) if (!path.endsWith('/current')) assert.strictEqual(fileSystem.files.get(path), content);
    const store = new ModelStore({ fileSystem, shippedFolder: '/models', workspaceFolders: () => [folder] });
    assert.strictEqual((await store.open('reviews')).manifest.version, 'v2');
  });

  for (const failing of ['model.onnx', 'model.json', 'current']) {
    it(`leave the one in use alone when ${failing} cannot be written`, async () => {
      await models.add(bundle('v1'));
      const before = new Map(fileSystem.files);
      const write = fileSystem.writeFileAtomically.bind(fileSystem);
      fileSystem.writeFileAtomically = (path, content) => (path.endsWith(failing) ? Promise.reject(new HumanError('file.full', 'full')) : write(path, content));
      await assert.rejects(models.add(bundle('v2')), HumanError);
      assert.deepStrictEqual(fileSystem.files, before);
    });
  }

  it('are kept out of git, unless somebody has decided on that', async () => {
    await models.ignoreModels();
    assert.match(new TextDecoder().decode(fileSystem.files.get(`${root}/.gitignore`)), /^\*\/models\/$/m);
    fileSystem.put(`${root}/.gitignore`, '');
    await models.ignoreModels();
    assert.strictEqual(fileSystem.files.get(`${root}/.gitignore`)!.length, 0);
  });

  it('of the person’s own are found too, after those of the workspace', async () => {
    await new TaskModels(fileSystem, '/own', 'reviews').add(bundle('v1'));
    await new TaskModels(fileSystem, '/own', 'tickets').add(bundle('v1'));
    await models.add(bundle('v1'));
    const store = new ModelStore({ fileSystem, shippedFolder: '/models', workspaceFolders: () => [folder], ownFolder: '/own' });
    assert.deepStrictEqual((await store.list()).map(({ name, origin }) => [name, origin]), [['reviews/v1', 'workspace'], ['reviews/v1', 'own'], ['tickets/v1', 'own']]);
    assert.deepStrictEqual([(await store.find('reviews')).origin, (await store.find('tickets')).origin], ['workspace', 'own']);
    assert.strictEqual((await store.open('tickets')).folder, '/own/.label-lens/tickets/models/v1');
  });
});
