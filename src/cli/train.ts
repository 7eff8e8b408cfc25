import { CancelledError } from '../core/errors';
import type { TaskKind } from '../core/model/onnxWriter';
import { presets } from '../core/model/presets';
import type { BundleFiles } from '../core/protocol/predictor';
import type { TrainingRow, TrainRequest, TrainResult } from '../core/protocol/trainer';
import { trainedDocument } from '../core/report/trained';
import type { ReportPlace } from '../core/report/wording';
import { decidedRows, type TaskFolder } from '../app/labeling/taskFolder';
import { recipeFor } from '../app/baseRecipe';
import { sampleRows, type LabeledText } from '../app/labeledRows';
import { defaultHeldOut, trainRequest, withoutTrained, type HeldOutFile, type TrainingPlan } from '../app/trainRequest';
import { withVectors } from '../app/wordVectors';
import type { CheckpointStore } from '../training/checkpointKeeper';
import { UsageError, type Arguments, type CommandSpec } from './arguments';
import type { CliContext } from './context';
import { cardFlags, folderFlag, folderName, jsonFlag, labelOfKindFlag, limitFlag, readCard, readLimit, readTextColumns, readWorkers, textFlag, workersFlag } from './flags';
import { choosePreset, hyperparameterFlags, readHyperparameters } from './hyperparameters';
import { kindFlag, readKind, readThreshold, successText } from './kinds';
import { DefectNotes, readLabeledFile } from './labeledFile';
import { readTask, taskFlag } from './taskFolder';
import { ProgressLine } from './terminal';
import { reportFlag, writeReport } from './writeReport';

export const trainSpec: CommandSpec = {
  summary: 'Trains a model on a labelled file, or on the decisions of a task, and writes it as a bundle of model.onnx, tokenizer.json and model.json.',
  operands: '--label COL --output DIR FILE, or --task DIR',
  flags: {
    task: { ...taskFlag, help: `${taskFlag.help}: trains on what was decided instead of a file, held out are the random checks if 20 are decided; without --output the model becomes the task’s next version` },
    label: labelOfKindFlag,
    kind: kindFlag,
    value: { value: 'COL', help: 'column of a number that the model gives beside the label: one joint model for both' },
    threshold: { value: 'T', help: 'decision threshold to be written into the model: of the second of two labels, or of each with --kind multi (default 0.5)' },
    text: textFlag,
    base: { value: 'NAME|DIR|none', help: 'model to start from (default none); it brings other defaults: n-grams beside it, a fitted head, and from 100 rows on (500 of its own labels) slower layers below' },
    vectors: { value: 'FILE', help: 'word vectors to start from, as text of GloVe, word2vec or fastText (.vec), also packed (.gz); they decide --embedding-size' },
    tokenizer: { value: 'NAME|DIR', help: 'model whose vocabulary to take in place of one of the rows’ own, so that both can be put together in an ensemble' },
    preset: { value: 'NAME|FILE', help: `architecture, with defaults of its own (default ${presets[0]!.name}), or a preset file, such as tune writes:\n${presets.map(({ name, description }) => `${name}: ${description}`).join('\n')}` },
    valid: { value: 'FILE', help: 'held-out rows that decide when to stop' },
    'valid-split': { value: 'RATIO', help: `share of the rows to hold out instead (default ${defaultHeldOut})` },
    limit: limitFlag('train on'),
    precision: { value: 'float32|float16|int8', help: 'how weights are stored in model.onnx (default float32)' },
    ...cardFlags,
    workers: workersFlag('the model is the same to the last bit'),
    output: folderFlag('the bundle; until it is done, training.checkpoint lies there, with which the same command continues'),
    report: { ...reportFlag, help: `${reportFlag.help}; report.html and report.md are in the model’s folder anyway` },
    restart: { help: 'start from the beginning, even if there is a checkpoint to continue from' },
    json: jsonFlag,
    ...hyperparameterFlags,
  },
};

/** `label-lens train`. */
export async function train(args: Arguments, context: CliContext): Promise<void> {
  const taskPath = args.text('task');
  if (taskPath !== undefined) checkTaskFlags(args);
  else {
    args.file();
    args.required('label');
    args.required('output');
  }
  const { preset, hyperparameters: own } = await choosePreset(context, args.text('preset') ?? presets[0]!.name);
  const kind = readKind(args);
  if (args.text('value') !== undefined && kind !== 'single') throw new UsageError('--value is about a number beside one label, with --kind single. For a number alone give its column as --label with --kind number.');
  const threshold = readThreshold(args);
  if (threshold !== undefined && kind === 'number') throw new UsageError('--threshold decides for labels, and there are none with --kind number.');
  const precision = args.text('precision') ?? 'float32';
  if (precision !== 'float32' && precision !== 'float16' && precision !== 'int8') throw new UsageError('--precision takes float32, float16 or int8.');
  if (args.text('valid') !== undefined && args.text('valid-split') !== undefined) throw new UsageError('Give --valid or --valid-split, not both.');
  const workers = readWorkers(args, context.cores);
  const limit = readLimit(args);
  const split = args.number('valid-split') ?? defaultHeldOut;
  if (!(split > 0 && split < 1)) throw new UsageError('--valid-split takes a ratio between 0 and 1.');
  const { seed } = readHyperparameters(args, { ...preset.defaults, ...own });
  const baseName = args.text('base') ?? 'none';
  const base = baseName === 'none' ? undefined : await context.models.open(baseName);
  const foreign = ['vectors', 'tokenizer'].find((flag) => args.text(flag) !== undefined);
  if (base && foreign !== undefined) throw new UsageError(`--${foreign} is for a model that is trained from scratch; a base brings its own. Leave out --${foreign} or --base.`);
  if (args.text('vectors') !== undefined && args.text('embedding-size') !== undefined) throw new UsageError('The vectors decide how wide the embedding is. Leave out --embedding-size or --vectors.');
  const tokenizerName = args.text('tokenizer');
  const tokenizer = tokenizerName === undefined ? undefined : await context.models.open(tokenizerName);

  const progress = new ProgressLine(context.terminal);
  const data = taskPath === undefined ? await fileData(args, context, kind, split, progress) : await taskData(args, context, taskPath, split);
  const rows = limit === undefined ? data.rows : sampleRows(data.rows, data.kind, limit, seed);
  const hyperparameters = readHyperparameters(args, { ...preset.defaults, ...recipeFor(rows, base, data.kind), ...own });
  const planned = await trainRequest(
    {
      ...data,
      rows,
      ...(threshold === undefined ? {} : { threshold }),
      preset: preset.name,
      ...(base === undefined ? {} : { base }),
      ...(tokenizer === undefined ? {} : { tokenizer }),
      hyperparameters,
      workers,
      precision,
      ...readCard(args, data.name),
    },
    context.pause,
  );
  const vectorsFile = args.text('vectors');
  const request = vectorsFile === undefined ? planned : await readVectorsFor(planned, vectorsFile, context, progress);
  const isCrossValidated = request.validation.length === 0;
  context.terminal.stderr(`${request.rows.length} rows to train on, ${isCrossValidated ? 'none' : request.validation.length} held out, ${data.kind === 'number' ? 'numbers' : `${request.labels.length} labels`}.\n`);

  const { checkpoints } = data;
  if (args.has('restart')) await checkpoints.clear();
  const say = (line: string): void => {
    progress.clear();
    context.terminal.stderr(`${line}\n`);
  };
  let canContinue = false;
  let result: TrainResult;
  try {
    result = await context.trainer.train(request, {
      signal: context.signal,
      checkpoints,
      onContinue: ({ epochs, batch, batches }) => {
        canContinue = true;
        say(`Continuing after epoch ${batch === 0 ? epochs.length : `${epochs.length + 1}, batch ${batch} of ${batches}`}; --restart begins anew.`);
      },
      onSaved: () => (canContinue = true),
      onProblem: (problem) => say(problem.message),
      onProgress: (now) => {
        if (now.finished) {
          progress.clear();
          const { trainLoss, validLoss, seconds } = now.finished;
          context.terminal.stderr(
            `epoch ${now.epoch}: training loss ${trainLoss.toFixed(4)}, held-out loss ${validLoss.toFixed(4)}, held-out ${successText(now.finished, data.kind)}, ${seconds.toFixed(1)} s\n`,
          );
        } else {
          progress.update(
            now.batch / now.batches,
            `epoch ${now.epoch}/${now.epochs}  loss ${now.loss.toFixed(4)}  ${now.examplesPerSecond.toFixed(0)} examples/s  ${Math.ceil(now.secondsLeft)} s left`,
          );
        }
      },
    });
  } catch (error) {
    if (error instanceof CancelledError && canContinue) say('The same command continues this training.');
    throw error;
  } finally {
    progress.clear();
  }
  const output = await data.store(result.bundle);
  await checkpoints.clear();
  const best = result.epochs[result.best]!;
  context.terminal.stderr(
    `Kept epoch ${result.best + 1} (${isCrossValidated ? 'cross-validated' : 'held-out'} loss ${best.validLoss.toFixed(4)}, ${successText(best, data.kind)}), ${result.examplesPerSecond.toFixed(0)} examples/s. The model is in ${output}.\n`,
  );
  const report = trainedDocument({ request, result, validation: placesOf(request.validation, data), file: data.file });
  for (const file of [`${output}/report`, ...(args.text('report') === undefined ? [] : [args.required('report')])]) await writeReport(context, file, report);
  if (args.has('json')) {
    const { epochs, examplesPerSecond } = result;
    context.terminal.stdout(`${JSON.stringify({ preset: preset.name, ...(data.kind === 'single' ? {} : { kind: data.kind }), base: baseName, rows: request.rows.length, epochs, best: result.best, examplesPerSecond, output })}\n`);
  }
}

/** Where held-out rows stand. Equal texts are on one side of a split, so any row of a text will do. */
function placesOf(validation: readonly TrainingRow[], { rows, heldOut, file }: TrainingData): readonly ReportPlace[] {
  const [source, name] = 'rows' in heldOut ? [heldOut.rows, heldOut.file] : [rows, file];
  const numbers = new Map(source.map(({ text, row }) => [text, row]));
  return validation.map(({ text }) => ({ file: name, row: numbers.get(text) ?? 0, text }));
}

/** The request with the vectors of its words; says how much of the texts they cover. */
async function readVectorsFor(planned: TrainRequest, file: string, context: CliContext, progress: ProgressLine): Promise<TrainRequest> {
  const input = await context.openInput(file);
  const defects = new DefectNotes(context);
  try {
    const { request, coverage } = await withVectors(planned, {
      chunks: input.chunks,
      fileName: file,
      signal: context.signal,
      breathe: context.pause,
      onProgress: () => progress.update(input.fraction(), `reading ${file}`),
      onDefect: (defect) => {
        progress.clear();
        defects.note(defect.message);
      },
    });
    progress.clear();
    defects.finish();
    const { tokens, found, occurrences, missing } = coverage;
    const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
    context.terminal.stderr(
      `${file}: vectors of ${request.vectors!.size} numbers for ${found} of ${tokens} words of the vocabulary (${percent(found / tokens)}), which are ${percent(occurrences)} of what is read of the training texts.\n`,
    );
    if (missing.length > 0) context.terminal.stderr(`The most frequent words without a vector: ${missing.map(({ token, count }) => `${token} (${count})`).join(', ')}.\n`);
    return request;
  } finally {
    progress.clear();
  }
}

/** What a training learns from, and where its model goes. */
interface TrainingData extends Pick<TrainingPlan, 'textColumns' | 'labelColumn' | 'valueColumn' | 'rows' | 'heldOut' | 'file' | 'name' | 'version'> {
  readonly kind: TaskKind;
  readonly checkpoints: CheckpointStore;
  /** @returns the folder that the model is in */
  readonly store: (bundle: BundleFiles) => Promise<string>;
}

async function fileData(args: Arguments, context: CliContext, kind: TaskKind, split: number, progress: ProgressLine): Promise<TrainingData> {
  const file = args.file();
  const valueColumn = args.text('value');
  const columns = { kind, textColumns: readTextColumns(args), labelColumn: args.required('label'), ...(valueColumn === undefined ? {} : { valueColumn }) };
  const validFile = args.text('valid');
  const output = args.required('output');
  const rows = await readLabeledFile(context, file, columns, progress);
  const heldOut = validFile === undefined ? { share: split } : await unseenRows({ rows: await readLabeledFile(context, validFile, columns, progress), file: validFile }, rows, context);
  return { ...columns, rows, heldOut, file, name: folderName(output), version: 'v1', ...folderOutput(context, output) };
}

/** {@link withoutTrained}, which it says when it leaves some out. */
async function unseenRows(heldOut: HeldOutFile, rows: readonly LabeledText[], context: CliContext): Promise<HeldOutFile> {
  const unseen = await withoutTrained(heldOut, rows, context.pause);
  const known = heldOut.rows.length - unseen.rows.length;
  if (known > 0) context.terminal.stderr(`${heldOut.file}: ${known} held-out rows have texts that are trained on, too, and are not checked with.\n`);
  return unseen;
}

/** What was decided in a task: text and answer of each example, in the order of its sources. */
async function taskData(args: Arguments, context: CliContext, path: string, split: number): Promise<TrainingData> {
  const task = await readTask(context, path);
  const { rows, heldOut } = await decidedRows(task, context.pause);
  const output = args.text('output');
  return {
    kind: task.task.kind,
    textColumns: ['text'],
    labelColumn: 'label',
    rows,
    heldOut: heldOut === undefined ? { share: split } : { rows: heldOut, file: task.name },
    file: task.name,
    name: task.name,
    ...(output === undefined
      ? { version: await task.models.nextVersion(), checkpoints: task.models.checkpoints(), store: async (bundle) => (await storeVersion(task, bundle)).folder }
      : { version: 'v1', ...folderOutput(context, output) }),
  };
}

async function storeVersion({ models }: TaskFolder, bundle: BundleFiles): Promise<{ readonly folder: string }> {
  await models.ignoreModels();
  return await models.add(bundle);
}

function folderOutput(context: CliContext, output: string): Pick<TrainingData, 'checkpoints' | 'store'> {
  return {
    checkpoints: context.checkpoints(output),
    store: async (bundle) => {
      await context.writeBundle(output, bundle);
      return output;
    },
  };
}

/** With a task, what would say where texts and labels are means nothing. */
function checkTaskFlags(args: Arguments): void {
  if (args.operands.length > 0) throw new UsageError('--task and FILE are two ways to say what to train on. Give one of them.');
  const foreign = ['label', 'text', 'valid', 'kind', 'value'].find((flag) => args.text(flag) !== undefined);
  if (foreign !== undefined) throw new UsageError(`--${foreign} is about a file, and a task knows its texts and labels. Leave it out.`);
}
