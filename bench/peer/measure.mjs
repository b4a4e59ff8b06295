// Chatterbox's gateway beside hocuspocus, on the same work and in turn: node measure.mjs [--short] [gateway] [hocuspocus]. Server and
// clients are processes of their own. What is measured: a change until two other clients have it; changes of many users at once;
// what an idle connection costs with its session; and what a reader that stops reading costs, and costs the others.
import * as gateway from './gateway.mjs';
import * as hocuspocus from './hocuspocus.mjs';

const short = process.argv.includes('--short');
const WARM_UP_MS = short ? 4_000 : 8_000;
const MEASURED_MS = short ? 4_000 : 8_000;
// A silo's code is compiled in steps as it runs; on a busy machine that takes this long.
const BULK_WARM_UP_MS = short ? 20_000 : 40_000;
const SLOW_MS = short ? 15_000 : 60_000;
const SLOW_RATE = 1_000;
const IDLE_CLIENTS = short ? 400 : 1_000;
const USERS = 256;
const IN_FLIGHT = 8;
const ROUNDS = short ? 1 : 3;

const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const peers = [hocuspocus, gateway].filter(({ name }) => named.length === 0 || named.includes(name));
const results = new Map(peers.map(({ name }) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const peer of peers) results.get(peer.name).push(await measure(peer));
}
for (const [name, rounds] of results) for (const figures of rounds) console.log(name, figures);
if (results.size === 2) {
  const ratio = (what) => median(results.get('gateway').map(what)) / median(results.get('hocuspocus').map(what));
  console.log('gateway / hocuspocus, medians of the rounds:', Object.fromEntries(
    Object.keys(results.get('gateway')[0]).map((what) => [what, Number(ratio((figures) => figures[what]).toFixed(2))])));
}
process.exit();

async function measure(peer) {
  const figures = {};
  const run = async (what) => {
    const server = await peer.start();
    try {
      Object.assign(figures, await what(server));
    } finally {
      await server.stop();
    }
  };
  await run(latency);
  await run(bulk);
  await run(idle);
  await run(slowReader);
  return figures;
}

async function latency(server) {
  const [writer, ...readers] = await Promise.all([1, 2, 3].map(() => server.open('latency')));
  const times = await timesOf(writer, readers, WARM_UP_MS, MEASURED_MS, () => 1 + Math.floor(Math.random() * 5));
  return { medianMs: at(times, 0.5), p99Ms: at(times, 0.99) };
}

async function bulk(server) {
  const users = await inTurn(USERS, 32, async (user) => {
    const [writer, reader] = await Promise.all([server.open(`user${user}`), server.open(`user${user}`)]);
    return { writer, reader };
  });
  let [heard, running] = [0, true];
  for (const { writer, reader } of users) {
    let seed = 0;
    reader.onSeed(() => {
      heard++;
      if (running) void writer.set(++seed);
    });
    for (let lane = 0; lane < IN_FLIGHT; lane++) void writer.set(++seed);
  }
  await wait(BULK_WARM_UP_MS);
  const [before, from, since] = [await server.usage(), heard, performance.now()];
  await wait(MEASURED_MS);
  const [after, changes, seconds] = [await server.usage(), heard - from, (performance.now() - since) / 1_000];
  running = false;
  return { changesPerSecond: changes / seconds, cpuSecondsPer10000: (after.cpuMs - before.cpuMs) / 1_000 / changes * 10_000 };
}

async function idle(server) {
  await inTurn(IDLE_CLIENTS, 50, (number) => server.open(`warm${number}`));
  const before = await server.usage();
  await inTurn(IDLE_CLIENTS, 50, (number) => server.open(`idle${number}`));
  const after = await server.usage();
  return {
    idleKiB: (after.residentKiB - before.residentKiB) / IDLE_CLIENTS, connectCpuMs: (after.cpuMs - before.cpuMs) / IDLE_CLIENTS,
  };
}

async function slowReader(server) {
  const [writer, reader, slow] = await Promise.all([1, 2, 3].map(() => server.open('slow')));
  const pause = () => 1_000 / SLOW_RATE;
  const alone = await timesOf(writer, [reader], WARM_UP_MS, MEASURED_MS, pause);
  const before = await server.usage();
  slow.pause();
  const beside = await timesOf(writer, [reader], 0, SLOW_MS, pause);
  const after = await server.usage();
  slow.resume();
  return { slowReaderKiB: after.residentKiB - before.residentKiB, othersP99: at(beside, 0.99) / at(alone, 0.99) };
}

/** A change at a time, and how long each took until all readers had it, sorted. */
async function timesOf(writer, readers, warmUp, measured, pause) {
  let [waiting, arrived] = [0, () => {}];
  for (const reader of readers) reader.onSeed(() => { if (--waiting === 0) arrived(); });
  const times = [];
  const start = performance.now();
  for (let seed = Math.floor(Math.random() * 1e6); performance.now() - start < warmUp + measured; seed++) {
    await wait(pause());
    waiting = readers.length;
    const all = new Promise((resolve) => { arrived = resolve; });
    const made = performance.now();
    void writer.set(seed);
    await all;
    if (performance.now() - start > warmUp) times.push(performance.now() - made);
  }
  return times.sort((one, other) => one - other);
}

async function inTurn(count, atOnce, open) {
  const opened = [];
  for (let done = 0; done < count; done += atOnce) {
    opened.push(...await Promise.all(Array.from({ length: Math.min(atOnce, count - done) }, (_, each) => open(done + each))));
  }
  return opened;
}

function at(times, share) {
  return times[Math.floor(times.length * share)];
}

function median(values) {
  return values.sort((one, other) => one - other)[values.length >> 1];
}

function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
