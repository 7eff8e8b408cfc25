import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { ModelStore } from './app/modelStore';
import { Session } from './app/session';
import { Trainings } from './app/trainings';
import { registerCommands } from './commands/register';
import { SegmentLenses } from './editor/codeLenses';
import { PredictionHovers } from './editor/hovers';
import { LabelActions } from './editor/labelActions';
import { Passages } from './editor/passages';
import { ProseSegments } from './editor/prose';
import { ErrorReporter } from './editor/report';
import { RowAnnotations } from './editor/rowAnnotations';
import { SelectionResults } from './editor/selectionResults';
import { Settings } from './editor/settings';
import { StatusBar } from './editor/statusBar';
import { TaskAnnotations } from './editor/taskAnnotations';
import type { WorkerHandle } from './core/protocol/worker';
import { openInput, openOutput } from './platform/node/files';
import { NodeFileSystem } from './platform/node/fileSystem';
import { startNodeWorker } from './platform/node/workers';

/** What the extension's own tests see of it. Not an interface for other extensions: it changes without notice. */
export interface TestingApi {
  readonly session: Session;
  readonly settings: Settings;
  readonly lenses: SegmentLenses;
  readonly rows: RowAnnotations;
  readonly selections: SelectionResults;
  readonly annotations: TaskAnnotations;
  readonly status: StatusBar;
}

/** The door for VS Code's Node extension host: picks the platform, opens a session, hangs editor and commands on it. Loads no model. */
export function activate(context: vscode.ExtensionContext): TestingApi {
  const log = vscode.window.createOutputChannel('Label Lens', { log: true });
  const errors = new ErrorReporter(log);
  const settings = new Settings(context.workspaceState);
  const fileSystem = new NodeFileSystem();
  const ownFolder = context.globalStorageUri.fsPath;
  const models = new ModelStore({
    fileSystem,
    ownFolder,
    shippedFolder: context.asAbsolutePath('models'),
    workspaceFolders: () => (vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath) : []),
  });
  const startWorker = (name: string): WorkerHandle => startNodeWorker(path.join(context.extensionPath, 'dist', name), { log: (line) => log.debug(line) });
  const trainings = new Trainings({
    fileSystem,
    startTrainer: () => startWorker('trainer.js'),
    cores: availableParallelism(),
    pause: () => new Promise((resolve) => void setImmediate(resolve)),
    onError: (error) => errors.note(error),
  });
  const session = new Session({ models, startPredictor: () => startWorker('predictor.js'), trainings, settings, log });
  const segments = new ProseSegments();
  const annotations = new TaskAnnotations(session, settings);
  const lenses = new SegmentLenses(session, settings, annotations, segments, errors);
  const rows = new RowAnnotations(session, settings, annotations, context.workspaceState, errors);
  const selections = new SelectionResults(session, annotations);
  const passages = new Passages(annotations, segments, rows);
  const files = { openInput: (path: string) => openInput(path), openOutput: (path: string) => openOutput(path) };
  const status = new StatusBar(session, settings, lenses, rows);
  context.subscriptions.push(
    log,
    settings,
    session,
    annotations,
    lenses,
    rows,
    selections,
    status,
    new PredictionHovers(session, settings, annotations, passages, selections, errors),
    new LabelActions(annotations, passages),
    registerCommands({ session, settings, errors, log, annotations, passages, lenses, rows, selections, files, ownFolder }),
    // models of the workspace, and settings that were held back, count from now on
    vscode.workspace.onDidGrantWorkspaceTrust(() => session.reload()),
  );
  return { session, settings, lenses, rows, selections, annotations, status };
}
