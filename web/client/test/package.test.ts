import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Chunk {
  type: string;
  code: string;
  fileName: string;
  name: string;
  isEntry: boolean;
  imports: string[];
}

/** Bytes as an app's bundler ships them, minified and compressed: at first load, and with what reaches a server. */
async function shipped(code: string): Promise<{ first: number; connected: number }> {
  const entry = 'virtual:entry';
  const built = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: id => (id === entry ? id : undefined),
        load: id => (id === entry ? code.replaceAll('@/', `${root}src/`) : undefined),
      },
    ],
    // As for a browser, but without what Vite adds to a page of its own.
    ssr: { noExternal: true },
    resolve: { conditions: ['browser', 'module', 'import'] },
    build: {
      ssr: true,
      write: false,
      minify: true,
      target: 'es2022',
      rollupOptions: { input: entry, preserveEntrySignatures: 'strict', external: [/^react/] },
    },
  });
  const chunks = (built as unknown as { output: Chunk[] }).output.filter(each => each.type === 'chunk');
  const bytes = (from: readonly Chunk[]) => {
    const loaded = new Set(from);
    for (const { imports } of loaded) for (const each of chunks) if (imports.includes(each.fileName)) loaded.add(each);
    return [...loaded].reduce((sum, each) => sum + gzipSync(each.code, { level: 9 }).length, 0);
  };
  const isLoaded = ({ isEntry, name }: Chunk) => isEntry || name === 'binding' || name === 'gateway';
  return { first: bytes(chunks.filter(each => each.isEntry)), connected: bytes(chunks.filter(isLoaded)) };
}

const kb = 1024;

describe('[W4] the package', () => {
  it('all of the core is at most 12 KB compressed, and 26 KB with what a store loads to reach a server', async () => {
    const [core, store] = [await shipped(`export * from '@/index.ts'`), await shipped(`export { persist } from '@/index.ts'`)];
    console.log(`core ${core.first}; persist ${store.first}, connected ${store.connected}`);
    expect(store.first, 'nothing was built').toBeGreaterThan(2 * kb);
    expect(store.connected, 'nothing is loaded apart').toBeGreaterThan(15 * kb);
    expect(core.first).toBeLessThanOrEqual(12 * kb);
    expect(store.connected).toBeLessThanOrEqual(26 * kb);
  });

  it('the React entry is at most 1.5 KB', async () => {
    const { first } = await shipped(`export * from '@/react.ts'`);
    console.log(`React entry ${first}`);
    expect(first).toBeGreaterThan(300);
    expect(first).toBeLessThanOrEqual(1.5 * kb);
  });

  describe('as it is packed', () => {
    let paths: string[];

    beforeAll(() => {
      execFileSync('npm', ['run', 'build', '--silent'], { cwd: root });
      const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' });
      const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }];
      paths = files.map(file => file.path);
    }, 60_000);

    it('holds code, types, source maps and sources, licence and readme, and nothing else', () => {
      for (const path of ['package.json', 'README.md', 'LICENSE', 'src/index.ts']) expect(paths).toContain(path);
      for (const entry of ['index', 'react', 'session', 'tts/index']) {
        for (const ending of ['js', 'js.map', 'd.ts', 'd.ts.map']) expect(paths).toContain(`dist/${entry}.${ending}`);
      }
      expect(paths.filter(path => !/^(dist|src)\/|^(package\.json|README\.md|LICENSE)$/.test(path))).toEqual([]);
    });

    it('each entry is loaded by its name, also where there is no browser', () => {
      const script = `
        const entries = ['', '/react', '/tts', '/session'].map(name => import('@chatterbox/store' + name));
        const [core, react, tts, session] = await Promise.all(entries);
        console.log(typeof core.createPersistedStore, typeof react.useStore, typeof tts.createTtsStore, typeof session.Remote);`;
      const said = execFileSync('node', ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
      expect(said.trim()).toBe('function function function function');
    });
  });
});
