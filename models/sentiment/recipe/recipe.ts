import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { bundleFileNames } from '../../../src/core/model/bundle';
import { parseManifest } from '../../../src/core/model/manifest';
import { shareTensors, sharedModelFile } from '../../../src/core/model/sharedModel';
import type { BundleFiles } from '../../../src/core/protocol/predictor';
import { cardOf, type Evaluation } from './card';
import { compose, readTrained, type Trained } from './compose';
import { lender, shippedModels, type ShippedModel } from './models';
import { prepare } from './prepare';

/** Version of the models that the recipe makes. */
const version = 'v3';

/**
 * Builds shipped models: gathers the data, trains the encoder, composes and evaluates. What is there already of the first two in `folder` is taken as it is.
 *
 * Writes `folder/NAME`, a plain bundle, and `folder/shipped/NAME`, what goes to `models/NAME`: the same for the lender, else only what it does not share.
 *
 * @param name of a model, or `all`
 * @param data the folder that holds the sets, a folder each
 * @param without sets that are left out of training
 * @param flags for train.py
 */
export async function build(name: string, data: string, folder: string, without: readonly string[], flags: readonly string[]): Promise<void> {
  const [arrays, weights] = [path.join(folder, 'data'), path.join(folder, 'weights')];
  if (!existsSync(path.join(arrays, 'data.json'))) await prepare(data, arrays, new Set(without));
  if (!existsSync(path.join(weights, 'weights.json'))) run(process.env.LABEL_LENS_PYTHON ?? 'python3', ['models/sentiment/recipe/train.py', arrays, weights, ...flags]);
  const trained = await readTrained(arrays, weights);
  const lent = compose(trained, modelOf(lender), version, {}).model;
  for (const model of name === 'all' ? shippedModels : [modelOf(name)]) await buildOne(model, trained, lent, folder, arrays);
}

function modelOf(name: string): ShippedModel {
  const model = shippedModels.find((shipped) => shipped.name === name);
  if (!model) throw new Error(`There is no model ${name}; there are ${shippedModels.map((shipped) => shipped.name).join(', ')}.`);
  return model;
}

async function buildOne(model: ShippedModel, trained: Trained, lent: Uint8Array, folder: string, arrays: string): Promise<void> {
  const plain = path.join(folder, model.name);
  const shipped = path.join(folder, 'shipped', model.name);
  await write(plain, compose(trained, model, version, {}));
  const evaluations = new Map<string, Evaluation>();
  for (const { name, head, valid } of trained.data.sets) if (head === model.head && valid > 0) evaluations.set(name, evaluate(plain, path.join(arrays, `${name}.valid.csv`)));
  const files = compose(trained, model, version, metricsOf(evaluations));
  await write(plain, files);
  await rm(shipped, { recursive: true, force: true });
  await mkdir(shipped, { recursive: true });
  await copyFile(path.join(plain, bundleFileNames.manifest), path.join(shipped, bundleFileNames.manifest));
  let bytes = files.model.length;
  if (model.name === lender) for (const part of ['tokenizer', 'model'] as const) await copyFile(path.join(plain, bundleFileNames[part]), path.join(shipped, bundleFileNames[part]));
  else {
    const own = shareTensors(files.model, lent, lender);
    bytes = own.length;
    await writeFile(path.join(shipped, sharedModelFile), own);
  }
  await writeFile(path.join(shipped, 'README.md'), cardOf(model, parseManifest(files.manifest, bundleFileNames.manifest), trained.data.sets, evaluations, bytes / 1e6));
}

async function write(folder: string, files: BundleFiles): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const part of ['manifest', 'tokenizer', 'model'] as const) await writeFile(path.join(folder, bundleFileNames[part]), files[part]);
}

/** Each set counts by its rows. */
function metricsOf(evaluations: ReadonlyMap<string, Evaluation>): Record<string, number> {
  const all = [...evaluations.values()];
  const rows = all.reduce((sum, found) => sum + found.rows, 0);
  const mean = (of: (found: Evaluation) => number): number => all.reduce((sum, found) => sum + of(found) * found.rows, 0) / rows;
  const perSet = [...evaluations].flatMap(([name, { accuracy, ece }]): [string, number][] => [[`${name} accuracy`, accuracy], [`${name} ece`, ece]]);
  return { rows, accuracy: mean(({ accuracy }) => accuracy), macroF1: mean(({ macroF1 }) => macroF1), ece: mean(({ ece }) => ece), ...(all.length > 1 ? Object.fromEntries(perSet) : {}) };
}

function evaluate(model: string, file: string): Evaluation {
  const output = run(process.execPath, ['dist/cli.js', 'evaluate', '--model', path.resolve(model), '--label', 'label', '--json', file], 'pipe');
  console.error(`${path.basename(model)} on ${path.basename(file)}: ${/accuracy .*/.exec(output)?.[0] ?? ''}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Evaluation;
}

function run(command: string, args: readonly string[], stdout: 'inherit' | 'pipe' = 'inherit'): string {
  if (stdout === 'inherit') console.error(`${command} ${args.join(' ')}`);
  const result = spawnSync(command, args, { stdio: ['inherit', stdout, 'inherit'], encoding: 'utf8', maxBuffer: 1e8 });
  if (result.status !== 0) throw new Error(`${command} ${args[0] ?? ''} ended with ${result.status ?? result.error?.message ?? 'a signal'}.`);
  return result.stdout ?? '';
}
