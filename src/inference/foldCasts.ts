import { decodeOnnx, encodeOnnx, type OnnxNode, type OnnxTensor } from '../core/model/onnxFormat';
import { dequantizeRows, fromFloat16 } from '../core/model/quantize';

/**
 * A model that computes the same without casting constants: weights stored in 8 or 16 bits are widened here, once, where the file has Cast (and Mul by a scale
 * for each row) do it. Onnxruntime would fold them as well, but in its WebAssembly all Casts are one function of 490 kB, called often enough while a model
 * loads to be optimized by V8, which takes 150 to 250 MB that the process does not get rid of again (measured: 350 MB against 210 in Node 20).
 *
 * @param model as `writeOnnx` writes it; what has another form is left as it is
 * @param where for messages
 */
export function foldCasts(model: Uint8Array, where: string): Uint8Array {
  const decoded = decodeOnnx(model, where);
  const constants = new Map(decoded.tensors.map((tensor) => [tensor.name, tensor]));
  const computed: OnnxTensor[] = [];
  let nodes: readonly OnnxNode[] = decoded.nodes;
  for (const cast of decoded.nodes) {
    const stored = constants.get(cast.inputs[0]!);
    const name = cast.outputs[0]!;
    if (cast.operator !== 'Cast' || !stored) continue;
    if (stored.type === 'float16') {
      computed.push(floats(name, stored.shape, fromFloat16(new Uint16Array(aligned(stored.data)))));
      nodes = nodes.filter((node) => node !== cast);
    } else if (stored.type === 'int8') {
      const readers = decoded.nodes.filter((node) => node.inputs.includes(name));
      const scale = readers[0]?.inputs.map((input) => constants.get(input)).find((constant) => constant?.type === 'float32');
      if (readers.length !== 1 || readers[0]!.operator !== 'Mul' || !scale || scale.shape.join() !== [...stored.shape.slice(0, -1), 1].join()) continue;
      const [mul] = readers as [OnnxNode];
      const values = new Int8Array(stored.data.buffer, stored.data.byteOffset, stored.data.length);
      computed.push(floats(mul.outputs[0]!, stored.shape, dequantizeRows({ values, scales: new Float32Array(aligned(scale.data)) })));
      nodes = nodes.filter((node) => node !== cast && node !== mul);
    }
  }
  if (computed.length === 0) return model;
  const read = new Set(nodes.flatMap((node) => node.inputs));
  return encodeOnnx({ ...decoded, nodes, tensors: [...decoded.tensors, ...computed].filter((tensor) => read.has(tensor.name)) });
}

function floats(name: string, shape: readonly number[], data: Float32Array): OnnxTensor {
  return { name, type: 'float32', shape, data: new Uint8Array(data.buffer) };
}

/** A copy, since numbers of a file may stand at any byte. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
