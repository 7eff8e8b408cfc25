import * as vscode from 'vscode';
import { CancelledError, HumanError } from '../core/errors';

/** A button under an error message, and what it does. */
export interface Remedy {
  readonly title: string;
  run(): Thenable<unknown> | void;
}

/** A {@link HumanError}'s text in the language of the window; its English template is the key of the translation. */
export function translated(error: HumanError): string {
  return vscode.l10n.t(error.template, ...error.args);
}

/** What went wrong, for a person: a HumanError's own text, or that it is in the log. */
export function messageOf(error: unknown): string {
  return error instanceof HumanError ? translated(error) : vscode.l10n.t('Something went wrong in Label Lens itself. The log says what.');
}

/** Tells people about errors: what they can act on in words, everything else in the log with a button that shows it. */
export class ErrorReporter {
  constructor(private readonly log: vscode.LogOutputChannel) {}

  /** Shows `error` with its remedies and a button for the log. Cancelling is no error. Resolves when the message is closed. */
  async show(error: unknown, remedies: readonly Remedy[] = []): Promise<void> {
    if (error instanceof CancelledError) return;
    this.note(error);
    const showLog: Remedy = { title: vscode.l10n.t('Show Log'), run: () => this.log.show() };
    const offered = error instanceof HumanError ? remedies : [...remedies, showLog];
    const answer = await vscode.window.showErrorMessage(messageOf(error), ...offered.map((remedy) => remedy.title));
    await offered.find((remedy) => remedy.title === answer)?.run();
  }

  /** Writes `error` to the log without troubling anybody: for work that nobody asked for by hand. */
  note(error: unknown): void {
    if (error instanceof CancelledError) return;
    this.log.error(error instanceof Error ? error : String(error));
  }
}

/** An abort signal that follows a cancellation token. */
export function signalOf(token: vscode.CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  else token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
