import * as assert from 'node:assert';
import type { RecordSink } from '../../../src/app/recordSink';

/** Keeps what is written, and whether it was committed or discarded. */
export class MemorySink implements RecordSink {
  readonly written: Uint8Array[] = [];
  state: 'open' | 'committed' | 'discarded' = 'open';
  constructor(private readonly onWrite: () => Promise<void> = () => Promise.resolve()) {}
  readonly write = async (bytes: Uint8Array): Promise<void> => {
    assert.strictEqual(this.state, 'open');
    await this.onWrite();
    this.written.push(bytes);
  };
  readonly commit = (): Promise<void> => {
    this.state = 'committed';
    return Promise.resolve();
  };
  readonly discard = (): Promise<void> => {
    this.state = 'discarded';
    return Promise.resolve();
  };
  get bytes(): Uint8Array {
    return Buffer.concat(this.written);
  }
  get text(): string {
    return Buffer.concat(this.written).toString();
  }
}
