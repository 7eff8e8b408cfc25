import { isShare, metricNames } from '../app/foldMetrics';
import { sampleRows } from '../app/labeledRows';
import { bestPreset, defaultFolds, mostFolds, tune, type CandidateResult } from '../app/tune';
import { CancelledError } from '../core/errors';
import { checkHyperparameters } from '../core/model/hyperparameters';
import { formatPresetFile } from '../core/model/presetFile';
import { presets } from '../core/model/presets';
import { gridCandidates, mostCandidates, parseGrid, parseRanges, randomCandidates, type Candidate } from '../core/model/searchSpace';
import { UsageError, type Arguments, type CommandSpec } from './arguments';
import type { CliContext } from './context';
import { folderFlag, jsonFlag, labelOfKindFlag, limitFlag, readFolder, readLimit, readTextColumns, readWorkers, textFlag, workersFlag } from './flags';
import { choosePreset, flagOf, givenHyperparameters, hyperparameterFlags, readHyperparameters } from './hyperparameters';
import { kindFlag, readKind } from './kinds';
import { readLabeledFile } from './labeledFile';
import { ProgressLine } from './terminal';
import { textTable } from './textTable';

export const tuneSpec: CommandSpec = {
  summary: 'Finds good hyperparameters by cross-validation, over a grid or at random, and writes the best as a preset file for train.',
  operands: '--label COL --output DIR FILE',
  flags: {
    label: labelOfKindFlag,
    text: textFlag,
    kind: kindFlag,
    presets: { value: 'NAME|FILE[,…]', help: `presets to try, or preset files: ${presets.map((preset) => preset.name).join(', ')} (default ${presets[0]!.name})` },
    grid: { value: 'SPACE', help: 'all combinations of these values, such as "learningRate=0.001,0.004;hiddenUnits=32,64"' },
    random: { value: 'N', help: 'N combinations drawn at random from --range' },
    range: { value: 'SPACE', help: 'ranges, and values to choose from, such as "learningRate=0.0005..0.01;dropout=0.2..0.6;schedule=constant,linear"' },
    folds: { value: 'N', help: `folds of the cross-validation, 2 to ${mostFolds} (default ${defaultFolds})` },
    'best-by': { value: 'METRIC', help: `what is best: ${metricNames.single.join(', ')}; with --kind multi ${metricNames.multi.join(', ')}; with --kind number ${metricNames.number.join(', ')} (default: the first)` },
    limit: limitFlag('take'),
    workers: workersFlag('the results are the same'),
    output: folderFlag('tune.jsonl, with which the same command continues, and best.preset.json'),
    json: jsonFlag,
    ...hyperparameterFlags,
  },
};

/** `label-lens tune`. */
export async function tuneModel(args: Arguments, context: CliContext): Promise<void> {
  const file = args.file();
  const columns = { labelColumn: args.required('label'), textColumns: readTextColumns(args) };
  const folder = readFolder(args);
  const kind = readKind(args);
  const folds = args.wholeNumber('folds', 2, mostFolds) ?? defaultFolds;
  const limit = readLimit(args);
  const workers = readWorkers(args, context.cores);
  const metric = args.text('best-by') ?? metricNames[kind][0]!;
  if (!metricNames[kind].includes(metric)) throw new UsageError(`--best-by takes ${metricNames[kind].join(', ')}.`);
  const { seed } = readHyperparameters(args, {});
  const candidates = await readCandidates(args, context, seed);

  const progress = new ProgressLine(context.terminal);
  const all = await readLabeledFile(context, file, { ...columns, ...(kind === 'single' ? {} : { kind }) }, progress);
  const rows = limit === undefined ? all : sampleRows(all, kind, limit, seed);
  const say = (line: string): void => {
    progress.clear();
    context.terminal.stderr(`${line}\n`);
  };
  say(`${rows.length} rows, ${candidates.length} settings, ${folds} folds: ${candidates.length * folds} trainings.`);
  try {
    const { ranking, trained, reused } = await tune({
      ...columns,
      rows,
      file,
      kind,
      candidates,
      folds,
      seed,
      metric,
      workers,
      trainer: context.trainer,
      predictor: context.predictor,
      record: context.lines(`${folder}/tune.jsonl`),
      checkpoints: context.checkpoints(folder),
      pause: context.pause,
      signal: context.signal,
      onProgress: ({ candidate, candidates: of, fold, fraction, training }) =>
        progress.update(fraction, `setting ${candidate}/${of}, fold ${fold}/${folds}, epoch ${training.epoch}/${training.epochs}  loss ${training.loss.toFixed(4)}`),
      onCandidate: (result) => say(`${describe(result.candidate, candidates)}: ${metric} ${scoresOf(result, [metric]).join('')}`),
      onProblem: (problem) => say(problem.message),
    });
    progress.clear();
    const best = `${folder}/best.preset.json`;
    await write(context, best, formatPresetFile(bestPreset(ranking[0]!, { name: 'best', metric, folds, of: candidates.length, file })));
    const columnNames = varying(candidates);
    const lines = ranking.map((result, place) => [
      String(place + 1),
      result.candidate.preset,
      ...columnNames.map((name) => String(result.candidate.hyperparameters[name] ?? '')),
      ...scoresOf(result, metricNames[kind]),
      result.seconds.toFixed(0),
    ]);
    const header = ['', 'preset', ...columnNames, ...metricNames[kind], 'seconds'];
    for (const line of textTable(header, lines, [0, header.length - 1])) context.terminal.stdout(`${line}\n`);
    say(`${trained} trainings${reused > 0 ? `, ${reused} taken from ${folder}/tune.jsonl` : ''}. The best settings are in ${best}; train --preset ${best} trains with them.`);
    if (args.has('json')) {
      const result = { file, kind, rows: rows.length, folds, metric, trained, reused, best, ranking: ranking.map(({ candidate, ...rest }) => ({ ...candidate, ...rest })) };
      context.terminal.stdout(`${JSON.stringify(result)}\n`);
    }
  } catch (error) {
    if (error instanceof CancelledError) say('The same command continues.');
    throw error;
  } finally {
    progress.clear();
  }
}

async function readCandidates(args: Arguments, context: CliContext, seed: number): Promise<readonly Candidate[]> {
  const [grid, range] = [args.text('grid'), args.text('range')];
  const count = args.wholeNumber('random', 1, mostCandidates);
  if (grid !== undefined && (range !== undefined || count !== undefined)) throw new UsageError('--grid tries all combinations and --random some of --range. Give one of them.');
  if ((range === undefined) !== (count === undefined)) throw new UsageError('--random and --range go together: how many to draw, and from what.');
  const given = givenHyperparameters(args);
  const axes = grid === undefined ? parseRanges(range ?? '') : parseGrid(grid);
  const twice = axes.find(({ name }) => Object.hasOwn(given, name));
  if (twice) throw new UsageError(`--${flagOf(twice.name)} fixes what --${grid === undefined ? 'range' : 'grid'} tries. Leave one of them out.`);
  const bases: Candidate[] = [];
  for (const name of args.list('presets') ?? [presets[0]!.name]) {
    const { preset, hyperparameters } = await choosePreset(context, name);
    // checked here, where the preset file is known
    checkHyperparameters({ ...hyperparameters, ...given }, preset.defaults);
    bases.push({ preset: preset.name, hyperparameters: { ...hyperparameters, ...given } });
  }
  if (count === undefined) return gridCandidates(bases, parseGrid(grid ?? ''));
  const drawn = randomCandidates(bases, axes, count, seed);
  if (drawn.length < count) context.terminal.stderr(`There are only ${drawn.length} different settings in --range.\n`);
  return drawn;
}

/** Hyperparameters in which candidates differ, in the order in which they were given. */
function varying(candidates: readonly Candidate[]): (keyof Candidate['hyperparameters'])[] {
  const names = [...new Set(candidates.flatMap(({ hyperparameters }) => Object.keys(hyperparameters)))] as (keyof Candidate['hyperparameters'])[];
  return names.filter((name) => new Set(candidates.map(({ hyperparameters }) => hyperparameters[name])).size > 1);
}

function describe({ preset, hyperparameters }: Candidate, candidates: readonly Candidate[]): string {
  return [preset, ...varying(candidates).map((name) => `${name}=${hyperparameters[name] ?? 'default'}`)].join(' ');
}

/** Rates in per cent, other numbers as they are; mean ± standard deviation. */
function scoresOf({ mean, deviation }: CandidateResult, metrics: readonly string[]): string[] {
  return metrics.map((name) => {
    const value = mean[name];
    if (value === undefined) return 'diverged';
    return isShare(name) ? `${(value * 100).toFixed(2)} ± ${(deviation[name]! * 100).toFixed(2)} %` : `${value.toFixed(4)} ± ${deviation[name]!.toFixed(4)}`;
  });
}

async function write(context: CliContext, file: string, content: Uint8Array): Promise<void> {
  const output = await context.openOutput(file);
  try {
    await output.write(content);
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  }
}
