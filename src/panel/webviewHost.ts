import * as vscode from 'vscode';
import type { Port } from '../core/protocol/rpc';
import { isPanelFrame } from './messageChecks';
import { isHello, pageHtml, pagesFolder } from './page';

/** What tells one panel from another. */
export interface WebviewHostOptions<C extends vscode.Disposable> {
  readonly viewType: string;
  /** Name of its page in `dist/webview`. */
  readonly page: string;
  readonly extensionUri: vscode.Uri;
  readonly title: () => string;
  /** Called before a webview is taken over, be it new or restored. */
  readonly beforeOpening?: () => void;
  /** Begins to serve a page that was just loaded. */
  readonly connect: (port: Port) => C;
}

/**
 * A panel that is one webview, which comes back after a reload of the window. Its page loads nothing but what lies in `dist/webview`, and opens no connection. Whenever the page is loaded anew it gets a connection
 * of its own, and what it says reaches that only if it is a message of the protocol.
 */
export class WebviewHost<C extends vscode.Disposable> implements vscode.Disposable {
  private readonly serializer: vscode.Disposable;
  private panel: vscode.WebviewPanel | undefined;
  private current: C | undefined;
  private readonly connected = new vscode.EventEmitter<void>();
  /** Fired when the page has said that it listens. */
  readonly onDidConnect = this.connected.event;

  constructor(private readonly options: WebviewHostOptions<C>) {
    this.serializer = vscode.window.registerWebviewPanelSerializer(options.viewType, {
      deserializeWebviewPanel: (panel) => {
        this.adopt(panel);
        return Promise.resolve();
      },
    });
  }

  /** Whether what the page shows is in sight. */
  get isVisible(): boolean {
    return this.panel?.visible ?? false;
  }

  /** The connection to the page that listens, or listened last before it was hidden. */
  get connection(): C | undefined {
    return this.current;
  }

  /** Opens the panel, or brings it to the front, with the keyboard in it. */
  open(): void {
    const { viewType, title } = this.options;
    if (this.panel) this.panel.reveal(undefined, false);
    else this.adopt(vscode.window.createWebviewPanel(viewType, title(), { viewColumn: vscode.ViewColumn.Active, preserveFocus: false }));
  }

  /** Takes the title anew. */
  entitle(): void {
    if (this.panel) this.panel.title = this.options.title();
  }

  dispose(): void {
    this.current?.dispose();
    this.panel?.dispose();
    this.serializer.dispose();
    this.connected.dispose();
  }

  private adopt(panel: vscode.WebviewPanel): void {
    // one of an earlier window, restored while another is open, takes its place
    this.panel?.dispose();
    this.panel = panel;
    const { extensionUri, page, beforeOpening } = this.options;
    beforeOpening?.();
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [pagesFolder(extensionUri)] };
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.png');
    let receive: ((message: unknown) => void) | undefined;
    webview.onDidReceiveMessage((message: unknown) => {
      if (isHello(message)) receive = this.connect(webview);
      else if (isPanelFrame(message)) receive?.(message);
    });
    panel.onDidDispose(() => {
      if (this.panel !== panel) return;
      this.current?.dispose();
      this.current = undefined;
      this.panel = undefined;
    });
    this.entitle();
    webview.html = pageHtml(webview, extensionUri, page);
  }

  /** @returns what takes the page's messages */
  private connect(webview: vscode.Webview): (message: unknown) => void {
    this.current?.dispose();
    let receive: (message: unknown) => void = () => undefined;
    this.current = this.options.connect({
      postMessage: (message) => void webview.postMessage(message),
      onMessage: (listener) => {
        receive = listener;
      },
    });
    this.connected.fire();
    return receive;
  }
}
