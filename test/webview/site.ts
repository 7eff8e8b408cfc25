import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as esbuild from 'esbuild';

export const themes = { dark: 'vscode-dark', light: 'vscode-light', highContrast: 'vscode-high-contrast' } as const;
export type Theme = keyof typeof themes;

export interface Site {
  readonly page: (theme?: Theme) => string;
  close(): Promise<void>;
}

/** As strict as the panel's host can make it, with this origin in the place of VS Code's. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'";

/** Bundles the panel's page as the build does, and serves it under its content security policy with the variables of VS Code's themes. */
export async function serveSite(): Promise<Site> {
  const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-webview-'));
  await esbuild.build({ entryPoints: { panel: 'webview/main.ts' }, outdir: folder, bundle: true, platform: 'browser', target: 'es2022', format: 'iife', minify: true, logLevel: 'warning' });
  const files: Readonly<Record<string, readonly [type: string, body: string]>> = {
    '/panel.js': ['text/javascript', readFileSync(path.join(folder, 'panel.js'), 'utf8')],
    '/panel.css': ['text/css', readFileSync(path.join(folder, 'panel.css'), 'utf8')],
    '/themes.css': ['text/css', readFileSync('test/webview/themes.css', 'utf8')],
  };
  rmSync(folder, { recursive: true, force: true });
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const theme = (searchParams.get('theme') ?? 'dark') as Theme;
    const file = files[pathname];
    if (pathname === '/') {
      response.setHeader('Content-Security-Policy', policy).setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(`<!doctype html><html data-theme="${theme}"><head><title>Label Lens</title><link rel="stylesheet" href="themes.css"><link rel="stylesheet" href="panel.css"></head><body class="${themes[theme]}"><script src="panel.js"></script></body></html>`);
    } else if (file) response.setHeader('Content-Type', `${file[0]}; charset=utf-8`).end(file[1]);
    else response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    page: (theme = 'dark') => `http://127.0.0.1:${port}/?theme=${theme}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
