import * as vscode from 'vscode';
import { CancelledError } from '../core/errors';
import type { Session } from '../app/session';
import { lensParts, type LensPart, type TextAnnotation } from '../app/labeling/textAnnotation';
import { commandIds, internalCommandIds, type DecideArgument, type TextArgument } from '../commands/ids';
import { kindOf, proseSelector } from './documents';
import { answerText, decisionTitle, guessedText, titleOf } from './labelStyles';
import type { ProseSegment, ProseSegments, ProseUnit } from './prose';
import { signalOf, type ErrorReporter } from './report';
import type { Settings } from './settings';
import type { TaskAnnotations } from './taskAnnotations';

/** Milliseconds without an edit before a changed segment is predicted again. */
const QUIET = 250;
/** Milliseconds that a list of lenses waits at most for the predictions of those on the screen, so that it comes with them. */
const PATIENCE = 150;
/** Lines of a document that are taken to be on the screen when it has just been opened. */
const FIRST_LINES = 60;
/** Milliseconds of rest while scrolling before lenses move along, in a document that has too many for all of them. */
const FOLLOW = 100;

class SegmentLens extends vscode.CodeLens {
  constructor(
    readonly document: vscode.TextDocument,
    readonly segment: ProseSegment,
    readonly part: LensPart,
    command: vscode.Command | undefined,
  ) {
    super(segment.range, command);
  }
}

/** How many segments of a document carry a lens, those around the screen, of how many there are. `complete` is false if the document was too large to be counted. */
export interface LensCount {
  readonly shown: number;
  readonly total: number;
  readonly complete: boolean;
}

/**
 * One CodeLens above each segment of prose, and behind it what can be done where a task is being labelled: `● positive 97 %`, `✓ accept`, `label…`. Ranges come at once; what is on the screen is predicted, not the rest. A segment whose text has an answer
 * already comes resolved, so that lenses stay as they are while another segment is typed in. A document with more segments than the setting allows has
 * lenses around the screen, which follow it.
 *
 * VS Code waits a quarter of a second before it asks for lenses and as long again before it resolves them. The predictions for a document that was just opened are
 * asked for in the first pause, which saves the second.
 */
export class SegmentLenses implements vscode.CodeLensProvider<SegmentLens>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly counted = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly resolved = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly subscriptions: vscode.Disposable[];
  private readonly lastEdit = new WeakMap<vscode.TextDocument, number>();
  private readonly counts = new WeakMap<vscode.TextDocument, LensCount>();
  /** The segments [from, to) that have lenses, where there are more. */
  private readonly windows = new WeakMap<vscode.TextDocument, { readonly from: number; readonly to: number; readonly total: number }>();
  private follow: ReturnType<typeof setTimeout> | undefined;
  private failed = false;

  readonly onDidChangeCodeLenses = this.changed.event;
  /** Fired when {@link countOf} has another answer for the document. */
  readonly onDidCount = this.counted.event;
  /** Fired when lenses of the document got their predictions. */
  readonly onDidResolve = this.resolved.event;

  constructor(
    private readonly session: Session,
    private readonly settings: Settings,
    private readonly annotations: TaskAnnotations,
    private readonly segments: ProseSegments,
    private readonly errors: ErrorReporter,
  ) {
    this.subscriptions = [
      this.changed,
      this.counted,
      this.resolved,
      settings.onDidChangeAnnotations(() => this.changed.fire()),
      session.onDidChangeModel(() => this.changed.fire()),
      annotations.onDidChange(() => this.changed.fire()),
      session.onDidChangeStatus(({ error }) => {
        // the lenses of a model that does not answer go, and come back with one that does
        if (this.failed === (error !== undefined)) return;
        this.failed = error !== undefined;
        this.changed.fire();
      }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.lastEdit.set(document, Date.now());
      }),
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => this.scrolled(textEditor)),
      vscode.window.onDidChangeVisibleTextEditors((editors) => editors.forEach(({ document }) => void this.prefetch(document))),
      vscode.languages.registerCodeLensProvider(proseSelector, this),
    ];
    for (const { document } of vscode.window.visibleTextEditors) void this.prefetch(document);
  }

  /** Undefined if the document has no lenses. */
  countOf(document: vscode.TextDocument): LensCount | undefined {
    return this.counts.get(document);
  }

  async provideCodeLenses(document: vscode.TextDocument, token: vscode.CancellationToken): Promise<SegmentLens[]> {
    const unit = this.unitOf(document);
    if (!unit) {
      this.count(document, undefined);
      return [];
    }
    const { segments, complete } = this.segments.of(document, unit);
    const { from, to } = this.window(document, unit, segments.length);
    const shown = segments.slice(from, to);
    this.count(document, { shown: shown.length, total: segments.length, complete });
    if (!this.isTyping(document)) await within(PATIENCE, this.prefetch(document), token);
    this.tellStanding(document, segments);
    const lenses = shown.flatMap((segment) => {
      const annotation = this.annotations.ofPart(document, segment);
      return lensParts(annotation, this.annotations.mayAccept).map((part) => new SegmentLens(document, segment, part, this.commandFor(document, segment, part, annotation)));
    });
    if (lenses.some(({ isResolved }) => isResolved)) this.resolved.fire(document);
    return lenses;
  }

  async resolveCodeLens(lens: SegmentLens, token: vscode.CancellationToken): Promise<SegmentLens> {
    const { document, segment, part } = lens;
    try {
      await this.quiet(document, token);
      if (token.isCancellationRequested) return lens;
      await this.session.predict([segment.text], { signal: signalOf(token) });
      const annotation = this.annotations.of(document, segment);
      lens.command = this.commandFor(document, segment, part, annotation) ?? { title: '', command: '' };
      // the model that has just been loaded says something else than was expected
      if (!lensParts(annotation, this.annotations.mayAccept).includes(part)) this.changed.fire();
      this.resolved.fire(document);
    } catch (error) {
      // the status bar tells of a model that fails; a lens without a command shows nothing
      if (!(error instanceof CancelledError) && this.session.status.error !== error) this.errors.note(error);
      lens.command = { title: '', command: '' };
    }
    return lens;
  }

  dispose(): void {
    clearTimeout(this.follow);
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** The unit by which the document is annotated; undefined if it is not, at present. */
  private unitOf(document: vscode.TextDocument): ProseUnit | undefined {
    const unit = this.annotations.unitOf(document);
    // decisions are shown even where no model answers
    const nothing = this.failed && this.annotations.task === undefined;
    return kindOf(document) !== 'prose' || unit === 'off' || this.settings.paused || nothing ? undefined : unit;
  }

  /** The segments [from, to) that get lenses: all of them, or as many as are allowed around the screen. */
  private window(document: vscode.TextDocument, unit: ProseUnit, total: number): { readonly from: number; readonly to: number } {
    const maximum = this.settings.maximum(document);
    if (total <= maximum) {
      this.windows.delete(document);
      return { from: 0, to: total };
    }
    const screen = this.onScreen(document, unit);
    const from = screen ? Math.max(0, Math.min(total - maximum, Math.floor((screen.from + screen.to - maximum) / 2))) : 0;
    const window = { from, to: from + maximum, total };
    this.windows.set(document, window);
    return window;
  }

  /** Moves the lenses along when the screen has come near the end of those there are. */
  private scrolled({ document }: vscode.TextEditor): void {
    const window = this.windows.get(document);
    const unit = this.unitOf(document);
    if (!window || !unit) return;
    clearTimeout(this.follow);
    this.follow = setTimeout(() => {
      const screen = this.onScreen(document, unit);
      if (!screen) return;
      const margin = (window.to - window.from) / 4;
      if ((screen.from < window.from + margin && window.from > 0) || (screen.to > window.to - margin && window.to < window.total)) this.changed.fire();
    }, FOLLOW);
  }

  /** The segments [from, to) that editors of the document show; undefined if none does. */
  private onScreen(document: vscode.TextDocument, unit: ProseUnit): { readonly from: number; readonly to: number } | undefined {
    const ranges = vscode.window.visibleTextEditors.flatMap((editor) => (editor.document === document ? editor.visibleRanges : []));
    if (!vscode.window.visibleTextEditors.some((editor) => editor.document === document)) return undefined;
    const first = Math.min(...ranges.map(({ start }) => start.line));
    const last = Math.max(...ranges.map(({ end }) => end.line));
    // an editor that was just opened does not know yet what it shows
    return this.segments.within(document, unit, Number.isFinite(first) ? first : 0, Number.isFinite(last) && last > first ? last : FIRST_LINES);
  }

  /** Predicts what is on the screen of the document, before VS Code asks for it. Never fails: what is asked for later will tell. */
  private async prefetch(document: vscode.TextDocument): Promise<void> {
    const unit = this.unitOf(document);
    const screen = unit && this.onScreen(document, unit);
    if (!screen || screen.from >= screen.to) return;
    const texts = this.segments
      .of(document, unit)
      .segments.slice(screen.from, screen.to)
      .filter((segment) => this.annotations.of(document, segment).awaits)
      .map(({ text }) => text);
    if (texts.length === 0) return;
    await this.session.predict(texts).catch(() => undefined);
  }

  /** What a lens says and does; undefined if that is not known yet. */
  private commandFor(document: vscode.TextDocument, { start, end, text }: ProseSegment, part: LensPart, { decision, guess, labelable }: TextAnnotation): vscode.Command | undefined {
    const place: TextArgument = { uri: document.uri.toString(), start, end, ...(labelable ? { example: this.annotations.idOf(text) } : {}) };
    const decide = (title: string, tooltip: string, argument: Omit<DecideArgument, keyof TextArgument>): vscode.Command => ({ title, tooltip, command: internalCommandIds.decide, arguments: [{ ...place, ...argument } satisfies DecideArgument] });
    switch (part) {
      case 'state': {
        const title = decision ? decisionTitle(decision) : guess ? titleOf(guess) : undefined;
        return title === undefined ? undefined : { title, command: internalCommandIds.showPrediction, arguments: [place] };
      }
      case 'accept':
        return guess?.value === undefined ? undefined : decide(vscode.l10n.t('✓ accept'), vscode.l10n.t('Label as {0}', guessedText(guess)), { status: 'labeled', value: guess.value, origin: 'accept' });
      case 'confirm':
        return decision?.value === undefined
          ? undefined
          : decide(vscode.l10n.t('✓ still {0}', answerText(decision)), vscode.l10n.t('Label the text as it reads now as {0}', answerText(decision)), { status: decision.status, value: decision.value, origin: 'editor' });
      case 'label':
      case 'change':
        return { title: part === 'label' ? vscode.l10n.t('label…') : vscode.l10n.t('change…'), command: commandIds.labelAs, arguments: [place] };
    }
  }

  /** A text whose decision stands in another segment moved there: it was not edited. */
  private tellStanding(document: vscode.TextDocument, segments: readonly ProseSegment[]): void {
    let ids: ReadonlySet<string> | undefined;
    this.annotations.setStanding(document, (example) => (ids ??= new Set(segments.map(({ text }) => this.annotations.idOf(text)))).has(example));
  }

  private isTyping(document: vscode.TextDocument): boolean {
    return this.quietIn(document) > 0;
  }

  /** Milliseconds until nobody has typed for a moment. */
  private quietIn(document: vscode.TextDocument): number {
    return (this.lastEdit.get(document) ?? -Infinity) + QUIET - Date.now();
  }

  /** Waits until nobody has typed for a moment, if anybody types. */
  private async quiet(document: vscode.TextDocument, token: vscode.CancellationToken): Promise<void> {
    for (let left = this.quietIn(document); left > 0 && !token.isCancellationRequested; left = this.quietIn(document)) await within(left, undefined, token);
  }

  private count(document: vscode.TextDocument, count: LensCount | undefined): void {
    const before = this.counts.get(document);
    if (before?.shown === count?.shown && before?.total === count?.total && before?.complete === count?.complete) return;
    if (count) this.counts.set(document, count);
    else this.counts.delete(document);
    this.counted.fire(document);
  }
}

/** Waits for `work`, but no longer than `milliseconds`, nor longer than until `token` is cancelled. Without work it waits for the time. */
async function within(milliseconds: number, work: Promise<void> | undefined, token: vscode.CancellationToken): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let subscription: vscode.Disposable | undefined;
  const end = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
    subscription = token.onCancellationRequested(() => resolve());
  });
  await Promise.race(work ? [work, end] : [end]);
  clearTimeout(timer);
  subscription?.dispose();
}
