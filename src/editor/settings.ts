import * as vscode from 'vscode';
import { Emitter, type Disposable } from '../app/events';
import { defaultModel } from '../app/modelStore';
import type { SessionSettings } from '../app/session';

/** Where annotations stand in prose. */
export type AnnotationUnit = 'paragraph' | 'sentence' | 'line' | 'off';
/** Where a record's annotation stands. */
export type RowPosition = 'auto' | 'end' | 'start';

const SECTION = 'labelLens';
const PAUSED = 'annotations.paused';

/** All settings, typed, in the one place that asks VS Code for them. */
export class Settings implements SessionSettings, Disposable {
  private readonly subscription: vscode.Disposable;
  private readonly modelEmitter = new Emitter<void>();
  private readonly annotationsEmitter = new Emitter<void>();
  private readonly labelingEmitter = new Emitter<void>();
  private current = this.readModel();
  /** Kept, because VS Code builds all settings anew for each look at where one was set, and it is asked for with each word on the status. */
  private chosen = this.readIsModelChosen();

  readonly onDidChange = this.modelEmitter.event;
  /** Fired when an annotation setting changed, or annotations were switched on or off. */
  readonly onDidChangeAnnotations = this.annotationsEmitter.event;
  /** Fired when {@link annotator} or {@link fineTuneEvery} may have another value. */
  readonly onDidChangeLabeling = this.labelingEmitter.event;

  /** @param state remembers per workspace that annotations are switched off */
  constructor(private readonly state: vscode.Memento) {
    this.subscription = vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${SECTION}.annotations`)) this.annotationsEmitter.fire();
      if (event.affectsConfiguration(`${SECTION}.labeling`) || event.affectsConfiguration(`${SECTION}.annotator`)) this.labelingEmitter.fire();
      if (event.affectsConfiguration(`${SECTION}.model`)) this.chosen = this.readIsModelChosen();
      if (event.affectsConfiguration(`${SECTION}.model`) && this.current !== this.readModel()) {
        this.current = this.readModel();
        this.modelEmitter.fire();
      }
    });
  }

  /** Name or folder of the model in use. */
  get model(): string {
    return this.current;
  }

  /** Whether somebody has chosen {@link model}; else it is the one that comes with Label Lens. */
  get isModelChosen(): boolean {
    return this.chosen;
  }

  /** Chooses a model for this workspace, or for the user where no folder is open. */
  async chooseModel(nameOrFolder: string): Promise<void> {
    const target = vscode.workspace.workspaceFolders?.length ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
    await vscode.workspace.getConfiguration(SECTION).update('model', nameOrFolder, target);
  }

  /** Whether annotations are switched off by `Toggle Annotations`, for all documents of this workspace. */
  get paused(): boolean {
    return this.state.get<boolean>(PAUSED, false);
  }

  async setPaused(paused: boolean): Promise<void> {
    await this.state.update(PAUSED, paused);
    this.annotationsEmitter.fire();
  }

  /** The unit as set for the document, whether or not annotations are {@link paused}. */
  unit(document: vscode.TextDocument): AnnotationUnit {
    const unit = vscode.workspace.getConfiguration(SECTION, document).get<string>('annotations.unit');
    return unit === 'sentence' || unit === 'line' || unit === 'off' ? unit : 'paragraph';
  }

  rowPosition(document: vscode.TextDocument): RowPosition {
    const position = vscode.workspace.getConfiguration(SECTION, document).get<string>('annotations.rowPosition');
    return position === 'end' || position === 'start' ? position : 'auto';
  }

  /** CodeLenses that one document gets at most. */
  maximum(document: vscode.TextDocument): number {
    const value = vscode.workspace.getConfiguration(SECTION, document).get<number>('annotations.maximum');
    return typeof value === 'number' && value >= 1 ? Math.min(20_000, Math.floor(value)) : 1_000;
  }

  /** Threads that a training uses; 0 leaves the choice to us. */
  get trainingWorkers(): number {
    const value = vscode.workspace.getConfiguration(SECTION).get<number>('training.workers');
    return typeof value === 'number' && value >= 1 ? Math.floor(value) : 0;
  }

  /** Decisions after which a task's model is fine-tuned; 0: never by itself. */
  get fineTuneEvery(): number {
    const value = vscode.workspace.getConfiguration(SECTION).get<number>('labeling.fineTuneEvery');
    return typeof value === 'number' && value >= 0 ? Math.floor(value) : 20;
  }

  /** Whose decisions are taken, as the person has said; empty if they have not. */
  get annotator(): string {
    const value = vscode.workspace.getConfiguration(SECTION).get<string>('annotator');
    return typeof value === 'string' ? value.trim() : '';
  }

  /** Says whose decisions are taken, in every window of this person. */
  async chooseAnnotator(name: string): Promise<void> {
    await vscode.workspace.getConfiguration(SECTION).update('annotator', name, vscode.ConfigurationTarget.Global);
  }

  dispose(): void {
    this.subscription.dispose();
    this.modelEmitter.dispose();
    this.annotationsEmitter.dispose();
    this.labelingEmitter.dispose();
  }

  private readModel(): string {
    const value = vscode.workspace.getConfiguration(SECTION).get<string>('model');
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : defaultModel;
  }

  private readIsModelChosen(): boolean {
    const { globalValue, workspaceValue, workspaceFolderValue } = vscode.workspace.getConfiguration(SECTION).inspect<string>('model') ?? {};
    return (globalValue ?? workspaceValue ?? workspaceFolderValue) !== undefined;
  }
}
