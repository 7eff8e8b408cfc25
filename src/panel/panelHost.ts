import * as vscode from 'vscode';
import type { PanelCommand, PanelOptions } from '../core/protocol/panel';
import type { Port } from '../core/protocol/rpc';
import type { LabelingTasks } from '../app/labeling/labeling';
import { commandIds } from '../commands/ids';
import { revealExample } from './examplePlace';
import type { Wording } from './guarded';
import { PanelConnection } from './panelConnection';
import { translatedPanelStrings } from './strings';
import { WebviewHost } from './webviewHost';

export const panelViewType = 'labelLens.panel';

/** How errors are told; the editor's reporter. */
export interface PanelErrors extends Wording {
  show(error: unknown): Promise<void>;
}

export interface PanelHostOptions {
  readonly tasks: LabelingTasks;
  readonly extensionUri: vscode.Uri;
  /** Remembers the page's options for this workspace. */
  readonly state: vscode.Memento;
  readonly errors: PanelErrors;
}

const OPTIONS = 'panel.options';

/** The labelling panel. */
export class PanelHost implements vscode.Disposable {
  private readonly subscription: vscode.Disposable;
  private readonly host: WebviewHost<PanelConnection>;
  /** Whether the page is to show the labels as soon as it listens. */
  private labelsWanted = false;

  constructor(private readonly options: PanelHostOptions) {
    const { tasks, extensionUri } = options;
    this.host = new WebviewHost({ viewType: panelViewType, page: 'panel', extensionUri, title: () => this.title(), connect: (port) => this.connect(port) });
    this.subscription = tasks.onDidChangeActive(() => this.host.entitle());
  }

  /** Whether what the page shows is in sight. */
  get isVisible(): boolean {
    return this.host.isVisible;
  }

  /** Fired when the page has said that it listens; for tests. */
  get onDidConnect(): vscode.Event<void> {
    return this.host.onDidConnect;
  }

  /** Opens the panel, or brings it to the front, with the keyboard in it. */
  open(): void {
    this.host.open();
  }

  /** As {@link open}, where the labels are edited. */
  openLabels(): void {
    this.labelsWanted = true;
    const { connection } = this.host;
    const isThere = this.isVisible && connection !== undefined;
    this.open();
    if (isThere) this.showLabels(connection);
  }

  dispose(): void {
    this.host.dispose();
    this.subscription.dispose();
  }

  private connect(port: Port): PanelConnection {
    const { tasks, errors } = this.options;
    const connection = new PanelConnection(port, {
      tasks,
      language: vscode.env.language,
      strings: translatedPanelStrings,
      options: () => this.pageOptions(),
      setOption: async (option, value) => await this.options.state.update(OPTIONS, { ...this.pageOptions(), [option]: value }),
      messageOf: (error) => errors.messageOf(error),
      note: (error) => errors.note(error),
      run: (command: PanelCommand) => void vscode.commands.executeCommand(commandIds[command]).then(undefined, (error: unknown) => errors.show(error)),
      reveal: revealExample,
    });
    if (this.labelsWanted) this.showLabels(connection);
    return connection;
  }

  private showLabels(connection: PanelConnection): void {
    this.labelsWanted = false;
    connection.tell({ kind: 'labels' });
  }

  private pageOptions(): PanelOptions {
    const { blind = false, explain = false } = this.options.state.get<Partial<PanelOptions>>(OPTIONS, {});
    return { blind, explain };
  }

  private title(): string {
    const name = this.options.tasks.active?.definition.name;
    return name === undefined ? vscode.l10n.t('Labeling') : vscode.l10n.t('Labeling: {0}', name);
  }
}
