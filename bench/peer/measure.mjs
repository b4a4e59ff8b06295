// What bench/Chatterbox.Bench measures of Chatterbox, of hocuspocus: a server that keeps documents in sync over WebSockets. Server and
// clients are processes of their own, as there. It encodes what it would store, and has no database to wait for.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { Server } from '@hocuspocus/server';
import WebSocket from 'ws';
import * as Y from 'yjs';

const WARM_UP_MS = 8_000;
const MEASURED_MS = 8_000;
const IDLE_CLIENTS = 1_000;

if (process.argv[2] === 'server') await serve();
else await measure();

async function serve() {
  const server = new Server({
    port: 0, address: '127.0.0.1', quiet: true, debounce: 300, maxDebounce: 2_000,
    async onStoreDocument({ document }) { Y.encodeStateAsUpdate(document); },
  });
  await server.listen();
  process.on('message', () => {
    global.gc();
    const { user, system } = process.cpuUsage();
    const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    process.send({ cpuMs: (user + system) / 1_000, residentKiB: resident });
  });
  process.on('disconnect', () => process.exit());
  process.send({ port: server.address.port });
}

async function measure() {
  const server = fork(process.argv[1], ['server'], { execArgv: ['--expose-gc'] });
  const [{ port }] = await once(server, 'message');
  const url = `ws://127.0.0.1:${port}`;
  const { median, p99 } = await latency(url);
  console.log(`A change until two other clients have it: median ${median.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);

  await connect(url, IDLE_CLIENTS, 'warm');
  const before = await usage(server);
  await connect(url, IDLE_CLIENTS, 'idle');
  const after = await usage(server);
  const each = (what) => (after[what] - before[what]) / IDLE_CLIENTS;
  console.log(`An idle client with a document of its own: ${each('residentKiB').toFixed(1)} KiB resident, ${each('cpuMs').toFixed(2)} ms of CPU to connect`);
  process.exit();
}

async function usage(server) {
  server.send('usage');
  return (await once(server, 'message'))[0];
}

function open(url, name) {
  return new Promise((resolve) => {
    const document = new Y.Doc();
    const websocketProvider = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: WebSocket });
    const provider = new HocuspocusProvider({ websocketProvider, name, document, onSynced: () => resolve(document) });
    provider.attach();
  });
}

async function connect(url, clients, prefix) {
  for (let done = 0; done < clients; done += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, at) => open(url, `${prefix}${done + at}`)));
  }
}

async function latency(url) {
  const [writer, ...readers] = await Promise.all([1, 2, 3].map(() => open(url, 'latency')));
  let waiting = 0;
  let arrived;
  for (const reader of readers) reader.getMap('parameters').observe(() => { if (--waiting === 0) arrived(); });
  const times = [];
  const start = performance.now();
  for (let seed = 1; performance.now() - start < WARM_UP_MS + MEASURED_MS; seed++) {
    await new Promise((resolve) => setTimeout(resolve, 1 + Math.floor(Math.random() * 5)));
    waiting = readers.length;
    const all = new Promise((resolve) => { arrived = resolve; });
    const made = performance.now();
    writer.getMap('parameters').set('seed', seed);
    await all;
    if (performance.now() - start > WARM_UP_MS) times.push(performance.now() - made);
  }
  times.sort((one, other) => one - other);
  return { median: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] };
}
