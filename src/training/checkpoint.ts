import type { EpochReport, StartOverReason } from '../core/protocol/trainer';
import { isHistoryState } from './history';
import type { LoopShape, LoopState } from './loop';

/**
 * The file of a checkpoint, little-endian:
 *
 *     0   magic, 8 bytes
 *     8   version, u32
 *     12  length H of the header, u32, a multiple of 4
 *     16  checksum of everything before and after it, 8 bytes
 *     24  fingerprint of the training, 32 bytes
 *     56  header: JSON in UTF-8, spaces at its end
 *     …   arrays of f32: weights, first and second moments, average of the weights, best weights, best logits; their lengths follow from the training and the header
 *
 * It may come from anywhere (it lies in a workspace): nothing of it is used before every number is known to be one that this training could have written.
 */
const magic = [0x89, 0x4c, 0x4c, 0x43, 0x4b, 0x0d, 0x0a, 0x1a];
const version = 2;
const at = { version: 8, header: 12, checksum: 16, fingerprint: 24, json: 56 } as const;

/** Bytes of a fingerprint: SHA-256. */
export const fingerprintLength = 32;

/** Longest header: reports of a thousand epochs and the longest history are a fifth of it. */
const longestHeader = 2 ** 21;

/** What the header holds: the small parts of {@link LoopState}. */
type Header = Pick<LoopState, 'epoch' | 'position' | 'total' | 'smoothed' | 'seconds' | 'secondsBefore' | 'reports' | 'best' | 'steps' | 'averageSteps' | 'history'>;

const arrayNames = ['weights', 'first', 'second', 'average', 'bestWeights', 'bestLogits'] as const;

/**
 * The state as a file, in one buffer of its own.
 * @param fingerprint hash of everything that the training's result depends on, {@link fingerprintLength} bytes
 */
export function writeCheckpoint(state: LoopState, fingerprint: Uint8Array): Uint8Array<ArrayBuffer> {
  const { epoch, position, total, smoothed, seconds, secondsBefore, reports, best, steps, averageSteps, history } = state;
  const header: Header = { epoch, position, total, smoothed, seconds, secondsBefore, reports, best, steps, averageSteps, history };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / 4) * 4;
  const start = at.json + headerLength;
  const arrays = arrayNames.map((name) => state[name]);
  const bytes = new Uint8Array(start + arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  view.setUint32(at.version, version, true);
  view.setUint32(at.header, headerLength, true);
  bytes.set(fingerprint, at.fingerprint);
  bytes.set(json, at.json);
  bytes.fill(0x20, at.json + json.length, start);
  let offset = start;
  for (const array of arrays) {
    new Float32Array(bytes.buffer, offset, array.length).set(array);
    offset += array.byteLength;
  }
  checksum(bytes).forEach((word, k) => view.setUint32(at.checksum + 4 * k, word, true));
  return bytes;
}

/**
 * The state that {@link writeCheckpoint} was given, or why there is none. Never throws.
 * @param shape of the loop that is to go on from it
 * @returns a state whose arrays are parts of `bytes`
 */
export function readCheckpoint(bytes: Uint8Array, fingerprint: Uint8Array, shape: LoopShape): LoopState | StartOverReason {
  if (bytes.length < at.json || !magic.every((byte, k) => bytes[k] === byte)) return 'damaged';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(at.version, true) > version) return 'newer';
  if (bytes.length % 4 !== 0) return 'damaged';
  // arrays of four bytes need an address that is a multiple of four
  if (bytes.byteOffset % 4 !== 0) return readCheckpoint(new Uint8Array(bytes), fingerprint, shape);
  if (checksum(bytes).some((word, k) => word !== view.getUint32(at.checksum + 4 * k, true))) return 'damaged';
  // what an older version wrote is whole, but another training
  if (view.getUint32(at.version, true) < version || fingerprint.some((byte, k) => byte !== bytes[at.fingerprint + k])) return 'different';

  const headerLength = view.getUint32(at.header, true);
  const start = at.json + headerLength;
  if (headerLength > longestHeader || headerLength % 4 !== 0 || start > bytes.length) return 'damaged';
  const header = parseHeader(bytes.subarray(at.json, start), shape);
  if (!header) return 'damaged';
  const lengths: Readonly<Record<(typeof arrayNames)[number], number>> = {
    weights: shape.parameters,
    first: shape.parameters,
    second: shape.parameters,
    average: shape.averaging ? shape.parameters : 0,
    bestWeights: header.best < 0 ? 0 : shape.parameters,
    bestLogits: header.best < 0 ? 0 : shape.logits,
  };
  if (bytes.length - start !== 4 * arrayNames.reduce((sum, name) => sum + lengths[name], 0)) return 'damaged';
  let offset = bytes.byteOffset + start;
  const arrays = {} as Record<(typeof arrayNames)[number], Float32Array>;
  for (const name of arrayNames) {
    arrays[name] = new Float32Array(bytes.buffer, offset, lengths[name]);
    offset += 4 * lengths[name];
  }
  // a loop without calls: there may be millions
  for (const array of Object.values(arrays)) for (let k = 0; k < array.length; k++) if (!(Math.abs(array[k]!) < Infinity)) return 'damaged';
  return { ...header, ...arrays };
}

/** The header, if a loop of that shape can have been in such a state. */
function parseHeader(json: Uint8Array, { epochs, batches }: LoopShape): Header | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { epoch, position, total, smoothed, seconds, secondsBefore, reports, best, steps, averageSteps, history } = parsed as Readonly<Record<string, unknown>>;
  if (!isWhole(epoch, 0, epochs) || !isWhole(position, 0, batches) || !isWhole(best, -1, epoch - 1) || best < 0 !== (epoch === 0) || (epoch === epochs && position > 0)) return undefined;
  if (!isFinite(total) || !isFinite(smoothed) || !isSeconds(seconds) || !isSeconds(secondsBefore)) return undefined;
  if (!isWhole(steps, 0, Number.MAX_SAFE_INTEGER) || !isWhole(averageSteps, 0, Number.MAX_SAFE_INTEGER)) return undefined;
  if (!Array.isArray(reports) || reports.length !== epoch || !isHistoryState(history, epoch * batches + position)) return undefined;
  const checked: EpochReport[] = [];
  for (const report of reports as readonly unknown[]) {
    if (typeof report !== 'object' || report === null) return undefined;
    const { trainLoss, validLoss, validAccuracy, validRmse, seconds: took } = report as Readonly<Record<string, unknown>>;
    if (!isFinite(trainLoss) || !isFinite(validLoss) || !isFinite(validAccuracy) || validAccuracy < 0 || validAccuracy > 1 || !isSeconds(took)) return undefined;
    if (validRmse !== undefined && (!isFinite(validRmse) || validRmse < 0)) return undefined;
    checked.push({ trainLoss, validLoss, validAccuracy, ...(validRmse === undefined ? {} : { validRmse }), seconds: took });
  }
  const { width, losses, sum } = history;
  return { epoch, position, total, smoothed, seconds, secondsBefore, reports: checked, best, steps, averageSteps, history: { width, losses, sum } };
}

function isFinite(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isSeconds(value: unknown): value is number {
  return isFinite(value) && value >= 0;
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

/**
 * Two words of 32 bits over all of `bytes` but the checksum's own place. Either is a chain of bijections, so that a change within one word is always found, and any other
 * with a chance of 2⁻⁶⁴ to miss it. It is there to find accidents, at 40 ms for 58 MB (BiLSTM-128 with 20,000 words), during which training waits; SHA-256 takes 400.
 * @param bytes a multiple of 4 long, at an address that is one
 */
function checksum(bytes: Uint8Array): readonly [number, number] {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let first = 0x2545f491;
  let second = 0x9e3779b1;
  for (let k = 0; k < words.length; k++) {
    if (k === at.checksum / 4 || k === at.checksum / 4 + 1) continue;
    const word = words[k]!;
    first = Math.imul(first ^ word, 0x85ebca6b);
    first ^= first >>> 15;
    second = Math.imul(second ^ word, 0xc2b2ae35);
    second ^= second >>> 13;
  }
  return [first >>> 0, second >>> 0];
}
