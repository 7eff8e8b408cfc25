// The command line: label-lens classify | evaluate | compare | prepare | train | tune | ensemble | export | import | models.
import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import { readTaskFolder } from './app/labeling/taskFolder';
import { ModelStore } from './app/modelStore';
import { writeBundle } from './app/taskModels';
import { UsageError, parseArguments, usage, type Arguments, type CommandSpec } from './cli/arguments';
import { classify, classifySpec } from './cli/classify';
import { compare, compareSpec } from './cli/compare';
import type { CliContext } from './cli/context';
import { ensemble, ensembleSpec } from './cli/ensemble';
import { evaluate, evaluateSpec } from './cli/evaluate';
import { exportSpec, exportTask } from './cli/export';
import { importLabels, importSpec } from './cli/import';
import { models, modelsSpec } from './cli/models';
import { prepare, prepareSpec } from './cli/prepare';
import type { Terminal } from './cli/terminal';
import { train, trainSpec } from './cli/train';
import { tuneModel, tuneSpec } from './cli/tune';
import { CancelledError, HumanError } from './core/errors';
import { Predictor } from './inference/predictor';
import { NodeFileSystem } from './platform/node/fileSystem';
import { createFolder, openInput, openOutput } from './platform/node/files';
import { startNodeWorker } from './platform/node/workers';
import { CheckpointFile } from './storage/checkpointFile';
import { Trainer } from './training/trainerClient';

const commands: Readonly<Record<string, { readonly spec: CommandSpec; readonly run: (args: Arguments, context: CliContext) => Promise<void> }>> = {
  classify: { spec: classifySpec, run: classify },
  evaluate: { spec: evaluateSpec, run: evaluate },
  compare: { spec: compareSpec, run: compare },
  prepare: { spec: prepareSpec, run: prepare },
  train: { spec: trainSpec, run: train },
  tune: { spec: tuneSpec, run: tuneModel },
  ensemble: { spec: ensembleSpec, run: ensemble },
  export: { spec: exportSpec, run: exportTask },
  import: { spec: importSpec, run: importLabels },
  models: { spec: modelsSpec, run: models },
};

const terminal: Terminal = {
  interactive: process.stderr.isTTY,
  columns: process.stderr.columns ?? 80,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  now: () => performance.now(),
};

/** @returns the exit status: 0 done, 1 failed, 2 bad usage, 130 interrupted */
async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal[name === undefined ? 'stderr' : 'stdout'](`${overview()}\n`);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    terminal.stderr(`There is no command ${name}.\n\n${overview()}\n`);
    return 2;
  }
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  process.once('SIGTERM', () => interrupt.abort());
  const fileSystem = new NodeFileSystem();
  const predictor = new Predictor(() => startNodeWorker(path.join(__dirname, 'predictor.js')));
  const trainer = new Trainer(() => startNodeWorker(path.join(__dirname, 'trainer.js')));
  try {
    const args = parseArguments(command.spec, rest);
    if (args.has('help')) {
      terminal.stdout(`${usage(name, command.spec)}\n`);
      return 0;
    }
    const models = new ModelStore({ fileSystem, shippedFolder: path.join(__dirname, '..', 'models'), workspaceFolders: () => [process.cwd()] });
    await command.run(args, {
      terminal,
      signal: interrupt.signal,
      models: {
        list: () => models.list(),
        // what looks like a path is one; a bare name is a model's, unless only a folder has it
        open: async (nameOrFolder) => {
          const folder = path.resolve(nameOrFolder);
          const isFolder = (await fileSystem.list(folder)).some((entry) => entry.name === 'model.json');
          return await models.open(isFolder || /^\.|[/\\]$/.test(nameOrFolder) ? folder : nameOrFolder);
        },
      },
      predictor,
      trainer,
      cores: availableParallelism(),
      pause: () => new Promise((resolve) => void setImmediate(resolve)),
      readTask: (folder, options) => readTaskFolder(path.resolve(folder).replaceAll('\\', '/'), { ...options, fileSystem, openInput }),
      openInput: (file) => openInput(file),
      openOutput: (file) => openOutput(file),
      createFolder: (folder) => createFolder(folder),
      lines: (file) => ({ where: file, read: () => fileSystem.readFile(path.resolve(file)), append: (lines) => fileSystem.append(path.resolve(file), lines, true) }),
      checkpoints: (folder) => new CheckpointFile(fileSystem, path.join(path.resolve(folder), 'training.checkpoint')),
      writeBundle: (folder, bundle) => writeBundle(fileSystem, path.resolve(folder), bundle),
    });
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.stderr(`${error.message}\n\n${usage(name, command.spec)}\n`);
      return 2;
    }
    if (error instanceof CancelledError) {
      if (interrupt.signal.aborted) terminal.stderr('Cancelled.\n');
      return interrupt.signal.aborted ? 130 : 1;
    }
    if (error instanceof HumanError) terminal.stderr(`${error.message}\n`);
    else terminal.stderr(`Something went wrong inside Label Lens. Please report this:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  } finally {
    await Promise.all([predictor.dispose(), trainer.dispose()]);
  }
}

function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length)) + 2;
  return ['label-lens COMMAND [flags] …', '', ...Object.entries(commands).map(([name, { spec }]) => `  ${name.padEnd(width)}${spec.summary}`), '', 'label-lens COMMAND --help lists the flags of a command.'].join('\n');
}

void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
