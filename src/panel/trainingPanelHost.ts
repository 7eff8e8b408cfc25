import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import type { PanelTable, TrainingForm } from '../core/protocol/trainingPanel';
import type { TrainingWorkshop } from '../app/trainingWorkshop';
import { isPanelFrame } from './messageChecks';
import { isHello, pageHtml, pagesFolder } from './page';
import type { PanelErrors } from './panelHost';
import { translatedTrainingPanelStrings } from './strings';
import { TrainingPanelConnection } from './trainingPanelConnection';
import { checkTrainingParams } from './trainingPanelChecks';

export const trainingPanelViewType = 'labelLens.trainingPanel';

export interface TrainingPanelHostOptions {
  readonly workshop: TrainingWorkshop;
  /** The form of an earlier window, as it was kept. */
  readonly remembered: () => unknown;
  readonly extensionUri: vscode.Uri;
  readonly errors: PanelErrors;
}

/** The training panel: one webview, which comes back after a reload of the window. What is done in it is the workshop's, so a training goes on when it is closed. */
export class TrainingPanelHost implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];
  private panel: vscode.WebviewPanel | undefined;
  private connection: TrainingPanelConnection | undefined;
  /** What the next page is to show. */
  private wanted: PanelTable | undefined;
  private readonly connected = new vscode.EventEmitter<void>();
  /** Fired when the page has said that it listens; for tests. */
  readonly onDidConnect = this.connected.event;

  constructor(private readonly options: TrainingPanelHostOptions) {
    this.subscriptions = [
      this.connected,
      vscode.window.registerWebviewPanelSerializer(trainingPanelViewType, {
        deserializeWebviewPanel: (panel) => {
          this.adopt(panel);
          return Promise.resolve();
        },
      }),
    ];
  }

  get isVisible(): boolean {
    return this.panel?.visible ?? false;
  }

  /** Opens the panel, or brings it to the front, with the keyboard in it. @param file URI of a table to show there. @throws HumanError when it cannot be read */
  async open(file?: string): Promise<void> {
    if (file !== undefined) {
      const table = await this.options.workshop.offer(file);
      // a page that is hidden is loaded anew when it is shown
      if (!this.isVisible || !this.connection?.tell({ kind: 'table', table })) this.wanted = table;
    }
    if (this.panel) this.panel.reveal(undefined, false);
    else this.adopt(vscode.window.createWebviewPanel(trainingPanelViewType, vscode.l10n.t('Model Training'), { viewColumn: vscode.ViewColumn.Active, preserveFocus: false }));
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
    this.restoreForm();
    const { webview } = panel;
    const { extensionUri } = this.options;
    webview.options = { enableScripts: true, localResourceRoots: [pagesFolder(extensionUri)] };
    panel.title = vscode.l10n.t('Model Training');
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.png');
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
    webview.html = pageHtml(webview, extensionUri, 'training');
  }

  /** Begins to serve a page that was just loaded. @returns what takes its messages */
  private connect(webview: vscode.Webview): (message: unknown) => void {
    this.connection?.dispose();
    let receive: (message: unknown) => void = () => undefined;
    const { workshop, errors } = this.options;
    this.connection = new TrainingPanelConnection(
      {
        postMessage: (message) => void webview.postMessage(message),
        onMessage: (listener) => {
          receive = listener;
        },
      },
      {
        workshop,
        language: vscode.env.language,
        strings: translatedTrainingPanelStrings,
        takeTable: () => {
          const { wanted } = this;
          this.wanted = undefined;
          return wanted;
        },
        messageOf: (error) => errors.messageOf(error),
        note: (error) => errors.note(error),
      },
    );
    this.connected.fire();
    return receive;
  }

  /** What another version of the extension has kept may be no form of this one. */
  private restoreForm(): void {
    const { workshop, remembered, errors } = this.options;
    const kept = remembered();
    if (workshop.form || kept === undefined) return;
    try {
      workshop.restore(checkTrainingParams('remember', { form: kept as TrainingForm }).form);
    } catch (error) {
      errors.note(error instanceof HumanError ? error : new Error('The form of the training panel that was kept is none of this version', { cause: error }));
    }
  }
}
