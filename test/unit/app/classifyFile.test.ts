import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { askedModel, classifyFile, type ClassifyRequest } from '../../../src/app/classifyFile';
import { appendColumns } from '../../../src/core/csv/appendColumns';
import { RecordReader, readAll } from '../../../src/core/csv/reader';
import { CancelledError, HumanError } from '../../../src/core/errors';
import { validateBundle } from '../../../src/core/model/bundle';
import type { PredictedScores } from '../../../src/core/protocol/predictor';
import type { PredictOptions } from '../../../src/inference/predictor';
import { wordBundle } from '../../fixtures/wordModel';
import { MemorySink } from './memorySink';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Scores that follow from the text; a text of no letters has no tokens. */
function scoresOf(text: string, width: number): number[] {
  return Array.from({ length: width }, (_, i) => Math.fround(((text.length * 7 + i * 13 + (text.codePointAt(0) ?? 0)) % 101) / 101));
}
const tokensOf = (text: string): number => text.match(/\p{L}+/gu)?.length ?? 0;

class FakePredictor {
  readonly requests: { readonly texts: readonly string[]; readonly options: PredictOptions }[] = [];
  underWay = 0;
  mostUnderWay = 0;

  /** @param delay turns of the event loop until the answer to a request */
  constructor(
    private readonly width: number,
    private readonly delay: (request: number) => number = () => 0,
  ) {}

  async predict(key: string, texts: readonly string[], options: PredictOptions = {}): Promise<PredictedScores> {
    assert.strictEqual(key, 'model');
    const request = this.requests.push({ texts, options }) - 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    try {
      for (let left = this.delay(request); left > 0; left--) {
        await turn();
        if (options.signal?.aborted) throw new CancelledError();
      }
      return { width: this.width, scores: Float32Array.from(texts.flatMap((text) => scoresOf(text, this.width))), tokens: Int32Array.from(texts, tokensOf) };
    } finally {
      this.underWay--;
    }
  }
}

/** `content` in pieces of `size` bytes, and whether it was read to the end and let go. */
class Source {
  read = 0;
  isClosed = false;
  constructor(
    private readonly content: Uint8Array,
    private readonly size: number,
  ) {}
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (; this.read < this.content.length; this.read += this.size) {
        await turn();
        yield this.content.subarray(this.read, this.read + this.size);
      }
    } finally {
      this.isClosed = true;
    }
  }
}

const model = { key: 'model', kind: 'single', labels: ['no', 'maybe', 'yes'] } as const;

function request(name: string, content: string | Uint8Array, own: Partial<ClassifyRequest> = {}): ClassifyRequest {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { chunks: new Source(bytes, 4096), reader: new RecordReader(name), sink: new MemorySink(), predictor: new FakePredictor(3), model, ...own };
}

describe('classifyFile', () => {
  it('adds to each row what the model says about it, and changes nothing else', async () => {
    const field = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', 'b', ' ', '"', ',', '\n', 'é', '好') }), fc.constant(''));
    const row = fc.array(field, { minLength: 2, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 30 }),
        fc.constantFrom(1, 40, 100),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 30, max: 9000 }),
        fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 5 }),
        async (rows, times, lineBreak, size, delays) => {
          const cell = (value: string): string => `"${value.replaceAll('"', '""')}"`;
          const lines = Array.from({ length: times }, () => rows).flat().map((fields) => fields.map(cell).join(','));
          const content = Buffer.from(['id,text', ...lines, ''].join(lineBreak));
          const sink = new MemorySink();
          const predictor = new FakePredictor(3, (i) => delays[i % delays.length]!);
          const source = new Source(content, size);
          const progress: { rows: number; bytes: number }[] = [];
          const summary = await classifyFile(request('a.csv', content, { chunks: source, sink, predictor, onProgress: (p) => progress.push({ ...p }) }));

          const counts = new Map([['no', 0], ['maybe', 0], ['yes', 0]]);
          let empty = 0;
          const expected = readAll('a.csv', content).map((record) => {
            const text = record.value(1) ?? '';
            let values: (string | number)[] = [];
            if (record.kind === 'row' && tokensOf(text) > 0) {
              const scores = scoresOf(text, 3);
              const best = scores.indexOf(Math.max(...scores));
              counts.set(model.labels[best]!, counts.get(model.labels[best]!)! + 1);
              values = [model.labels[best]!, Number(scores[best]!.toFixed(4))];
            } else if (record.kind === 'row') empty++;
            return appendColumns(record, ['predicted', 'score'], values);
          });
          assert.strictEqual(sink.text, Buffer.concat(expected).toString());
          assert.strictEqual(sink.state, 'committed');
          assert.deepStrictEqual(summary, { rows: lines.length, empty, labels: counts, defects: 0, columns: ['predicted', 'score'] });
          assert.deepStrictEqual(progress.at(-1), { rows: lines.length, bytes: content.length });
          assert.ok(progress.every((p, i) => i === 0 || p.bytes > progress[i - 1]!.bytes));
          assert.ok(predictor.mostUnderWay <= 3 && source.isClosed);
          assert.ok(predictor.requests.every(({ options }) => options.priority === 'background' && options.cache === false));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('asks a model by its own threshold, or the one that is given, and for its number', () => {
    const bundle = wordBundle({ name: 'words', version: '1', good: ['good'], bad: ['bad'], threshold: 0.25 });
    const { manifest } = validateBundle(bundle, 'words');
    const asked = { key: 'k', kind: 'single', threshold: 0.25, labels: ['negative', 'positive'] };
    assert.deepStrictEqual(askedModel({ key: 'k', manifest }), asked);
    assert.deepStrictEqual(askedModel({ key: 'k', manifest }, 0.75), { ...asked, threshold: 0.75 });
    assert.deepStrictEqual(askedModel({ key: 'k', manifest: { ...manifest, task: { ...manifest.task, value: { name: 'stars', mean: 3, deviation: 1 } } } }), { ...asked, valueName: 'stars' });
  });

  it('writes what kinds of tasks answer', async () => {
    const content = 'text\nabc\n1\n';
    const [a, b, c] = scoresOf('abc', 3) as [number, number, number];
    const run = async (kind: 'multi' | 'number', width: number): Promise<{ text: string; labels: ReadonlyMap<string, number> }> => {
      const sink = new MemorySink();
      const labels = kind === 'number' ? [] : model.labels;
      const summary = await classifyFile(request('a.csv', content, { sink, predictor: new FakePredictor(width), model: { key: 'model', kind, labels } }));
      return { text: sink.text, labels: summary.labels };
    };
    const chosen = model.labels.filter((_, i) => [a, b, c][i]! >= 0.5);
    const multi = await run('multi', 3);
    assert.strictEqual(multi.text, `text,predicted,score\nabc,${chosen.join(';')},${Number(Math.max(a, b, c).toFixed(4))}\n1,,\n`);
    assert.deepStrictEqual([...multi.labels].filter(([, count]) => count > 0).map(([label]) => label), chosen);
    assert.strictEqual((await run('number', 1)).text, `text,predicted,score\nabc,${Number(a.toPrecision(6))},\n1,,\n`);
  });

  it('reads JSONL and plain text, and the columns it is told', async () => {
    const sinkOf = async (name: string, content: string, textColumns?: readonly string[]): Promise<string> => {
      const sink = new MemorySink();
      await classifyFile(request(name, content, { sink, ...(textColumns ? { textColumns } : {}) }));
      return sink.text;
    };
    assert.match(await sinkOf('a.jsonl', '{"text":"abc"}\n\nnot json\n{"other":1}\n'), /^\{"text":"abc","predicted":"\w+","score":0\.\d+\}\n\nnot json\n\{"other":1\}\n$/);
    assert.match(await sinkOf('a.txt', 'abc\n\nxyz'), /^text,predicted,score\nabc,\w+,0\.\d+\n\nxyz,\w+,0\.\d+$/);
    assert.match(await sinkOf('a.tsv', 'Title\tBody\tpredicted\nabc\txyz\told\n', ['title', 'Body']), /^Title\tBody\tpredicted\tpredicted_2\tscore\nabc\txyz\told\t\w+\t0\.\d+\n$/);
    assert.strictEqual(await sinkOf('a.csv', ''), '');
  });

  it('tells of defects and goes on', async () => {
    const seen: string[] = [];
    const sink = new MemorySink();
    const summary = await classifyFile(request('a.csv', 'text,other\nabc\n"x"y,1\nd,e,f\n', { sink, onDefect: (defect) => seen.push(defect.code) }));
    assert.deepStrictEqual(seen, ['csv.short', 'csv.stray', 'csv.long']);
    assert.strictEqual(summary.defects, 3);
    assert.strictEqual(summary.rows, 3);
  });

  const large = Buffer.from(`text\n${Array.from({ length: 20_000 }, (_, i) => `row number ${i}`).join('\n')}\n`);

  it('reads no further ahead than it writes', async () => {
    let release: () => void = () => undefined;
    const sink = new MemorySink(() => new Promise((resolve) => (release = resolve)));
    const source = new Source(large, 4096);
    const predictor = new FakePredictor(3);
    const running = classifyFile(request('a.csv', large, { sink, predictor, chunks: source }));
    let last = -1;
    // until nothing moves any more
    for (let still = 0; still < 20; still = source.read === last ? still + 1 : 0) {
      last = source.read;
      await turn();
    }
    assert.ok(predictor.requests.length <= 4, `${predictor.requests.length} requests`);
    // the reader looks at 64 KB before the first record
    assert.ok(source.read < 100_000, `${source.read} bytes`);
    let isDone = false;
    void running.then(() => (isDone = true));
    while (!isDone) {
      release();
      await turn();
    }
    assert.strictEqual(sink.state, 'committed');
  });

  describe('leaves nothing behind', () => {
    const failing = async (own: Partial<ClassifyRequest>, expected: (error: unknown) => boolean): Promise<void> => {
      const sink = own.sink instanceof MemorySink ? own.sink : new MemorySink();
      const predictor = own.predictor instanceof FakePredictor ? own.predictor : new FakePredictor(3, () => 3);
      const source = new Source(large, 4096);
      await assert.rejects(classifyFile(request('a.csv', large, { ...own, chunks: own.chunks ?? source, sink, predictor })), expected);
      assert.strictEqual(sink.state, 'discarded');
      for (let i = 0; i < 10; i++) await turn();
      assert.strictEqual(predictor.underWay, 0, 'predictions go on');
      if (!own.chunks && source.read > 0) assert.ok(source.isClosed, 'the input was not let go');
    };

    it('when it is cancelled', async () => {
      const isCancelled = (error: unknown): boolean => error instanceof CancelledError;
      for (const after of [0, 1, 5, 30, 60]) {
        const controller = new AbortController();
        const cancel = async (): Promise<void> => {
          for (let i = 0; i < after; i++) await turn();
          controller.abort();
        };
        await Promise.all([failing({ signal: controller.signal }, isCancelled), cancel()]);
      }
      await failing({ signal: AbortSignal.abort() }, isCancelled);
    });

    it('when there is no such column', async () => {
      await failing({ textColumns: ['body'] }, (error) => error instanceof HumanError && error.code === 'csv.column' && error.message.includes('"body"'));
    });

    it('when the input, the prediction or the output fails', async () => {
      const is =
        (message: string) =>
        (error: unknown): boolean =>
          error instanceof Error && error.message === message;
      const chunks = (async function* () {
        await turn();
        yield large.subarray(0, 200_000);
        throw new Error('unreadable');
      })();
      await failing({ chunks }, is('unreadable'));
      class Failing extends FakePredictor {
        override async predict(key: string, texts: readonly string[], options?: PredictOptions): Promise<PredictedScores> {
          if (this.requests.length === 5) throw new Error('unpredictable');
          return await super.predict(key, texts, options);
        }
      }
      await failing({ predictor: new Failing(3, () => 3) }, is('unpredictable'));
      let writes = 0;
      await failing({ sink: new MemorySink(() => (++writes === 4 ? Promise.reject(new Error('unwritable')) : Promise.resolve())) }, is('unwritable'));
    });
  });
});
