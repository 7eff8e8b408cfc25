import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import type { Remedy } from '../editor/report';
import { acceptGuess } from './acceptGuess';
import { chooseTextColumns } from './chooseTextColumns';
import { classifyFile, type ClassifyFileArguments } from './classifyFile';
import { classifySelection } from './classifySelection';
import { decide, decideSelected, isDecideArgument, isTextArgument } from './decide';
import { commandIds, internalCommandIds } from './ids';
import { isLabelKeyArgument, labelAs } from './labelAs';
import { labelSelection } from './labelSelection';
import { createTask, type CreateTaskArguments } from './createTask';
import { editLabels } from './editLabels';
import { exportLabeledCsv, type ExportArguments } from './exportLabeledCsv';
import { exportModel, type ExportModelArguments } from './exportModel';
import { exportReport } from './exportReport';
import { fineTune } from './fineTune';
import { importLabels, type ImportArguments } from './importLabels';
import { openLabelingPanel } from './openLabelingPanel';
import { openSample } from './openSample';
import { openTask, type OpenTaskArguments } from './openTask';
import { openTrainingPanel } from './openTrainingPanel';
import { selectAnnotator } from './selectAnnotator';
import { selectModel } from './selectModel';
import { showMenu } from './showMenu';
import { showPrediction } from './showPrediction';
import { toggleAnnotations } from './toggleAnnotations';
import { trainModel, type TrainModelArguments } from './trainModel';
import { undoDecision } from './undoDecision';
import type { Workbench } from './workbench';

/** What VS Code hands to a command: nothing from the palette, the resource from a menu, anything from other extensions. */
type Handler = (argument: unknown) => unknown;

/** Registers every command; the types make a forgotten one an error. What a command throws is told to the person who called it. */
export function registerCommands(workbench: Workbench): vscode.Disposable {
  const handlers: Record<keyof typeof commandIds, Handler> & Record<keyof typeof internalCommandIds, Handler> = {
    classifySelection: () => classifySelection(workbench),
    clearResults: () => workbench.selections.clear(vscode.window.activeTextEditor?.document),
    // menus hand over the resource, programs what they know
    classifyFile: (argument) => classifyFile(workbench, argument instanceof vscode.Uri ? { source: argument } : isArguments(argument) ? argument : {}),
    trainModel: (argument) => trainModel(workbench, argument instanceof vscode.Uri ? { source: argument } : isTrainArguments(argument) ? argument : {}),
    toggleAnnotations: () => toggleAnnotations(workbench),
    chooseTextColumns: () => chooseTextColumns(workbench),
    selectModel: () => selectModel(workbench),
    acceptGuess: () => acceptGuess(workbench),
    labelAs: (argument) => labelAs(workbench, isTextArgument(argument) || isLabelKeyArgument(argument) ? argument : undefined),
    labelSelection: () => labelSelection(workbench),
    clearLabel: () => decideSelected(workbench, 'cleared'),
    skipText: () => decideSelected(workbench, 'skipped'),
    flagText: () => decideSelected(workbench, 'flagged'),
    undoDecision: () => undoDecision(workbench, 'undo'),
    redoDecision: () => undoDecision(workbench, 'redo'),
    decide: async (argument) => {
      if (isDecideArgument(argument)) await decide(workbench, argument);
    },
    createTask: (argument) => createTask(workbench, argument instanceof vscode.Uri ? { source: argument } : isTaskArguments(argument) ? argument : {}),
    openTask: (argument) => openTask(workbench, isOpenArguments(argument) ? argument : undefined),
    openLabelingPanel: () => openLabelingPanel(workbench),
    openTrainingPanel: (argument) => openTrainingPanel(workbench, argument instanceof vscode.Uri ? argument : undefined),
    fineTune: () => fineTune(workbench),
    editLabels: () => editLabels(workbench),
    exportLabeledCsv: (argument) => exportLabeledCsv(workbench, isExportArguments(argument) ? argument : {}),
    importLabels: (argument) => importLabels(workbench, isImportArguments(argument) ? argument : {}),
    exportModel: (argument) => exportModel(workbench, isModelArguments(argument) ? argument : {}),
    exportReport: () => exportReport(workbench),
    selectAnnotator: (argument) => selectAnnotator(workbench, typeof argument === 'string' ? argument : undefined),
    showLog: () => workbench.log.show(),
    showPrediction: async (argument) => {
      if (isTextArgument(argument)) await showPrediction(workbench, argument);
    },
    showMenu: () => showMenu(workbench),
    openSample: () => openSample(workbench),
    stopTraining: () => workbench.session.trainings.cancel(),
  };
  const ids: Readonly<Record<string, string>> = { ...commandIds, ...internalCommandIds };
  const registered = Object.entries(handlers).map(([name, handler]) =>
    vscode.commands.registerCommand(ids[name]!, async (argument: unknown) => {
      try {
        return await handler(argument);
      } catch (error) {
        // not awaited: the command has ended, whether or not the message is closed
        void workbench.errors.show(error, remediesFor(error));
        return undefined;
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}

function isArguments(value: unknown): value is ClassifyFileArguments {
  return typeof value === 'object' && value !== null && (!('source' in value) || value.source instanceof vscode.Uri) && (!('output' in value) || value.output instanceof vscode.Uri);
}

function isTrainArguments(value: unknown): value is TrainModelArguments {
  return typeof value === 'object' && value !== null && (!('source' in value) || value.source instanceof vscode.Uri) && (!('text' in value) || Array.isArray(value.text));
}

function isTaskArguments(value: unknown): value is CreateTaskArguments {
  return isTrainArguments(value) && (!('labels' in value) || Array.isArray(value.labels));
}

function isOpenArguments(value: unknown): value is OpenTaskArguments {
  return typeof value === 'object' && value !== null && 'folder' in value && typeof value.folder === 'string' && 'name' in value && typeof value.name === 'string';
}

/** Not what a menu or the tree hands over. */
function isExportArguments(value: unknown): value is ExportArguments {
  return typeof value === 'object' && value !== null && !(value instanceof vscode.Uri) && (!('outputs' in value) || (Array.isArray(value.outputs) && value.outputs.every((output) => output instanceof vscode.Uri)));
}

function isImportArguments(value: unknown): value is ImportArguments {
  return typeof value === 'object' && value !== null && 'source' in value && value.source instanceof vscode.Uri;
}

function isModelArguments(value: unknown): value is ExportModelArguments {
  return typeof value === 'object' && value !== null && 'into' in value && value.into instanceof vscode.Uri;
}

/** A model that cannot be used is remedied by choosing another, a folder that is not trusted by trusting it. */
function remediesFor(error: unknown): readonly Remedy[] {
  if (error instanceof HumanError && /^(trainModel|labeling)\.untrusted$/.test(error.code)) return [{ title: vscode.l10n.t('Manage Workspace Trust'), run: () => vscode.commands.executeCommand('workbench.trust.manage') }];
  if (error instanceof HumanError && error.code === 'labeling.noTask') return [{ title: vscode.l10n.t('Open Labeling Panel'), run: () => vscode.commands.executeCommand(commandIds.openLabelingPanel) }];
  const aboutModel = error instanceof HumanError && /^(model|bundle|manifest|onnx|tokenizer)\./.test(error.code);
  return aboutModel ? [{ title: vscode.l10n.t('Select Model…'), run: () => vscode.commands.executeCommand(commandIds.selectModel) }] : [];
}
