import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { ModelStore, namingFolder } from '../../../src/app/modelStore';
import { HumanError } from '../../../src/core/errors';
import { bundleLimits } from '../../../src/core/model/bundle';
import { shareTensors } from '../../../src/core/model/sharedModel';
import { wordBundle } from '../../fixtures/wordModel';
import { codeOfWork } from '../humanErrors';
import { MemoryFileSystem } from './memoryFileSystem';

const shipped = '/extension/models';
const workspace = '/work space/项目';

function place(fileSystem: MemoryFileSystem, folder: string, version: string, good: readonly string[] = ['good']): void {
  const bundle = wordBundle({ name: folder.split('/').at(-1)!, version, good, bad: ['bad'] });
  fileSystem.put(`${folder}/model.json`, bundle.manifest);
  fileSystem.put(`${folder}/tokenizer.json`, bundle.tokenizer);
  fileSystem.put(`${folder}/model.onnx`, bundle.model);
}

describe('ModelStore', () => {
  let fileSystem: MemoryFileSystem;
  let folders: string[];
  let store: ModelStore;

  beforeEach(() => {
    fileSystem = new MemoryFileSystem();
    folders = [workspace];
    place(fileSystem, `${shipped}/sentiment`, '1.0.0');
    place(fileSystem, `${workspace}/.label-lens/tickets/models/v2`, 'v2', ['good', 'fine']);
    place(fileSystem, `${workspace}/.label-lens/tickets/models/v10`, 'v10', ['good', 'great']);
    fileSystem.put(`${workspace}/.label-lens/tickets/models/current`, 'v2\n');
    store = new ModelStore({ fileSystem, shippedFolder: shipped, workspaceFolders: () => folders });
  });

  it('lists shipped models first, that which one starts with before the others, versions in their natural order, without reading more than model.json', async () => {
    fileSystem.put(`${shipped}/about/model.json`, fileSystem.files.get(`${shipped}/sentiment/model.json`)!);
    const models = await store.list();
    assert.deepStrictEqual(
      models.map(({ name, origin, folder }) => [name, origin, folder]),
      [
        ['sentiment', 'shipped', `${shipped}/sentiment`],
        ['about', 'shipped', `${shipped}/about`],
        ['tickets/v2', 'workspace', `${workspace}/.label-lens/tickets/models/v2`],
        ['tickets/v10', 'workspace', `${workspace}/.label-lens/tickets/models/v10`],
      ],
    );
    assert.ok(fileSystem.read.every((path) => path.endsWith('/model.json')));
  });

  it('lists a broken model with what is wrong', async () => {
    fileSystem.put(`${shipped}/broken/model.json`, '{"formatVersion": 1');
    fileSystem.put(`${shipped}/empty/readme.txt`, '');
    const models = await store.list();
    assert.deepStrictEqual(
      models.filter(({ origin }) => origin === 'shipped').map(({ name, manifest, problem }) => [name, manifest?.version, problem instanceof HumanError ? problem.code : undefined]),
      [
        ['sentiment', '1.0.0', undefined],
        ['broken', undefined, 'json.syntax'],
        ['empty', undefined, 'model.file.missing'],
      ],
    );
  });

  for (const [what, asked, folder] of [
    ['a shipped name', 'sentiment', `${shipped}/sentiment`],
    ['a task: its version in use', 'tickets', `${workspace}/.label-lens/tickets/models/v2`],
    ['a task and a version', 'tickets/v10', `${workspace}/.label-lens/tickets/models/v10`],
    ['a folder', `${shipped}/sentiment/`, `${shipped}/sentiment`],
    ['a folder with backslashes', `${shipped.replaceAll('/', '\\')}\\sentiment`, `${shipped}/sentiment`],
  ] as const) {
    it(`opens ${what}`, async () => {
      const model = await store.open(asked);
      assert.strictEqual(model.folder, folder);
      assert.deepStrictEqual(model.files.model, fileSystem.files.get(`${folder}/model.onnx`));
      assert.ok(model.key.startsWith(`${model.name}@${model.manifest.version}#`));
    });
  }

  it('lets a workspace\'s model win over a shipped one of the same name', async () => {
    place(fileSystem, `${workspace}/.label-lens/sentiment/models/v1`, 'v1');
    fileSystem.put(`${workspace}/.label-lens/sentiment/models/current`, 'v1');
    assert.strictEqual((await store.open('sentiment')).name, 'sentiment/v1');
    // not in a workspace that nobody trusts
    folders = [];
    assert.strictEqual((await store.open('sentiment')).name, 'sentiment');
    assert.strictEqual((await store.list()).length, 1);
  });

  it('gives models of different content different keys', async () => {
    const keys = new Set([(await store.open('tickets/v2')).key, (await store.open('tickets/v10')).key]);
    place(fileSystem, `${workspace}/.label-lens/tickets/models/v2`, 'v2', ['other']);
    keys.add((await store.open('tickets/v2')).key);
    assert.strictEqual(keys.size, 3);
  });

  it('names the models there are when asked for one that is not there', async () => {
    await assert.rejects(store.open('sentimental'), (error: HumanError) => error.code === 'model.unknown' && error.message.includes('sentiment, tickets/v2, tickets/v10'));
  });

  for (const part of ['model.json', 'tokenizer.json', 'model.onnx']) {
    it(`names a missing ${part}`, async () => {
      fileSystem.files.delete(`${shipped}/sentiment/${part}`);
      await assert.rejects(store.open(`${shipped}/sentiment`), (error: HumanError) => error.code === 'model.file.missing' && error.message.includes(part));
    });
  }

  it('does not read a file that is too large', async () => {
    const path = `${shipped}/sentiment/model.onnx`;
    fileSystem.size = (asked) => Promise.resolve(asked === path ? bundleLimits.model + 1 : fileSystem.files.get(asked)?.length);
    assert.strictEqual(await codeOfWork(store.open('sentiment')), 'model.file.size');
    assert.ok(!fileSystem.read.includes(path));
  });

  it('never leaves the models\' folders by a name or by what `current` says', async () => {
    const hostile = fc.oneof(
      fc.constantFrom('..', '../..', '../secret', 'tickets/..', 'tickets/../v2', '.', './sentiment', 'a/b/c', 'tickets/../../../../secret', ''),
      fc.array(fc.constantFrom('..', '.', 'tickets', 'models', '\\', '/', 'v2', '\0', 'C:'), { maxLength: 6 }).map((parts) => parts.join('/')),
    );
    place(fileSystem, '/secret', '1');
    place(fileSystem, `${workspace}/secret`, '1');
    await fc.assert(
      fc.asyncProperty(hostile, async (name) => {
        fileSystem.read.length = 0;
        fileSystem.put(`${workspace}/.label-lens/tickets/models/current`, name);
        await store.open('tickets').catch(() => undefined);
        if (!name.replaceAll('\\', '/').startsWith('/')) await store.open(name).catch(() => undefined);
        for (const path of fileSystem.read) assert.match(path, /^(\/extension\/models\/\w+\/|\/work space\/项目\/\.label-lens\/\w+\/models\/(current$|\w+\/))[\w.]*$/);
      }),
    );
  });

  it('opens a shipped model that shares its weights as the plain bundle that it stands for, and no other', async () => {
    const words = Array.from({ length: 400 }, (_, i) => `word${i}`);
    const lender = wordBundle({ name: 'sentiment', version: '1', good: ['good', ...words], bad: ['bad'] });
    const whole = wordBundle({ name: 'topics', version: '7', good: ['good', ...words], bad: ['bad'] });
    const shared = shareTensors(whole.model, lender.model, 'sentiment');
    fileSystem.put(`${shipped}/sentiment/tokenizer.json`, lender.tokenizer);
    fileSystem.put(`${shipped}/sentiment/model.onnx`, lender.model);
    for (const folder of [`${shipped}/topics`, `${workspace}/.label-lens/topics2/models/v1`, '/elsewhere/topics']) {
      fileSystem.put(`${folder}/model.json`, whole.manifest);
      fileSystem.put(`${folder}/shared.onnx`, shared);
    }
    assert.ok(shared.length < whole.model.length / 2);
    for (const asked of ['topics', `${shipped}/topics`]) {
      const opened = await store.open(asked);
      assert.strictEqual(opened.origin, 'shipped');
      assert.deepStrictEqual(opened.files, whole);
    }
    for (const asked of ['topics2/v1', '/elsewhere/topics']) assert.strictEqual(await codeOfWork(store.open(asked)), 'model.file.missing');
    // what the small file names stays in the folder of shipped models
    fileSystem.put(`${shipped}/topics/shared.onnx`, shareTensors(whole.model, lender.model, '../../secret'));
    place(fileSystem, '/secret', '1');
    assert.strictEqual(await codeOfWork(store.open('topics')), 'model.file.missing');
    assert.ok(!fileSystem.read.some((path) => path.includes('secret')));
  });

  it('replaces the key in a message by the folder', async () => {
    const model = await store.open('sentiment');
    const error = namingFolder(new HumanError('bundle.hash', '{0} is not right: {1}', [`${model.key}/model.onnx`, 3]), model);
    assert.strictEqual((error as HumanError).message, `${shipped}/sentiment/model.onnx is not right: 3`);
    const defect = new Error('x');
    assert.strictEqual(namingFolder(defect, model), defect);
  });
});
