import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { HumanError } from '../errors';
import type { BundleFiles } from '../protocol/predictor';
import { Tokenizer } from '../text/tokenizer';
import { weightShapes, type Architecture, type EmbeddingLayer, type Layer, type Weights } from './architecture';
import { agreedRule } from './deciding';
import { ensembleArchitecture, networksOf, readEnsemble, writeEnsemble } from './ensemble';
import { formatManifest, formatVersion, manifestLimits, parseManifest, type EnsembleMember, type ModelManifest } from './manifest';
import { readOnnx, rowsOf, weightsOf, type StoredRows } from './onnxReader';
import { precisions, writeOnnx, type Precision } from './onnxWriter';

/** Names of a bundle's files in its folder. */
export const bundleFileNames = { manifest: 'model.json', tokenizer: 'tokenizer.json', model: 'model.onnx' } as const satisfies Record<keyof BundleFiles, string>;

/** Bytes that each file may have; a file beyond its limit is refused unread. */
export const bundleLimits: Readonly<Record<keyof BundleFiles, number>> = { manifest: manifestLimits.bytes, tokenizer: 32_000_000, model: 64_000_000 };

/** What a bundle's author decides; the rest of its manifest follows from the weights and the tokenizer. */
export type ManifestParts = Omit<ModelManifest, 'formatVersion' | 'architecture' | 'ensemble' | 'tokenizer' | 'precision' | 'sha256'>;

export interface BundleParts {
  readonly manifest: ManifestParts;
  readonly tokenizer: Tokenizer;
  readonly architecture: Architecture;
  readonly weights: Weights;
  /** How model.onnx stores the weights. */
  readonly precision: Precision;
}

/**
 * The three files of a model. The same parts give the same bytes.
 *
 * @throws HumanError when a part is beyond what {@link validateBundle} accepts (`bundle.size`, `json.list` …) or a weight is not finite (`model.notFinite`)
 */
export function createBundle({ manifest, tokenizer, architecture, weights, precision }: BundleParts): BundleFiles {
  const { name, version, task, temperature } = manifest;
  const model = writeOnnx(architecture, weights, { labels: task.labels.map((label) => label.id), kind: task.kind, ...(task.value ? { value: task.value } : {}), temperature, precision, metadata: { name, version } });
  return pack({ ...manifest, architecture, precision }, tokenizer, model);
}

/** A model of an ensemble and what its scores count, 0..1. */
export interface WeightedBundle {
  readonly bundle: ValidBundle;
  readonly weight: number;
}

/**
 * The three files of a model whose scores are the weighted average of those of `members`, and of joint models the number too. Labels, in their order, and the number's name are those of `manifest`; thresholds are those that the members agree on.
 *
 * @param manifest its temperature is 1: each member has its own inside
 * @param members 2 to 16 single models of one kind, with the same labels, the same number beside them and the same tokenizer; their weights add up to 1
 * @throws HumanError as {@link createBundle}
 */
export function createEnsemble(manifest: ManifestParts, members: readonly WeightedBundle[]): BundleFiles {
  const { name, version } = manifest;
  const { labels, value } = manifest.task;
  const rule = agreedRule(members.map(({ bundle }) => bundle.manifest.task), labels.map(({ id }) => id));
  const task: ModelManifest['task'] = { ...rule, labels, ...(value ? { value } : {}) };
  const parts = members.map(({ bundle, weight }) => ({
    model: bundle.files.model,
    weight,
    order: task.kind === 'number' ? [0] : task.labels.map(({ id }) => bundle.manifest.task.labels.findIndex((label) => label.id === id)),
  }));
  const model = writeEnsemble(parts, { labels: JSON.stringify(task.labels.map(({ id }) => id)), kind: task.kind, name, version });
  const ensemble = {
    members: members.map(({ weight, bundle: { manifest: own } }): EnsembleMember => ({ name: own.name, version: own.version, weight, temperature: own.temperature, precision: own.precision, architecture: own.architecture })),
  };
  // of several the widest
  const precision = precisions.find((each) => ensemble.members.some((member) => member.precision === each))!;
  return pack({ ...manifest, task, architecture: ensembleArchitecture, ensemble, precision }, members[0]!.bundle.tokenizer, model);
}

function pack(parts: Omit<ModelManifest, 'formatVersion' | 'tokenizer' | 'sha256'>, tokenizer: Tokenizer, model: Uint8Array): BundleFiles {
  const tokenizerJson = tokenizer.toJson();
  const { precision, ...before } = parts;
  const whole: ModelManifest = {
    formatVersion,
    ...before,
    tokenizer: { maxTokens: tokenizer.maxTokens, truncation: 'head+tail', sha256: hexHash(tokenizerJson) },
    precision,
    sha256: hexHash(model),
  };
  const files: BundleFiles = { manifest: formatManifest(whole), tokenizer: tokenizerJson, model };
  for (const part of fileParts) checkSize(files[part], part, bundleFileNames[part]);
  checkVocabulary(parseManifest(files.manifest, bundleFileNames.manifest), tokenizer, '');
  return files;
}

/**
 * Checks before a long training that its result can become a bundle.
 *
 * @throws HumanError `bundle.labels` or `bundle.labelsTotal` for too many or too long labels, `bundle.plan` for an architecture whose file would be too large
 */
export function checkPlan({ architecture, labels, precision }: { readonly architecture: Architecture; readonly labels: readonly string[]; readonly precision: Precision }): void {
  const { labels: most, labelLength } = manifestLimits;
  if (labels.length > most || labels.some((label) => label === '' || label.length > labelLength))
    throw new HumanError(
      'bundle.labels',
      'A model can have up to {0} labels of 1 to {1} characters, and there are {2} labels here, the longest of {3} characters. Choose the column that holds the labels, or merge rare ones.',
      [most, labelLength, labels.length, Math.max(0, ...labels.map((label) => label.length))],
    );
  // as they will stand in model.json, which has to hold the rest as well
  const listed = new TextEncoder().encode(JSON.stringify({ task: { labels: labels.map((id) => ({ id })) } }, null, 2)).length;
  if (listed > 0.8 * bundleLimits.manifest)
    throw new HumanError('bundle.labelsTotal', 'The {0} labels take {1} bytes together, too many for a model. Choose the column that holds the labels, or merge rare ones.', [labels.length, listed]);
  let weights = 0;
  for (const shape of weightShapes(architecture).values()) weights += shape.reduce((product, size) => product * size, 1);
  const bytes = weights * { float32: 4, float16: 2, int8: 1 }[precision];
  // the rest of the file is a few kilobytes, and with 8 bits one scale a row
  if (bytes > 0.95 * bundleLimits.model || weights > manifestLimits.weights)
    throw new HumanError(
      'bundle.plan',
      'The model would take {0} million bytes, more than the {1} million that Label Lens opens. Choose a smaller vocabulary, smaller layers or a smaller number format.',
      [Math.ceil(bytes / 1e6), Math.floor((0.95 * bundleLimits.model) / 1e6)],
    );
}

/** A bundle that has passed every check. Of an ensemble, no single network's weights are to be had. */
export interface ValidBundle {
  readonly manifest: ModelManifest;
  readonly tokenizer: Tokenizer;
  readonly files: BundleFiles;
  /** The model's weights, widened to float32; read from the file at each call. @param wanted which layers' weights; default: all */
  weights(wanted?: (layer: Layer) => boolean): Weights;
  /** A matrix as it is stored, `embedding/table` for instance, to be read row by row. A row of n-grams has one number for each logit, without the zeros that {@link weights} adds. */
  rows(name: string): StoredRows;
}

const fileParts = ['manifest', 'tokenizer', 'model'] as const;

/**
 * Checks a bundle that may come from anywhere before anything is done with it: sizes, format version, every field, hashes, the tokenizer, and the ONNX file down
 * to its operators and the shape of every weight. Nothing of it is run.
 *
 * @param where the bundle's folder, for messages
 * @throws HumanError, and nothing else, whatever the bytes are: `bundle.missing`, `bundle.size`, `bundle.hash`, `bundle.vocabulary`, and the codes of
 *   `parseManifest`, `Tokenizer.fromJson` and `readOnnx`
 */
export function validateBundle(files: { readonly manifest?: Uint8Array; readonly tokenizer?: Uint8Array; readonly model?: Uint8Array }, where: string): ValidBundle {
  const present = (part: keyof BundleFiles): Uint8Array => {
    const file = files[part];
    if (!file) throw new HumanError('bundle.missing', 'The model in {0} is not whole: {1} is missing. Copy all of {2} into one folder.', [where, bundleFileNames[part], Object.values(bundleFileNames).join(', ')]);
    checkSize(file, part, pathOf(where, part));
    return file;
  };
  const whole: BundleFiles = { manifest: present('manifest'), tokenizer: present('tokenizer'), model: present('model') };
  const manifest = parseManifest(whole.manifest, pathOf(where, 'manifest'));
  checkHash(whole.tokenizer, manifest.tokenizer.sha256, where, 'tokenizer');
  checkHash(whole.model, manifest.sha256, where, 'model');
  const tokenizer = Tokenizer.fromJson(whole.tokenizer, { maxTokens: manifest.tokenizer.maxTokens });
  checkVocabulary(manifest, tokenizer, where);
  const path = pathOf(where, 'model');
  const onnx = manifest.ensemble ? readEnsemble(whole.model, networksOf(manifest), path, manifest.task) : readOnnx(whole.model, manifest.architecture, path, manifest.task);
  return {
    manifest,
    tokenizer,
    files: whole,
    weights: (wanted) => weightsOf(onnx, manifest.architecture, path, wanted),
    rows: (name) => rowsOf(onnx, manifest.architecture, name, path),
  };
}

function checkSize(file: Uint8Array, part: keyof BundleFiles, path: string): void {
  if (file.length > bundleLimits[part])
    throw new HumanError('bundle.size', '{0} has {1} bytes, more than the {2} that Label Lens opens. Choose a smaller model, or train one with a smaller vocabulary or a smaller number format.', [
      path,
      file.length,
      bundleLimits[part],
    ]);
}

function checkHash(file: Uint8Array, expected: string, where: string, part: 'tokenizer' | 'model'): void {
  if (hexHash(file) !== expected)
    throw new HumanError('bundle.hash', '{0} is not the file that model.json describes: its SHA-256 differs. It was changed, or not copied whole; copy the model again.', [pathOf(where, part)]);
}

function checkVocabulary(manifest: ModelManifest, tokenizer: Tokenizer, where: string): void {
  for (const { layers } of networksOf(manifest)) {
    // parseManifest has made sure that the first layer is one
    const { vocabularySize } = layers[0] as EmbeddingLayer;
    if (tokenizer.vocabularySize !== vocabularySize)
      throw new HumanError('bundle.vocabulary', '{0} has {1} tokens, but the model was made for {2}. The files belong to different models; copy the model again as a whole.', [
        pathOf(where, 'tokenizer'),
        tokenizer.vocabularySize,
        vocabularySize,
      ]);
  }
}

function pathOf(where: string, part: keyof BundleFiles): string {
  return where === '' ? bundleFileNames[part] : `${where}/${bundleFileNames[part]}`;
}

function hexHash(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}
