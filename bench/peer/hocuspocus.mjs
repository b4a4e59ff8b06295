// hocuspocus as a process of its own, a server that keeps documents in sync over WebSockets, and its own clients. It encodes what it
// would store, and has no database to wait for.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { usageOf } from './gateway.mjs';

export const name = 'hocuspocus';

const SELF = fileURLToPath(import.meta.url);
if (process.argv[1] === SELF) await serve();

export async function start() {
  const child = fork(SELF, [], { execArgv: ['--expose-gc'] });
  const [{ port }] = await once(child, 'message');
  return {
    open: (document) => open(`ws://127.0.0.1:${port}`, document),
    usage: async () => {
      child.send('collect');
      await once(child, 'message');
      return usageOf(child.pid);
    },
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function open(url, document) {
  return new Promise((resolve) => {
    const doc = new Y.Doc();
    const websocketProvider = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: WebSocket });
    const map = doc.getMap('parameters');
    const provider = new HocuspocusProvider({
      websocketProvider, name: document, document: doc,
      onSynced: () => resolve({
        set: async (seed) => { map.set('seed', seed); },
        onSeed: (heard) => map.observe((event) => { if (!event.transaction.local) heard(map.get('seed')); }),
        pause: () => websocketProvider.webSocket.pause(),
        resume: () => websocketProvider.webSocket.resume(),
        close: () => { provider.destroy(); websocketProvider.destroy(); },
      }),
    });
    provider.attach();
  });
}

async function serve() {
  const { Server } = await import('@hocuspocus/server');
  const server = new Server({
    port: 0, address: '127.0.0.1', quiet: true, debounce: 300, maxDebounce: 2_000,
    async onStoreDocument({ document }) { Y.encodeStateAsUpdate(document); },
  });
  await server.listen();
  process.on('message', () => { global.gc(); process.send('collected'); });
  process.on('disconnect', () => process.exit());
  process.send({ port: server.address.port });
}
