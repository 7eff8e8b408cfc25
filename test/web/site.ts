import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as esbuild from 'esbuild';

/** The test page, the workers and their WebAssembly file, served on this machine. */
export interface Site {
  /** The page's address. An isolated page may share memory between threads, as VS Code for the Web does on request. */
  readonly page: (options?: { readonly isolated?: boolean }) => string;
  /** The same files under the address of another origin. */
  readonly elsewhere: (file: string) => string;
  /** What esbuild knows of the bundles. */
  readonly bundles: esbuild.Metafile;
  close(): Promise<void>;
}

/** Builds everything and serves it, and `scripts` besides: JavaScript by its name. */
export async function serveSite(scripts: Readonly<Record<string, string>>): Promise<Site> {
  const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-web-'));
  // dist/ has none of this, since no door for browsers opens the extension yet
  const { metafile } = await esbuild.build({
    entryPoints: {
      page: 'test/web/page/page.ts',
      trainer: 'src/platform/web/trainerWorker.ts',
      kernelBuildWorker: 'test/web/page/kernelBuildWorker.ts',
      rejectingWorker: 'test/web/page/rejectingWorker.ts',
    },
    outdir: folder,
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    loader: { '.wasm': 'binary' },
    minify: true,
    metafile: true,
    logLevel: 'warning',
  });
  copyFileSync('node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm', path.join(folder, 'tfjs-backend-wasm-simd.wasm'));

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const name = pathname.slice(1);
    const file = path.join(folder, name);
    if (pathname === '/') {
      if (searchParams.has('isolated')) response.setHeader('Cross-Origin-Opener-Policy', 'same-origin').setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Label Lens</title><link rel="icon" href="data:,"><script src="page.js"></script>');
      return;
    }
    const body = scripts[name] ?? (existsSync(file) ? readFileSync(file) : undefined);
    // what an isolated page loads has to agree
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp').setHeader('Cross-Origin-Resource-Policy', 'cross-origin').setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Content-Type', name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript');
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    page: ({ isolated = false } = {}) => `http://127.0.0.1:${port}/${isolated ? '?isolated' : ''}`,
    elsewhere: (file) => `http://localhost:${port}/${file}`,
    bundles: metafile,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
