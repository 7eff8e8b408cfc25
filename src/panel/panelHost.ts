import * as vscode from 'vscode';
import type { PanelCommand, PanelOptions } from '../core/protocol/panel';
import type { LabelingTasks } from '../app/labeling/labeling';
import { commandIds } from '../commands/ids';
import { revealExample } from './examplePlace';
import { isPanelFrame } from './messageChecks';
import { isHello, pageHtml, pagesFolder } from './page';
import { PanelConnection } from './panelConnection';
import { translatedPanelStrings } from './strings';

export const panelViewType = 'labelLens.panel';

/** How errors are told; the editor's reporter. */
export interface PanelErrors {
  messageOf(error: unknown): string;
  note(error: unknown): void;
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

/** The labelling panel: one webview, which comes back after a reload of the window. The page loads nothing but what lies in `dist/webview`, and opens no connection. */
export class PanelHost implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];
  private panel: vscode.WebviewPanel | undefined;
  private connection: PanelConnection | undefined;
  /** Whether the page is to show the labels as soon as it listens. */
  private labelsWanted = false;
  private readonly connected = new vscode.EventEmitter<void>();
  /** Fired when the page has said that it listens; for tests. */
  readonly onDidConnect = this.connected.event;

  constructor(private readonly options: PanelHostOptions) {
    this.subscriptions = [
      this.connected,
      vscode.window.registerWebviewPanelSerializer(panelViewType, {
        deserializeWebviewPanel: (panel) => {
          this.adopt(panel);
          return Promise.resolve();
        },
      }),
      options.tasks.onDidChangeActive(() => this.entitle()),
    ];
  }

  /** Whether what the page shows is in sight. */
  get isVisible(): boolean {
    return this.panel?.visible ?? false;
  }

  /** Opens the panel, or brings it to the front, with the keyboard in it. */
  open(): void {
    if (this.panel) {
      this.panel.reveal(undefined, false);
      return;
    }
    this.adopt(vscode.window.createWebviewPanel(panelViewType, vscode.l10n.t('Labeling'), { viewColumn: vscode.ViewColumn.Active, preserveFocus: false }));
  }

  /** As {@link open}, where the labels are edited. */
  openLabels(): void {
    this.labelsWanted = true;
    const isThere = this.isVisible && this.connection !== undefined;
    this.open();
    if (isThere) this.showLabels();
  }

  dispose(): void {
    this.connection?.dispose();
    this.panel?.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private adopt(panel: vscode.WebviewPanel): void {
    // one of an earlier window, restored while another is open, takes its place
    this.panel?.dispose();
    this.panel = panel;
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [pagesFolder(this.options.extensionUri)] };
    panel.iconPath = vscode.Uri.joinPath(this.options.extensionUri, 'media', 'icon.png');
    let receive: ((message: unknown) => void) | undefined;
    webview.onDidReceiveMessage((message: unknown) => {
      if (isHello(message)) receive = this.connect(webview);
      else if (isPanelFrame(message)) receive?.(message);
    });
    panel.onDidDispose(() => {
      if (this.panel !== panel) return;
      this.connection?.dispose();
      this.connection = undefined;
      this.panel = undefined;
    });
    this.entitle();
    webview.html = pageHtml(webview, this.options.extensionUri, 'panel');
  }

  /** Begins to serve a page that was just loaded. @returns what takes its messages */
  private connect(webview: vscode.Webview): (message: unknown) => void {
    this.connection?.dispose();
    let receive: (message: unknown) => void = () => undefined;
    const { tasks, errors } = this.options;
    this.connection = new PanelConnection(
      {
        postMessage: (message) => void webview.postMessage(message),
        onMessage: (listener) => {
          receive = listener;
        },
      },
      {
        tasks,
        language: vscode.env.language,
        strings: translatedPanelStrings,
        options: () => this.pageOptions(),
        setOption: async (option, value) => await this.options.state.update(OPTIONS, { ...this.pageOptions(), [option]: value }),
        messageOf: (error) => errors.messageOf(error),
        note: (error) => errors.note(error),
        run: (command: PanelCommand) => void vscode.commands.executeCommand(commandIds[command]).then(undefined, (error: unknown) => errors.show(error)),
        reveal: revealExample,
      },
    );
    if (this.labelsWanted) this.showLabels();
    this.connected.fire();
    return receive;
  }

  private showLabels(): void {
    this.labelsWanted = false;
    this.connection?.tell({ kind: 'labels' });
  }

  private pageOptions(): PanelOptions {
    const { blind = false, explain = false } = this.options.state.get<Partial<PanelOptions>>(OPTIONS, {});
    return { blind, explain };
  }

  private entitle(): void {
    if (!this.panel) return;
    const name = this.options.tasks.active?.definition.name;
    this.panel.title = name === undefined ? vscode.l10n.t('Labeling') : vscode.l10n.t('Labeling: {0}', name);
  }
}
