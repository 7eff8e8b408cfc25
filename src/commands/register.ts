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
    showLog: () => workbench.log.show(),
    showPrediction: async (argument) => {
      if (isTextArgument(argument)) await showPrediction(workbench, argument);
    },
    showMenu: () => showMenu(workbench),
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

/** A model that cannot be used is remedied by choosing another, a folder that is not trusted by trusting it. */
function remediesFor(error: unknown): readonly Remedy[] {
  if (error instanceof HumanError && error.code === 'trainModel.untrusted') return [{ title: vscode.l10n.t('Manage Workspace Trust'), run: () => vscode.commands.executeCommand('workbench.trust.manage') }];
  const aboutModel = error instanceof HumanError && /^(model|bundle|manifest|onnx|tokenizer)\./.test(error.code);
  return aboutModel ? [{ title: vscode.l10n.t('Select Model…'), run: () => vscode.commands.executeCommand(commandIds.selectModel) }] : [];
}
