import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Bytes of an entry as an app's bundler would ship it: one file, minified, compressed. */
async function shipped(entry: string): Promise<number> {
  const built = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    // Not as a library: those are not minified whole.
    build: {
      write: false,
      rollupOptions: { input: `${root}/src/${entry}`, preserveEntrySignatures: 'strict', external: ['react'] },
    },
  });
  const { output } = built as unknown as { output: { code: string }[] };
  return gzipSync(output[0]!.code, { level: 9 }).length;
}

describe('[W4] the package', () => {
  it('with all it has is at most 14.5 KB compressed, without a transport; the goal is 12', async () => {
    const bytes = await shipped('index.ts');
    expect(bytes, 'nothing was built').toBeGreaterThan(5_000);
    expect(bytes).toBeLessThanOrEqual(14.5 * 1024);
  });

  it('holds code, types, source maps and sources, licence and readme, and nothing else', () => {
    const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' });
    const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }];
    const paths = files.map(file => file.path);
    for (const path of [
      'package.json',
      'README.md',
      'LICENSE',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/index.js.map',
      'src/index.ts',
    ]) {
      expect(paths).toContain(path);
    }
    expect(paths.filter(path => !/^(dist|src)\/|^(package\.json|README\.md|LICENSE)$/.test(path))).toEqual([]);
  });
});
