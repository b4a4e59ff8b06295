// A silo with its gateway as a process of its own, and clients that speak to it over a bare WebSocket: what a browser sends, and no
// more. Built before: dotnet build -c Release Chatterbox.Silo.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import WebSocket from 'ws';

const SILO = fileURLToPath(new URL('../../Chatterbox.Silo/bin/Release/net10.0/Chatterbox.Silo.dll', import.meta.url));
const END = '\u001e';
const TICKS_PER_SECOND = 100;

export const name = 'gateway';

export async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'chatterbox-peer-'));
  const [silo, gateway, web] = await freePorts(3);
  const url = `http://127.0.0.1:${web}`;
  const child = spawn('dotnet', [SILO], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env, ASPNETCORE_ENVIRONMENT: 'Development', ASPNETCORE_URLS: url,
      Logging__LogLevel__Default: 'Warning',
      Chatterbox__Database__ConnectionString: `Data Source=${join(folder, 'bench.db')}`,
      Chatterbox__Database__Fallback: 'none',
      Chatterbox__Silo__Port: silo, Chatterbox__Gateway__Port: gateway,
      Chatterbox__Web__CallsPerSecond: '100000', Chatterbox__Web__ConnectionsPerUser: '1000',
    },
  });
  while (!(await fetch(`${url}/health/ready`).then((reply) => reply.ok, () => false))) await wait(100);
  return {
    open: (session, slow) => open(url, session, slow),
    usage: () => usageOf(child.pid),
    stop: async () => {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

/** CPU of all its threads, and what is resident of it. */
export function usageOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * (1_000 / TICKS_PER_SECOND), residentKiB: resident };
}

const tokens = new Map();

async function open(url, user) {
  if (!tokens.has(user)) {
    const reply = await fetch(`${url}/dev/token`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user, seconds: 3600 }),
    });
    tokens.set(user, (await reply.json()).token);
  }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/hub?access_token=${tokens.get(user)}`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => { socket.once('open', resolve); socket.once('error', reject); });
  const calls = new Map();
  const client = `c${Math.random().toString(36).slice(2)}`;
  let [number, sequence, epoch, greeted] = [0, 0, 0, undefined];
  const line = { listen: () => {}, close: () => socket.close(), pause: () => socket.pause(), resume: () => socket.resume() };
  socket.on('message', (data) => {
    for (const text of data.toString().split(END)) {
      if (text === '') continue;
      if (text === '{}') { greeted(); continue; }
      const message = JSON.parse(text);
      if (message.type === 6) socket.send(`{"type":6}${END}`);
      else if (message.type === 3) { calls.get(message.invocationId)?.(message); calls.delete(message.invocationId); }
      else if (message.type === 1 && message.target === 'events') {
        for (const event of message.arguments[0].events) if (event.type === 'changes') line.listen(event.changes);
      } else if (message.type === 1 && message.target === 'behind') {
        call('Since', { store: 'app-state', epoch, revision: message.arguments[0].revision });
      }
    }
  });
  const call = (target, argument) => new Promise((resolve, reject) => {
    const invocationId = `${++number}`;
    calls.set(invocationId, (answer) => (answer.error ? reject(new Error(answer.error)) : resolve(answer.result)));
    socket.send(`${JSON.stringify({ type: 1, invocationId, target, arguments: [argument] })}${END}`);
  });
  const handshake = new Promise((resolve) => { greeted = resolve; });
  socket.send(`{"protocol":"json","version":1}${END}`);
  await handshake;
  await call('Hello', { protocol: 1 });
  const attached = await call('Attach',
    { store: 'app-state', client, device: 'bench', epoch: 0, seenRevision: 0, nextSequence: 1 });
  epoch = attached.state.epoch;
  line.set = (seed) => call('Apply', {
    store: 'app-state', client, epoch, after: sequence,
    changes: [{ sequence: ++sequence, change: { type: 'updateParameters', engine: 'chatterbox', patch: { seed } } }],
  });
  line.onSeed = (heard) => {
    line.listen = (changes) => { for (const { change } of changes) if (change.patch?.seed !== undefined) heard(change.patch.seed); };
  };
  return line;
}

async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
