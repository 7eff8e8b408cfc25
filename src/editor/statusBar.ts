import * as vscode from 'vscode';
import type { Session } from '../app/session';
import { internalCommandIds } from '../commands/ids';
import type { SegmentLenses } from './codeLenses';
import { kindOf } from './documents';
import { messageOf } from './report';
import type { RowAnnotations } from './rowAnnotations';
import type { Settings } from './settings';

/** Milliseconds of work before the spinner turns, so that short work does not flicker. */
const PATIENCE = 200;

/** One item: the model, what it is busy with, that annotations are off, or what is wrong. A click opens the menu. */
export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly subscriptions: vscode.Disposable[];
  private busySince: number | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    private readonly settings: Settings,
    private readonly lenses: SegmentLenses,
    private readonly rows: RowAnnotations,
  ) {
    this.item = vscode.window.createStatusBarItem('labelLens.status', vscode.StatusBarAlignment.Right, 90);
    this.item.name = vscode.l10n.t('Label Lens');
    this.item.command = internalCommandIds.showMenu;
    const update = (): void => this.update();
    this.subscriptions = [
      this.item,
      vscode.Disposable.from(session.onDidChangeStatus(update), settings.onDidChangeAnnotations(update), settings.onDidChange(update)),
      lenses.onDidCount(update),
      rows.onDidChange(update),
      vscode.window.onDidChangeActiveTextEditor(update),
    ];
    this.update();
    this.item.show();
  }

  /** What the item says, for tests. */
  get text(): string {
    return this.item.text;
  }

  dispose(): void {
    clearTimeout(this.timer);
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private update(): void {
    const { error } = this.session.status;
    const busy = this.busyText();
    clearTimeout(this.timer);
    if (!busy) this.busySince = undefined;
    else this.busySince ??= Date.now();
    const wait = this.busySince === undefined ? 0 : this.busySince + PATIENCE - Date.now();
    if (busy && wait > 0) this.timer = setTimeout(() => this.update(), wait);

    const name = vscode.l10n.t('Label Lens');
    this.item.backgroundColor = error ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    if (error) this.show(`$(error) ${name}`, messageOf(error));
    else if (busy && wait <= 0) this.show(`$(loading~spin) ${busy}`, busy);
    else if (this.off) this.show(`$(circle-slash) ${name}`, vscode.l10n.t('Annotations are off.'));
    else this.show(`$(tag) ${this.modelName()}`, vscode.l10n.t('Label Lens annotates with the model {0}.', this.modelName()));
  }

  private show(text: string, tooltip: string): void {
    const note = this.note();
    this.item.text = note ? `${text} $(warning)` : text;
    this.item.tooltip = note ? `${tooltip}\n\n${note}` : tooltip;
    this.item.accessibilityInformation = { label: `${vscode.l10n.t('Label Lens')}: ${tooltip} ${note ?? ''}` };
  }

  private get off(): boolean {
    const document = vscode.window.activeTextEditor?.document;
    return this.settings.paused || (document !== undefined && kindOf(document) !== undefined && this.settings.unit(document) === 'off');
  }

  private modelName(): string {
    const { model, chosen } = this.session.status;
    return model ? `${model.identity.name} ${model.identity.version}` : shortName(chosen);
  }

  private busyText(): string | undefined {
    const { loading, pending, chosen, training } = this.session.status;
    if (training) return vscode.l10n.t('Training {0}: {1} %', training.task, Math.floor(training.fraction * 100));
    if (loading) return vscode.l10n.t('Loading {0}…', shortName(chosen));
    if (pending > 0) return vscode.l10n.t('Classifying {0} texts…', pending);
    const document = vscode.window.activeTextEditor?.document;
    const reading = document && this.rows.readingOf(document);
    return reading === undefined ? undefined : vscode.l10n.t('Reading rows: {0} %', Math.floor(reading * 100));
  }

  /** What a person should know about the annotations of the document in front. */
  private note(): string | undefined {
    const document = vscode.window.activeTextEditor?.document;
    const problem = document && !this.off ? this.rows.problemOf(document) : undefined;
    if (problem) return problem;
    const count = document && this.lenses.countOf(document);
    if (count && !count.complete) return vscode.l10n.t('The document is too large to be annotated to its end.');
    if (count && count.shown < count.total) return vscode.l10n.t('{0} of {1} segments are annotated, those around the screen. The setting labelLens.annotations.maximum says how many at most.', count.shown, count.total);
    return undefined;
  }
}

/** A model that is named by its folder, by the folder's name. */
function shortName(chosen: string): string {
  return /^(?:[A-Za-z]:)?[\\/]/.test(chosen) ? (chosen.split(/[\\/]/).filter(Boolean).at(-1) ?? chosen) : chosen;
}
