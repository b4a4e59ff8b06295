import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

/** Builds the page that uses the package, and serves it. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'chatterbox-page-'));
  await build({
    root: fileURLToPath(new URL('../page', import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    build: { outDir: folder, emptyOutDir: true, target: 'es2022', minify: false },
  });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://page');
    const file = join(folder, pathname === '/' ? 'index.html' : pathname);
    readFile(file).then(
      content => response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/plain' }).end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  project.provide('page', (server.address() as AddressInfo).port);
  return () => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    page: number;
  }
}
