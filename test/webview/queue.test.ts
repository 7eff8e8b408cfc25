import * as assert from 'node:assert';
import * as fc from 'fast-check';
import type { PanelItem } from '../../src/core/protocol/panel';
import { ItemQueue, leastAhead } from '../../webview/queue';

const item = (id: string): PanelItem => ({ example: { id, position: 0, text: id, sources: [], context: [] }, reason: 'file' });

/** A host with texts in an order that can change. */
class Host {
  readonly decided = new Set<string>();
  calls = 0;
  constructor(public order: string[]) {}
  readonly fetch = (count: number, skip: readonly string[]): Promise<PanelItem[]> => {
    this.calls++;
    // what was open when it was asked; the answer comes later
    const answer = this.order.filter((id) => !this.decided.has(id) && !skip.includes(id)).slice(0, count);
    return new Promise((resolve) => setImmediate(() => resolve(answer.map(item))));
  };
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `e${index}`);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('items that wait for the screen', () => {
  it('come in the host’s order, each once, until none is left', async () => {
    const host = new Host(ids(40));
    const queue = new ItemQueue(host.fetch);
    const taken: string[] = [];
    for (let next = await queue.take(); next; next = await queue.take()) {
      const { id } = next.example;
      taken.push(id);
      host.decided.add(id);
      queue.settle(id);
    }
    assert.deepStrictEqual(taken, ids(40));
  });

  it('are at least five ahead', async () => {
    const queue = new ItemQueue(new Host(ids(100)).fetch);
    for (let step = 0; step < 20; step++) {
      const next = await queue.take();
      queue.settle(next?.example.id ?? '');
      await settled();
      assert.ok(queue.length >= leastAhead, `${queue.length} at step ${step}`);
    }
  });

  it('come in another order when that has moved, after what was put back', async () => {
    const host = new Host(ids(30));
    const queue = new ItemQueue(host.fetch);
    const first = await queue.take();
    queue.hold(item('e7'));
    host.order = ids(30).reverse();
    await queue.refresh();
    assert.strictEqual(first?.example.id, 'e0');
    assert.strictEqual((await queue.take())?.example.id, 'e7');
    assert.strictEqual((await queue.take())?.example.id, 'e29');
  });

  it('never come after they were decided, nor twice, whatever happens meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.constant('take'), fc.constant('refresh'), fc.constant('shuffle'), fc.nat(19)), { maxLength: 40 }), async (steps) => {
        const host = new Host(ids(20));
        const queue = new ItemQueue(host.fetch);
        const taken = new Set<string>();
        for (const step of steps) {
          if (step === 'refresh') void queue.refresh();
          else if (step === 'shuffle') host.order = [...host.order.slice(7), ...host.order.slice(0, 7)];
          else if (typeof step === 'number') {
            // decided elsewhere
            host.decided.add(`e${step}`);
            queue.settle(`e${step}`);
          } else {
            const next = await queue.take();
            if (!next) continue;
            const { id } = next.example;
            assert.ok(!host.decided.has(id), `${id} was decided`);
            assert.ok(!taken.has(id), `${id} came twice`);
            taken.add(id);
            host.decided.add(id);
            queue.settle(id);
          }
        }
        for (let next = await queue.take(); next; next = await queue.take()) {
          assert.ok(!host.decided.has(next.example.id));
          host.decided.add(next.example.id);
          queue.settle(next.example.id);
        }
        assert.strictEqual(host.decided.size, 20, 'every text was offered');
      }),
    );
  });

  it('are asked for again after a failure', async () => {
    const host = new Host(ids(3));
    let broken = true;
    const queue = new ItemQueue((count, skip) => (broken ? Promise.reject(new Error('no')) : host.fetch(count, skip)));
    await assert.rejects(queue.take(), /no/);
    broken = false;
    assert.strictEqual((await queue.take())?.example.id, 'e0');
  });
});
