import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';

const client = fileURLToPath(new URL('..', import.meta.url));
const sample = fileURLToPath(new URL('../../../samples/Chatterbox.Sample.React', import.meta.url));
const packages = fileURLToPath(new URL('../../node_modules', import.meta.url));
const entries = { react: 'src/react.ts', tts: 'src/tts/index.ts' };

describe('the React sample', () => {
  it('builds with the package, and loads what reaches a server only when it is needed', async () => {
    const built = await build({
      root: sample,
      configFile: false,
      logLevel: 'silent',
      oxc: { jsx: { runtime: 'automatic' } },
      resolve: {
        alias: [
          ...Object.entries(entries).map(([name, file]) => ({ find: `@chatterbox/store/${name}`, replacement: client + file })),
          { find: '@chatterbox/store', replacement: `${client}src/index.ts` },
          { find: /^(react|react-dom|@microsoft)(?=\/|$)/, replacement: `${packages}/$1` },
        ],
      },
      build: { write: false },
    });
    const { output } = built as unknown as { output: { type: string; isEntry?: boolean; code?: string }[] };
    const chunks = output.filter(each => each.type === 'chunk');
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.find(each => each.isEntry)!.code).not.toContain('HubConnection');
  });

  it('has no type errors', () => {
    const { config } = ts.readConfigFile(`${sample}/tsconfig.json`, ts.sys.readFile);
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, sample);
    const paths = {
      ...Object.fromEntries(Object.entries(entries).map(([name, file]) => [`@chatterbox/store/${name}`, [client + file]])),
      '@chatterbox/store': [`${client}src/index.ts`],
      'react-dom/*': [`${packages}/@types/react-dom/*`],
      react: [`${packages}/@types/react`],
      'react/*': [`${packages}/@types/react/*`],
    };
    const program = ts.createProgram(fileNames, { ...options, paths });
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText, file }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
    expect(problems).toEqual([]);
    expect(fileNames).toHaveLength(3);
  });
});
