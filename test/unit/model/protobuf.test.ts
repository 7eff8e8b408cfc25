import * as assert from 'node:assert';
import * as fc from 'fast-check';
import { ProtobufError, ProtoWriter, readFields, type ProtoField } from '../../../src/core/model/protobuf';

const number = fc.integer({ min: 1, max: 536_870_911 });
const field: fc.Arbitrary<ProtoField> = fc.oneof(
  fc.record({ number, value: fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 })) }, { noNullPrototype: true }),
  fc.record({ number, value: fc.uint8Array({ maxLength: 300 }) }, { noNullPrototype: true }),
);

describe('protobuf', () => {
  it('reads back every field that it wrote', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
        const writer = new ProtoWriter();
        for (const { number: at, value } of fields) {
          if (typeof value === 'number') writer.integer(at, value);
          else writer.bytes(at, value);
        }
        assert.deepStrictEqual([...readFields(writer.finish())], fields);
        assert.deepStrictEqual([...readFields(new ProtoWriter().message(3, writer).finish())], [{ number: 3, value: writer.finish() }]);
      }),
    );
  });

  it('writes the bytes of the specification', () => {
    // examples of https://protobuf.dev/programming-guides/encoding/
    assert.deepStrictEqual([...new ProtoWriter().integer(1, 150).finish()], [0x08, 0x96, 0x01]);
    assert.deepStrictEqual([...new ProtoWriter().string(2, 'testing').finish()], [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
    assert.deepStrictEqual([...new ProtoWriter().integer(1, -2).finish()], [0x08, 0xfe, ...Array<number>(8).fill(0xff), 0x01]);
  });

  it('reads any bytes as fields within them, or throws ProtobufError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          for (const { value } of readFields(bytes)) assert.ok(typeof value === 'number' ? Number.isSafeInteger(value) : value.length < bytes.length);
        } catch (error) {
          assert.ok(error instanceof ProtobufError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
