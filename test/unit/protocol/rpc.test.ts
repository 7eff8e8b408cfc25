import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { CancelledError, HumanError } from '../../../src/core/errors';
import { RpcClient, Transferred, serve, type Handlers, type Port } from '../../../src/core/protocol/rpc';

/** Two ends of a line that copies messages as workers do and delivers them in order, one in each turn of the event loop. */
function line(): { client: Port; server: Port; sent: unknown[] } {
  const sent: unknown[] = [];
  const end = (): Port & { listener?: (message: unknown) => void; other?: Port & { listener?: (message: unknown) => void } } => ({
    postMessage(message, transfer) {
      sent.push(message);
      const copy: unknown = structuredClone(message, transfer ? { transfer: [...transfer] } : undefined);
      const { other } = this;
      setImmediate(() => other?.listener?.(copy));
    },
    onMessage(listener) {
      this.listener = listener;
    },
  });
  const client = end();
  const server = end();
  client.other = server;
  server.other = client;
  return { client, server, sent };
}

type Methods = {
  echo: { params: unknown; result: unknown };
  fail: { params: { kind: 'human' | 'cancelled' | 'type' | 'string' | 'later' }; result: never };
  count: { params: { to: number }; result: number; progress: number };
  wait: { params: null; result: string };
  move: { params: Uint8Array; result: Uint8Array; progress: Uint8Array };
  unclonable: { params: null; result: unknown };
};

const human = new HumanError('some.code', 'File {0} has {1} rows; give it more.', ['a.csv', 0]);

/** `release` lets the handlers of `wait` end. */
function serveAll(port: Port): { readonly release: () => void; readonly waiting: () => number } {
  const waiting = new Set<() => void>();
  const handlers: Handlers<Methods> = {
    echo: (params) => params,
    fail: ({ kind }) => {
      if (kind === 'human') throw human;
      if (kind === 'cancelled') throw new CancelledError();
      if (kind === 'type') throw new TypeError('wrong type');
      // a handler of foreign code may throw anything
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      if (kind === 'string') throw 'only text';
      return Promise.reject(new RangeError('later'));
    },
    count: async ({ to }, { progress }) => {
      for (let i = 1; i <= to; i++) {
        progress(i);
        await new Promise((resolve) => setImmediate(resolve));
      }
      setImmediate(() => progress(-1));
      return to;
    },
    wait: (_, { signal }) =>
      new Promise((resolve, reject) => {
        const release = (): void => {
          waiting.delete(release);
          resolve('released');
        };
        waiting.add(release);
        signal.addEventListener('abort', () => {
          waiting.delete(release);
          reject(new CancelledError());
        });
      }),
    move: (bytes, { progress }) => {
      const half = bytes.slice(0, 2);
      progress(new Transferred(half, [half.buffer]));
      // moved, so that nothing is left here
      progress(Uint8Array.of(half.length));
      return new Transferred(bytes, [bytes.buffer as ArrayBuffer]);
    },
    unclonable: () => () => 1,
  };
  serve(port, handlers);
  return { release: () => [...waiting].forEach((end) => end()), waiting: () => waiting.size };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

describe('rpc', () => {
  it('sends nothing before the other side is ready, and everything after', async () => {
    const { client, server, sent } = line();
    const rpc = new RpcClient<Methods>(client);
    const answer = rpc.call('echo', 1);
    await turns(3);
    assert.deepStrictEqual(sent, []);
    serveAll(server);
    assert.strictEqual(await answer, 1);
  });

  it('gives every request exactly one answer, its own, whatever runs at the same time', async () => {
    const call = fc.oneof(
      fc.record({ method: fc.constant('echo' as const), value: fc.oneof(fc.string(), fc.integer(), fc.array(fc.double())) }),
      fc.record({ method: fc.constant('fail' as const), kind: fc.constantFrom('human', 'cancelled', 'type', 'string', 'later' as const) }),
      fc.record({ method: fc.constant('count' as const), to: fc.integer({ min: 0, max: 5 }) }),
      fc.record({ method: fc.constant('wait' as const), abortAfter: fc.option(fc.integer({ min: 0, max: 6 })) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 20 }), fc.integer({ min: 0, max: 4 }), async (calls, delay) => {
        const { client, server, sent } = line();
        const rpc = new RpcClient<Methods>(client);
        let answers = 0;
        const settled = calls.map(async (call) => {
          switch (call.method) {
            case 'echo':
              assert.deepStrictEqual(await rpc.call('echo', call.value), call.value);
              break;
            case 'fail': {
              const error = await rpc.call('fail', { kind: call.kind }).then(
                () => assert.fail('it should have failed'),
                (reason: unknown) => reason as Error,
              );
              const expected = { human: ['HumanError', human.message], cancelled: ['CancelledError', 'Cancelled'], type: ['TypeError', 'wrong type'], string: ['Error', 'only text'], later: ['RangeError', 'later'] };
              assert.deepStrictEqual([error.name, error.message], expected[call.kind]);
              break;
            }
            case 'count': {
              const seen: number[] = [];
              assert.strictEqual(await rpc.call('count', { to: call.to }, { onProgress: (value) => seen.push(value) }), call.to);
              await turns(4);
              assert.deepStrictEqual(seen, Array.from({ length: call.to }, (_, i) => i + 1));
              break;
            }
            case 'wait': {
              const controller = new AbortController();
              const { abortAfter } = call;
              if (abortAfter !== null) void turns(abortAfter).then(() => controller.abort());
              const outcome = await rpc.call('wait', null, { signal: controller.signal }).catch((error: unknown) => error);
              if (abortAfter === null) assert.strictEqual(outcome, 'released');
              else assert.ok(outcome instanceof CancelledError || outcome === 'released');
              break;
            }
          }
          answers++;
        });
        await turns(delay);
        const { release, waiting } = serveAll(server);
        await turns(20);
        release();
        await Promise.all(settled);
        assert.strictEqual(answers, calls.length);
        const answered = (sent as { kind: string; id: number }[]).filter(({ kind }) => kind === 'result' || kind === 'error').map(({ id }) => id);
        assert.strictEqual(new Set(answered).size, answered.length, 'a request was answered twice');
        await turns(3);
        assert.strictEqual(waiting(), 0, 'a cancelled handler was not told');
      }),
      { numRuns: 150 },
    );
  });

  it('rebuilds the errors that are meant for people', async () => {
    const { client, server } = line();
    const rpc = new RpcClient<Methods>(client);
    serveAll(server);
    const error = await rpc.call('fail', { kind: 'human' }).catch((reason: unknown) => reason);
    assert.ok(error instanceof HumanError);
    assert.deepStrictEqual([error.code, error.template, error.args, error.message], [human.code, human.template, human.args, 'File a.csv has 0 rows; give it more.']);
  });

  it('moves buffers both ways', async () => {
    const { client, server } = line();
    const rpc = new RpcClient<Methods>(client);
    serveAll(server);
    const bytes = Uint8Array.of(1, 2, 3);
    const seen: number[][] = [];
    const back = await rpc.call('move', bytes, { transfer: [bytes.buffer], onProgress: (part) => seen.push([...part]) });
    assert.deepStrictEqual([...back], [1, 2, 3]);
    assert.deepStrictEqual(seen, [[1, 2], [0]]);
    assert.strictEqual(bytes.length, 0);
  });

  it('answers with an error what cannot cross, in either direction', async () => {
    const { client, server } = line();
    const rpc = new RpcClient<Methods>(client);
    serveAll(server);
    await assert.rejects(
      rpc.call('echo', () => 1),
      { name: 'DataCloneError' },
    );
    await assert.rejects(rpc.call('unclonable', null), { name: 'DataCloneError' });
    await assert.rejects(rpc.call('toString' as 'echo', null), /Unknown method/);
    assert.strictEqual(await rpc.call('echo', 'still there'), 'still there');
  });

  it('cancels at once: before the call, before ready, under way', async () => {
    const { client, server } = line();
    const rpc = new RpcClient<Methods>(client);
    const controller = new AbortController();
    const early = rpc.call('wait', null, { signal: controller.signal });
    controller.abort();
    await assert.rejects(early, CancelledError);
    await assert.rejects(rpc.call('wait', null, { signal: controller.signal }), CancelledError);
    const { waiting } = serveAll(server);
    await rpc.ready;
    const later = new AbortController();
    const call = rpc.call('wait', null, { signal: later.signal });
    await turns(2);
    assert.strictEqual(waiting(), 1);
    later.abort();
    await assert.rejects(call, CancelledError);
    await turns(2);
    assert.strictEqual(waiting(), 0);
  });

  it('leaves no listener on the signal', async () => {
    const listeners = new Set<() => void>();
    const signal = { aborted: false, addEventListener: (_: 'abort', listener: () => void) => void listeners.add(listener), removeEventListener: (_: 'abort', listener: () => void) => void listeners.delete(listener) };
    const { client, server } = line();
    const rpc = new RpcClient<Methods>(client);
    serveAll(server);
    await rpc.call('echo', 1, { signal });
    await rpc.call('fail', { kind: 'type' }, { signal }).catch(() => undefined);
    await rpc.call('echo', () => 1, { signal }).catch(() => undefined);
    const waiting = rpc.call('wait', null, { signal });
    await turns(2);
    [...listeners].forEach((listener) => listener());
    await assert.rejects(waiting, CancelledError);
    assert.strictEqual(listeners.size, 0);
  });

  it('close rejects what is under way and what comes later', async () => {
    const { client, server } = line();
    const rpc = new RpcClient<Methods>(client);
    serveAll(server);
    const call = rpc.call('wait', null);
    await turns(2);
    rpc.close(new Error('gone'));
    await assert.rejects(call, /gone/);
    await assert.rejects(rpc.call('echo', 1), /gone/);
    const unborn = new RpcClient<Methods>(line().client);
    const never = unborn.call('echo', 1);
    unborn.close(new Error('never started'));
    await assert.rejects(never, /never started/);
    await assert.rejects(unborn.ready, /never started/);
  });
});
