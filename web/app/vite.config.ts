import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const source = (file: string) => fileURLToPath(new URL(`../client/src/${file}`, import.meta.url));
const silo = process.env['CHATTERBOX_SILO'] ?? 'http://127.0.0.1:5080';

export default defineConfig({
  plugins: [react()],
  // The package's sources: a change of them shows at once, and a build needs no other build before it.
  resolve: {
    alias: [
      { find: /^@chatterbox\/store\/react$/, replacement: source('react.ts') },
      { find: /^@chatterbox\/store\/tts$/, replacement: source('tts/index.ts') },
      { find: /^@chatterbox\/store$/, replacement: source('index.ts') },
    ],
    dedupe: ['react', 'react-dom'],
  },
  // The silo's policy admits no inline script, style or data: address.
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': silo, '/dev/token': silo, '/hub': { target: silo, ws: true } } },
});
