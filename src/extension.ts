import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { dataTools } from './app/dataTools';
import { annotatorName } from './app/labeling/annotator';
import { exportModel } from './app/labeling/exportModel';
import type { LabelingTasks } from './app/labeling/labeling';
import { FolderTasks } from './app/labeling/labelingTasks';
import { defaultModel, ModelStore } from './app/modelStore';
import { Session } from './app/session';
import { Trainings } from './app/trainings';
import { TrainingWorkshop } from './app/trainingWorkshop';
import { registerCommands } from './commands/register';
import { tablesBeside, trainingWindow } from './commands/trainingWindow';
import { SegmentLenses } from './editor/codeLenses';
import { PredictionHovers } from './editor/hovers';
import { LabelActions } from './editor/labelActions';
import { Passages } from './editor/passages';
import { ProseSegments } from './editor/prose';
import { ErrorReporter, messageOf } from './editor/report';
import { RowAnnotations } from './editor/rowAnnotations';
import { SelectionResults } from './editor/selectionResults';
import { Settings } from './editor/settings';
import { StatusBar } from './editor/statusBar';
import { TaskAnnotations } from './editor/taskAnnotations';
import type { WorkerHandle } from './core/protocol/worker';
import { ActiveTask } from './panel/activeTask';
import { revealRow } from './panel/examplePlace';
import { ModelInUse } from './panel/modelInUse';
import { PanelHost } from './panel/panelHost';
import { translatedReportStrings } from './panel/strings';
import { TaskStatus } from './panel/taskStatus';
import { TaskTree } from './panel/taskTree';
import { TaskWatcher } from './panel/taskWatcher';
import { TrainingPanelHost } from './panel/trainingPanelHost';
import { trainingReports } from './panel/trainingReports';
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
  readonly tasks: LabelingTasks;
  readonly panel: PanelHost;
  readonly trainingPanel: TrainingPanelHost;
  readonly workshop: TrainingWorkshop;
  readonly taskStatus: TaskStatus;
  readonly taskTree: TaskTree;
}

/** The door for VS Code's Node extension host: picks the platform, opens a session, hangs editor, panel and commands on it. Loads no model, unless a task was open when the window was closed. */
export function activate(context: vscode.ExtensionContext): TestingApi {
  const log = vscode.window.createOutputChannel('Label Lens', { log: true });
  const errors = new ErrorReporter(log);
  const note = (error: unknown): void => errors.note(error);
  const settings = new Settings(context.workspaceState);
  const fileSystem = new NodeFileSystem();
  const ownFolder = context.globalStorageUri.fsPath;
  const workspaceFolders = (): string[] => (vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath) : []);
  const models = new ModelStore({ fileSystem, ownFolder, shippedFolder: context.asAbsolutePath('models'), workspaceFolders });
  // the window and the next key come first, whatever a worker computes
  const startWorker = (name: string): WorkerHandle => startNodeWorker(path.join(context.extensionPath, 'dist', name), { log: (line) => log.debug(line), isBackground: true });
  const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  const trainings = new Trainings({ fileSystem, startTrainer: () => startWorker('trainer.js'), cores: availableParallelism(), pause, onError: note });
  const annotator = async (folder: string): Promise<string> => {
    const config = await fileSystem.readFile(path.join(folder, '.git', 'config'));
    return annotatorName({ setting: settings.annotator, gitConfig: config && new TextDecoder().decode(config), environment: process.env });
  };
  const otherFolders = new OtherFolders(context.globalState);
  const tasks: FolderTasks = new FolderTasks(
    {
      fileSystem,
      openInput: (file) => openInput(file),
      // made below: the model that annotates follows the task
      get session(): Session {
        return session;
      },
      startLearner: () => startWorker('learner.js'),
      annotator,
      baseModel: defaultModel,
      fineTuneEvery: () => settings.fineTuneEvery,
      trainingWorkers: () => settings.trainingWorkers,
      pause,
      log,
    },
    () => (vscode.workspace.isTrusted ? [...workspaceFolders(), ...otherFolders.all] : []),
  );
  const watcher = new TaskWatcher(tasks, note);
  const modelInUse = new ModelInUse(settings, tasks, watcher.onDidChangeVersion, (folder) => workspaceFolders().includes(folder), note);
  const session: Session = new Session({ models, startPredictor: () => startWorker('predictor.js'), startExplainer: () => startWorker('explainer.js'), trainings, settings: modelInUse, log });
  const segments = new ProseSegments();
  const annotations = new TaskAnnotations(session, settings);
  const lenses = new SegmentLenses(session, settings, annotations, segments, errors);
  const rows = new RowAnnotations(session, settings, annotations, context.workspaceState, errors);
  const selections = new SelectionResults(session, annotations);
  annotations.follow(tasks);
  const passages = new Passages(annotations, segments, rows);
  const files = { openInput: (path: string) => openInput(path), openOutput: (path: string) => openOutput(path) };
  const status = new StatusBar(session, settings, lenses, rows);
  const panel = new PanelHost({ tasks, extensionUri: context.extensionUri, state: context.workspaceState, errors: { messageOf, note, show: (error) => errors.show(error) } });
  const window = trainingWindow({ session, settings, files, errors, log, ownFolder }, { state: context.workspaceState, messageOf, reveal: revealRow });
  const tools = dataTools({
    nameOf: (table) => window.nameOf(table),
    open: (table) => window.open(table),
    beside: (table, names) => tablesBeside(files, table, names),
    predictor: session.predictor,
    strings: translatedReportStrings,
    pause,
  });
  const workshop = new TrainingWorkshop({ fileSystem, trainings, models, reports: trainingReports, tools, window, pause });
  const trainingPanel = new TrainingPanelHost({ workshop, remembered: () => window.memory.get(), extensionUri: context.extensionUri, errors: { messageOf, note } });
  const taskStatus = new TaskStatus(tasks);
  const taskTree = new TaskTree(tasks, messageOf);
  const activeTask = new ActiveTask({ tasks, state: context.workspaceState, isPanelVisible: () => panel.isVisible, annotator, onDidChangeAnnotator: settings.onDidChangeLabeling, errors });
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
    registerCommands({
      ...{ session, settings, errors, log, annotations, passages, lenses, rows, selections, files, tasks, panel, trainingPanel, annotator, ownFolder },
      extensionUri: context.extensionUri,
      writeModel: (model, folder) => exportModel(fileSystem, model, folder),
      rememberFolder: (folder) => otherFolders.add(folder),
    }),
    // the listeners of the tasks go first
    ...[activeTask, taskTree, taskStatus, panel, trainingPanel, workshop, modelInUse, watcher, tasks],
    // models of the workspace, and settings that were held back, count from now on
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      session.reload();
      taskTree.refresh();
      void activeTask.restore();
    }),
  );
  void activeTask.restore();
  return { session, settings, lenses, rows, selections, annotations, status, tasks, panel, trainingPanel, workshop, taskStatus, taskTree };
}

/** Folders outside of any workspace for whose files a task was made, so that it is found again. */
class OtherFolders {
  constructor(private readonly state: vscode.Memento) {}

  get all(): readonly string[] {
    return this.state.get<readonly string[]>('labeling.folders', []);
  }

  async add(folder: string): Promise<void> {
    if (!this.all.includes(folder)) await this.state.update('labeling.folders', [folder, ...this.all].slice(0, 50));
  }
}
