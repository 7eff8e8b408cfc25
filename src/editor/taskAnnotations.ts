import * as vscode from 'vscode';
import { BoundedCache } from '../app/boundedCache';
import type { Disposable, Event } from '../app/events';
import type { LabelingTask } from '../app/labeling/labeling';
import { DecisionAnchors } from '../app/labeling/anchors';
import { annotationOf, answers, coverageOf, guessOfPrediction, type AnnotatingTask, type Coverage, type ShownGuess, type TextAnnotation } from '../app/labeling/textAnnotation';
import type { Prediction } from '../app/prediction';
import type { Session, SessionStatus } from '../app/session';
import type { Span } from '../app/span';
import { WhenQuiet } from '../app/whenQuiet';
import { contextKeys } from '../commands/ids';
import type { DecisionSource } from '../core/labels/decision';
import type { TaskChange } from '../core/labels/view';
import { exampleId } from '../core/text/normalize';
import { kindOf } from './documents';
import type { ProseUnit } from './prose';
import type { Settings } from './settings';

/** A text of a document, as far as it matters to what stands beside it. */
export interface DocumentText {
  readonly text: string;
  /** 1-based number of the record or line, where the document has such. */
  readonly row?: number | undefined;
  /** UTF-16 offsets, where they are known. */
  readonly start?: number;
  readonly end?: number;
}

/** What the editor needs of a task. */
export type EditorTask = AnnotatingTask & Pick<LabelingTask, 'folder' | 'onDidChange' | 'example' | 'explain' | 'decide' | 'undo' | 'redo'>;

/** What the editor needs of `LabelingTasks`. */
export interface EditorTasks {
  readonly active: EditorTask | undefined;
  readonly onDidChangeActive: Event<unknown>;
}

/** What moved: the annotations of texts, or also which texts a document is cut into. */
export type AnnotationsChange = 'texts' | 'task';

/** Where a document stands in the folder of the task. */
interface TaskPlace {
  /** Relative to the folder, with `/`; undefined if it is not in it. */
  readonly file: string | undefined;
  readonly coverage: Coverage | undefined;
}

/** Ids kept, so that repainting hashes nothing twice: entries, and characters of their texts. */
const KEPT_IDS = 20_000;
const KEPT_CHARACTERS = 8_000_000;

/** Milliseconds without another decision or another order after which editors are painted anew, and how long that waits at most: who labels key by key in the panel needs the window for the next text. */
const QUIET = 200;
const LONGEST = 1000;

const none = (): boolean => false;

/**
 * What stands beside texts of documents: decisions and guesses of the task that is being labelled, else predictions of the model in use. The one place that CodeLenses, rows,
 * hovers and Quick Fixes ask. Never waits and never computes.
 */
export class TaskAnnotations implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<AnnotationsChange>();
  private readonly ids = new BoundedCache<string>(KEPT_IDS, KEPT_CHARACTERS);
  private readonly standing = new WeakMap<vscode.TextDocument, (example: string) => boolean>();
  /** For the task as it is now. */
  private places = new WeakMap<vscode.TextDocument, TaskPlace>();
  private readonly anchors = new WeakMap<vscode.TextDocument, DecisionAnchors>();
  private readonly editorSubscriptions: vscode.Disposable;
  /** Kept, because working it out reads settings, and it is asked for with each text. */
  private status: SessionStatus;
  private tasks: EditorTasks | undefined;
  private subscriptions: Disposable[] = [];
  private taskSubscription: Disposable | undefined;
  private readonly textsChanged = new WhenQuiet(() => this.changed.fire('texts'), QUIET, LONGEST);

  /** Fired when what {@link of} says may have changed, other than by an edit or another model. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly session: Session,
    private readonly settings: Settings,
  ) {
    this.status = session.status;
    this.editorSubscriptions = vscode.Disposable.from(
      session.onDidChangeStatus((status) => (this.status = status)),
      vscode.window.onDidChangeActiveTextEditor(() => this.setContext()),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        const anchors = this.anchors.get(document);
        // VS Code lists the changes so that each one's offsets hold when those before it in the list have been made
        for (const { rangeOffset, rangeLength, text } of contentChanges) anchors?.edit({ offset: rangeOffset, removed: rangeLength, inserted: text.length });
      }),
    );
    this.setContext();
  }

  /** The tasks whose active one is shown from now on. */
  follow(tasks: EditorTasks): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.tasks = tasks;
    this.subscriptions = [tasks.onDidChangeActive(() => this.watch())];
    this.watch();
  }

  /** The task that is being labelled. */
  get task(): EditorTask | undefined {
    return this.tasks?.active;
  }

  /** How the task reads the document; undefined if it is none of its sources. */
  coverageOf(document: vscode.TextDocument): Coverage | undefined {
    return this.task && this.placeIn(this.task, document).coverage;
  }

  /** What is annotated in a document: as the task that it belongs to cuts it, else as the settings say. */
  unitOf(document: vscode.TextDocument): ProseUnit | 'off' {
    const unit = this.settings.unit(document);
    const coverage = unit === 'off' ? undefined : this.coverageOf(document);
    if (!coverage) return unit;
    return coverage.kind === 'text' ? coverage.unit : 'line';
  }

  of(document: vscode.TextDocument, text: DocumentText): TextAnnotation {
    const prediction = this.session.recall(text.text);
    const failed = this.status.error !== undefined;
    const { task } = this;
    if (!task) return annotationOf(undefined, { text: text.text, id: '' }, { covered: false, prediction, failed, stands: none });
    const { file, coverage } = this.placeIn(task, document);
    const id = this.idOf(text.text);
    const span = spanOf(text);
    return annotationOf(task, { text: text.text, id, ...(file === undefined ? {} : { source: sourceIn(file, document, coverage, text) }) }, {
      covered: coverage !== undefined,
      prediction,
      model: this.model,
      failed,
      anchored: () => span && this.anchors.get(document)?.at(span),
      stands: this.standing.get(document) ?? none,
    });
  }

  /** As {@link of}, for the segments and records that a document is cut into: those that were decided on are found again by their place when they are edited. */
  ofPart(document: vscode.TextDocument, text: DocumentText): TextAnnotation {
    const annotation = this.of(document, text);
    const span = spanOf(text);
    if (span && annotation.decision?.stale === false) this.anchorsOf(document).set(span, this.idOf(text.text));
    return annotation;
  }

  /** A prediction of the model in use, in the task's words where it has any. */
  guessOf(prediction: Prediction): ShownGuess {
    return guessOfPrediction(prediction, this.task);
  }

  /** Whether predictions of the model in use can be expected to answer the task's question. */
  get mayAccept(): boolean {
    const { task, model } = this;
    return task !== undefined && (model === undefined || answers(model, task.definition));
  }

  /** Where a text stands, as a decision of the task names it. What is nowhere in the task's folder has its name only: paths of this machine do not belong into a journal. */
  sourceOf(task: EditorTask, document: vscode.TextDocument, text: DocumentText): DecisionSource {
    const { file, coverage } = this.placeIn(task, document);
    return sourceIn(file ?? document.uri.path.slice(document.uri.path.lastIndexOf('/') + 1), document, coverage, text);
  }

  /** `exampleId` of the text. */
  idOf(text: string): string {
    let id = this.ids.get(text);
    if (id === undefined) {
      id = exampleId(text);
      this.ids.set(text, id);
    }
    return id;
  }

  /** Says which examples are known to stand in the document, so that a text that moved is not taken for one that was edited. */
  setStanding(document: vscode.TextDocument, stands: (example: string) => boolean): void {
    this.standing.set(document, stands);
  }

  dispose(): void {
    this.textsChanged.dispose();
    this.editorSubscriptions.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
    this.taskSubscription?.dispose();
    this.changed.dispose();
  }

  private anchorsOf(document: vscode.TextDocument): DecisionAnchors {
    let anchors = this.anchors.get(document);
    if (!anchors) {
      anchors = new DecisionAnchors();
      this.anchors.set(document, anchors);
    }
    return anchors;
  }

  private placeIn(task: EditorTask, document: vscode.TextDocument): TaskPlace {
    let place = this.places.get(document);
    if (!place) {
      const file = pathIn(task.folder, document);
      place = { file, coverage: file === undefined ? undefined : coverageOf(task.definition, file) };
      this.places.set(document, place);
    }
    return place;
  }

  private get model(): { readonly kind: 'single' | 'multi' | 'number'; readonly labels: readonly string[] } | undefined {
    const { model } = this.status;
    return model && { kind: model.opened.manifest.task.kind, labels: model.labels };
  }

  private watch(): void {
    this.taskSubscription?.dispose();
    this.taskSubscription = this.task?.onDidChange((change) => this.heard(change));
    this.places = new WeakMap();
    this.setContext();
    this.changed.fire('task');
  }

  private heard({ kind }: TaskChange): void {
    if (kind === 'task') {
      this.places = new WeakMap();
      this.changed.fire('task');
    } else if (kind === 'decisions' || kind === 'queue' || kind === 'pool') this.textsChanged.ask();
  }

  private setContext(): void {
    const document = vscode.window.activeTextEditor?.document;
    void vscode.commands.executeCommand('setContext', contextKeys.canLabel, this.task !== undefined && document !== undefined && kindOf(document) !== undefined);
  }
}

function spanOf({ start, end }: DocumentText): Span | undefined {
  return start === undefined || end === undefined ? undefined : { start, end };
}

function sourceIn(file: string, document: vscode.TextDocument, coverage: Coverage | undefined, { row, start, end }: DocumentText): DecisionSource {
  const isRow = row !== undefined && (kindOf(document) === 'rows' || coverage?.kind === 'table');
  return { file, ...(isRow ? { row } : start === undefined || end === undefined ? {} : { start, end }) };
}

/** Path of the document relative to a folder, with `/`; undefined if it is not in it. */
function pathIn(folder: string, { uri }: vscode.TextDocument): string | undefined {
  if (uri.scheme === 'untitled') return undefined;
  const root = vscode.Uri.file(folder).path.replace(/\/?$/, '/');
  return uri.path.startsWith(root) ? uri.path.slice(root.length) : undefined;
}
