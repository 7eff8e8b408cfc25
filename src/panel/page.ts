import * as vscode from 'vscode';
import { panelHello } from '../core/protocol/panel';

/** Where the pages of the panels lie. */
export function pagesFolder(extensionUri: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
}

/** The document that loads a page, `NAME.js` with `NAME.css`, under a policy that lets it load nothing else and open no connection. */
export function pageHtml(webview: vscode.Webview, extensionUri: vscode.Uri, name: string): string {
  const nonce = newNonce();
  const folder = pagesFolder(extensionUri);
  const script = webview.asWebviewUri(vscode.Uri.joinPath(folder, `${name}.js`)).toString();
  const style = webview.asWebviewUri(vscode.Uri.joinPath(folder, `${name}.css`)).toString();
  const policy = `default-src 'none'; img-src ${webview.cspSource}; font-src ${webview.cspSource}; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="${vscode.env.language.replace(/[^\w-]/g, '')}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
</head>
<body>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}

/** Whether a page says that it listens. */
export function isHello(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === panelHello.kind;
}

/** 128 bits that nobody can guess, in hexadecimal. */
function newNonce(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
