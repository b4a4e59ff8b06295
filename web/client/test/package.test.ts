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
  isEntry: boolean;
  imports: string[];
}

/** Bytes of what an app's bundler would ship, minified and compressed: at first load, and in all. */
async function shipped(code: string): Promise<{ first: number; all: number }> {
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
  const size = (some: Chunk[]) => some.reduce((sum, each) => sum + gzipSync(each.code, { level: 9 }).length, 0);
  const first = new Set(chunks.filter(each => each.isEntry));
  for (const chunk of first) for (const name of chunk.imports) first.add(chunks.find(each => each.fileName === name) ?? chunk);
  return { first: size([...first]), all: size(chunks) };
}

const kb = 1024;

describe('[W4] the package', () => {
  it('what a Zustand store moves with is at most 15 KB compressed, and 27 KB with what reaches a server; the goals are 12 and 26', async () => {
    const { first, all } = await shipped(`export { persist } from '@/index.ts'`);
    console.log(`persist ${first}, with the transport ${all}`);
    expect(first, 'nothing was built').toBeGreaterThan(5 * kb);
    expect(first).toBeLessThanOrEqual(15 * kb);
    expect(all).toBeLessThanOrEqual(27 * kb);
  });

  it('the React entry is at most 1.5 KB', async () => {
    const { all } = await shipped(`export * from '@/react.ts'`);
    console.log(`React entry ${all}`);
    expect(all).toBeGreaterThan(300);
    expect(all).toBeLessThanOrEqual(1.5 * kb);
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
      for (const entry of ['index', 'react', 'tts/index']) {
        for (const ending of ['js', 'js.map', 'd.ts', 'd.ts.map']) expect(paths).toContain(`dist/${entry}.${ending}`);
      }
      expect(paths.filter(path => !/^(dist|src)\/|^(package\.json|README\.md|LICENSE)$/.test(path))).toEqual([]);
    });

    it('each entry is loaded by its name, also where there is no browser', () => {
      const script = `
        const [core, react, tts] = await Promise.all(['', '/react', '/tts'].map(name => import('@chatterbox/store' + name)));
        console.log(typeof core.createPersistedStore, typeof react.useStore, typeof tts.createTtsStore);`;
      const said = execFileSync('node', ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
      expect(said.trim()).toBe('function function function');
    });
  });
});
