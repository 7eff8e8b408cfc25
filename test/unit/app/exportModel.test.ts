import * as assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { exportModel } from '../../../src/app/labeling/exportModel';
import { ModelStore, type OpenedModel } from '../../../src/app/modelStore';
import { HumanError } from '../../../src/core/errors';
import { validateBundle } from '../../../src/core/model/bundle';
import { modelCard } from '../../../src/core/model/modelCard';
import { Tokenizer } from '../../../src/core/text/tokenizer';
import { NodeFileSystem } from '../../../src/platform/node/fileSystem';
import { MemoryFileSystem } from './memoryFileSystem';

/** In place of the packages, which a machine that runs tests may lack: ids as ours, and scores that follow from every id that counts and from nothing else. */
const stubs = {
  'tokenizers.py': `
import json, os
IDS = json.load(open(os.environ["STUB_IDS"], encoding="utf-8"))
class Encoding:
    def __init__(self, ids): self.ids = ids
class Tokenizer:
    @staticmethod
    def from_file(path):
        assert os.path.basename(path) == "tokenizer.json" and os.path.exists(path)
        return Tokenizer()
    def encode(self, text): return Encoding(list(IDS[text]))
`,
  'onnxruntime.py': `
import numpy as np
class InferenceSession:
    def __init__(self, path, providers): assert path.endswith("model.onnx")
    def run(self, outputs, inputs):
        assert outputs == ["scores"] and set(inputs) == {"input_ids", "lengths"}
        ids, lengths = inputs["input_ids"], inputs["lengths"]
        assert ids.dtype == np.int32 and lengths.dtype == np.int32 and ids.shape[0] == lengths.shape[0] <= 32
        score = np.array([sum((at + 1) * int(i) for at, i in enumerate(row[:n])) % 997 / 997 for row, n in zip(ids, lengths)])
        return [np.stack([1 - score, score], axis=1).astype(np.float32)]
`,
};

describe('exportModel', () => {
  let model: OpenedModel;
  before(async () => {
    model = await new ModelStore({ fileSystem: new NodeFileSystem(), shippedFolder: path.resolve('models') }).open('sentiment');
  });

  it('copies the bundle, with a script and a card, into a folder of its own', async () => {
    const files = new MemoryFileSystem();
    const names = await exportModel(files, model, '/out');
    assert.deepStrictEqual([...names].sort(), ['README.md', 'model.json', 'model.onnx', 'run_model.py', 'tokenizer.json']);
    const read = (name: string): Uint8Array => files.files.get(`/out/${name}`) ?? new Uint8Array(0);
    validateBundle({ manifest: read('model.json'), tokenizer: read('tokenizer.json'), model: read('model.onnx') }, 'out');
    await assert.rejects(exportModel(files, model, '/out'), (error) => error instanceof HumanError && error.code === 'exportModel.folder');
    files.put('/file', 'x');
    await assert.rejects(exportModel(files, model, '/file'), (error) => error instanceof HumanError && error.code === 'exportModel.folder');
    files.put('/new/.DS_Store', 'x');
    await exportModel(files, model, '/new');
  });

  it('leaves nothing behind when the disk is full', async () => {
    class Full extends MemoryFileSystem {
      override writeFileAtomically(file: string, content: Uint8Array): Promise<void> {
        return file.endsWith('model.onnx') ? Promise.reject(new HumanError('file.full', 'full')) : super.writeFileAtomically(file, content);
      }
    }
    const files = new Full();
    await assert.rejects(exportModel(files, model, '/out'), (error) => error instanceof HumanError && error.code === 'file.full');
    assert.deepStrictEqual([...files.files.keys()], []);
  });

  it('gives a script with which Python reads texts as we do', async function () {
    this.timeout(60_000);
    if (spawnSync('python3', ['-c', 'import numpy']).status !== 0) this.skip();
    const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-model-'));
    try {
      const out = path.join(folder, 'out');
      await exportModel(new NodeFileSystem(), model, out);
      mkdirSync(path.join(folder, 'stubs'));
      for (const [name, content] of Object.entries(stubs)) writeFileSync(path.join(folder, 'stubs', name), content);
      const words = (count: number, offset: number): string => Array.from({ length: count }, (_, i) => ['good', 'bad', '好', 'film'][(i * 7 + offset) % 4]).join(' ');
      const texts = ['', '…', 'a good film', '很好，喜欢', 'quoted "so", and\nso', words(400, 1), words(401, 2), words(1111, 3), ...Array.from({ length: 60 }, (_, i) => words(i % 9, i))];
      const whole = Tokenizer.fromJson(model.files.tokenizer, { maxTokens: 65_536 });
      const cut = Tokenizer.fromJson(model.files.tokenizer, { maxTokens: model.manifest.tokenizer.maxTokens });
      const ids = path.join(folder, 'ids.json');
      writeFileSync(ids, JSON.stringify(Object.fromEntries(texts.map((text) => [text, [...whole.encode(text)]]))));
      const python = (...args: readonly string[]): string => {
        const run = spawnSync('python3', ['-B', path.join(out, 'run_model.py'), ...args], { encoding: 'utf8', env: { ...process.env, PYTHONPATH: path.join(folder, 'stubs'), PYTHONIOENCODING: 'utf-8', STUB_IDS: ids } });
        assert.strictEqual(run.status, 0, run.stderr);
        return run.stdout;
      };
      const expected = texts.map((text) => {
        const mine = [...cut.encode(text)];
        const score = Math.fround((mine.reduce((sum, id, at) => sum + (at + 1) * id, 0) % 997) / 997);
        return mine.length === 0 ? { text, label: null, score: null } : score > 0.5 ? { text, label: 'positive', score } : { text, label: 'negative', score: 1 - score };
      });
      const near = (a: number | null, b: number | null): boolean => a === b || (a !== null && b !== null && Math.abs(a - b) < 1e-4);
      const answers = python('--', ...texts).trimEnd().split('\n').map((line) => JSON.parse(line) as (typeof expected)[number]);
      assert.strictEqual(answers.length, texts.length);
      for (const [i, answer] of answers.entries()) {
        assert.deepStrictEqual([answer.text, answer.label], [expected[i]?.text, expected[i]?.label]);
        assert.ok(near(answer.score, expected[i]?.score ?? null), `${answer.score} for ${expected[i]?.score} in text ${i}`);
      }

      const table = path.join(folder, 'texts.csv');
      const shown = expected.slice(2, 5);
      writeFileSync(table, `\uFEFFid,text\n${shown.map(({ text }, i) => `${i},"${text.replaceAll('"', '""')}"`).join('\n')}\n9\n`);
      writeFileSync(ids, JSON.stringify(Object.fromEntries(texts.concat('').map((text) => [text, [...whole.encode(text)]]))));
      python('--csv', table, '--output', path.join(folder, 'answers.csv'));
      const copied = readFileSync(path.join(folder, 'answers.csv'), 'utf8');
      const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      const pattern = ['id,text,predicted,score', ...shown.map(({ text, label, score }, i) => `${i},${cell(text)},${label},${Number((score ?? 0).toFixed(4))}`), '9,,,', ''].join('\n');
      assert.strictEqual(copied, pattern);
      const missing = spawnSync('python3', ['-B', path.join(out, 'run_model.py'), '--csv', table, '--text', 'body'], { encoding: 'utf8', env: { ...process.env, PYTHONPATH: path.join(folder, 'stubs'), STUB_IDS: ids } });
      assert.strictEqual(missing.status, 1);
      assert.match(missing.stderr, /There is no column body\. Choose one of these: id, text/);
      assert.deepStrictEqual(readdirSync(out).sort(), ['README.md', 'model.json', 'model.onnx', 'run_model.py', 'tokenizer.json']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('modelCard', () => {
  it('says what the model is, and keeps what model.json says from being markup', async () => {
    const { manifest } = await new ModelStore({ fileSystem: new NodeFileSystem(), shippedFolder: path.resolve('models') }).open('sentiment');
    const card = modelCard(manifest);
    const [embedding] = manifest.architecture.layers.filter((layer) => layer.type === 'embedding');
    const [lstm] = manifest.architecture.layers.filter((layer) => layer.type === 'lstm');
    assert.ok(embedding && lstm);
    const layers = `embedding ${embedding.vocabularySize.toLocaleString('en')} × ${embedding.size} → bidirectional LSTM, ${lstm.units} units each way → max + mean pooling`;
    const accuracy = `| accuracy | ${Number(manifest.metrics['accuracy']!.toPrecision(5))} |`;
    for (const part of [`# sentiment ${manifest.version}`, 'one of `negative`, `positive`', layers, `${manifest.tokenizer.maxTokens} tokens`, accuracy, '[batch, 2] (probabilities', 'python run_model.py'])
      assert.ok(card.includes(part), part);
    const hostile = modelCard({ ...manifest, name: '<script>x</script>', description: 'a | b\n\n# [click](http://x)', data: { 'a|b': 'c`|d' } });
    assert.ok(hostile.startsWith(`# \\<script\\>x\\</script\\> ${manifest.version}\n\na \\| b \\# \\[click\\](http://x)\n\n|`));
    assert.ok(hostile.includes('| trained on | a\\|b `c’’d` |'));
    const number = modelCard({ ...manifest, task: { kind: 'number', labels: [] }, metrics: {} });
    assert.ok(number.includes('| answers | a number |') && number.includes('[batch, 1] (the value)') && !number.includes('held out'));
  });
});
