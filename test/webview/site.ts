import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as esbuild from 'esbuild';

export const themes = { dark: 'vscode-dark', light: 'vscode-light', highContrast: 'vscode-high-contrast' } as const;
export type Theme = keyof typeof themes;

/** The pages: the labelling panel's and the training panel's. */
export type PageName = 'panel' | 'training';

export interface Site {
  readonly page: (theme?: Theme, name?: PageName) => string;
  close(): Promise<void>;
}

/** As strict as the panel's host can make it, with this origin in the place of VS Code's. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'";

/** Bundles the panels' pages as the build does, and serves them under their content security policy with the variables of VS Code's themes. */
export async function serveSite(): Promise<Site> {
  const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-webview-'));
  await esbuild.build({ entryPoints: { panel: 'webview/main.ts', training: 'webview/training/main.ts' }, outdir: folder, bundle: true, platform: 'browser', target: 'es2022', format: 'iife', minify: true, logLevel: 'warning' });
  const files: Readonly<Record<string, readonly [type: string, body: string]>> = {
    ...Object.fromEntries(
      (['panel', 'training'] as const).flatMap((name) => [
        [`/${name}.js`, ['text/javascript', readFileSync(path.join(folder, `${name}.js`), 'utf8')]],
        [`/${name}.css`, ['text/css', readFileSync(path.join(folder, `${name}.css`), 'utf8')]],
      ]),
    ),
    '/themes.css': ['text/css', readFileSync('test/webview/themes.css', 'utf8')],
  };
  rmSync(folder, { recursive: true, force: true });
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const theme = (searchParams.get('theme') ?? 'dark') as Theme;
    const name: PageName = searchParams.get('name') === 'training' ? 'training' : 'panel';
    const file = files[pathname];
    if (pathname === '/') {
      response.setHeader('Content-Security-Policy', policy).setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(`<!doctype html><html data-theme="${theme}"><head><title>Label Lens</title><link rel="stylesheet" href="themes.css"><link rel="stylesheet" href="${name}.css"></head><body class="${themes[theme]}"><script src="${name}.js"></script></body></html>`);
    } else if (file) response.setHeader('Content-Type', `${file[0]}; charset=utf-8`).end(file[1]);
    else response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    page: (theme = 'dark', name = 'panel') => `http://127.0.0.1:${port}/?theme=${theme}&name=${name}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
