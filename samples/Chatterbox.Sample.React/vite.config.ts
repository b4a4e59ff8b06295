import { defineConfig } from 'vite';

// The silo of `dotnet run --project Chatterbox.Silo`, under the page's own address.
const silo = { target: 'http://127.0.0.1:5080', ws: true };

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic' } },
  server: { proxy: { '/hub': silo, '/api': silo, '/dev': silo } },
});
