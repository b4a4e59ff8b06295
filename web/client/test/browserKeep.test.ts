import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BrowserKeep } from '../src/storage/browserKeep.ts';
import { claimClient } from '../src/storage/claim.ts';
import type { Platform } from '../src/sync/platform.ts';
import { TransportError } from '../src/sync/transport.ts';
import { FakeStorage } from './fakeStorage.ts';
import { FakeBrowser, FakeClock } from './model/world.ts';
import { Random } from './random.ts';

type Change = { n: number };

let clock: FakeClock;
let browser: FakeBrowser<unknown, Change>;
let storage: FakeStorage;

beforeEach(() => {
  clock = new FakeClock();
  browser = new FakeBrowser(clock, new Random(1), 'a');
  storage = new FakeStorage();
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.stubGlobal('localStorage', storage);
});

afterEach(() => vi.unstubAllGlobals());

const platform = (isSecure = true): Platform => {
  const { platform: whole } = browser.open();
  return isSecure ? whole : { ...whole, locks: undefined };
};

async function prepared(of = platform(), identify = async () => 'store/alice') {
  const keep = new BrowserKeep<unknown, Change>(of, identify);
  let isOver = false;
  const preparing = keep.prepare().finally(() => (isOver = true));
  for (let round = 0; round < 100 && !isOver; round++) await clock.advance(100);
  await preparing;
  return keep;
}

const refused = () => {
  throw new DOMException('It is refused.', 'SecurityError');
};

describe('[W6] what a browser keeps', () => {
  it('IndexedDB, else localStorage, else memory: and says why', async () => {
    const best = await prepared();
    expect([best.kind, best.isShared, best.reason]).toEqual(['indexedDB', true, undefined]);
    vi.stubGlobal('indexedDB', { open: refused });
    const second = await prepared();
    expect([second.kind, second.isShared, second.reason]).toEqual(['localStorage', false, 'It is refused.']);
    vi.stubGlobal('localStorage', undefined);
    const last = await prepared();
    expect([last.kind, last.reason]).toEqual(['memory', 'It is refused.; localStorage is not available']);
    expect(await last.append([{ n: 1 }])).toEqual([1]);
  });

  it('a database that never opens, as behind a tab that is frozen, holds nobody up for longer than three seconds', async () => {
    vi.stubGlobal('indexedDB', { open: () => ({}) });
    const before = clock.now();
    const keep = await prepared();
    expect(keep.kind).toBe('localStorage');
    expect(keep.reason).toContain('3000 ms');
    expect(clock.now() - before).toBeLessThanOrEqual(4000);
  });

  it('of two users each has a keep of its own', async () => {
    const alice = await prepared();
    await alice.append([{ n: 1 }]);
    await alice.save({ epoch: 1, revision: 1, state: 'secret' });
    const bob = await prepared(platform(), async () => 'store/bob');
    expect(await bob.open()).toMatchObject({ copy: undefined, rows: [] });
    expect((await bob.open()).client).not.toBe((await alice.open()).client);
  });

  it('nothing is opened while it is not known whose it is', async () => {
    const open = vi.fn();
    vi.stubGlobal('indexedDB', { open });
    const keep = new BrowserKeep<unknown, Change>(platform(), () => Promise.reject(new TransportError('needs-auth', 'Nobody.')));
    await expect(keep.prepare()).rejects.toMatchObject({ trouble: 'needs-auth' });
    expect(open).not.toHaveBeenCalled();
    expect(storage.length).toBe(0);
  });

  it('without Web Locks each tab has a client id of its own, in the same database', async () => {
    const [one, two] = [await prepared(platform(false)), await prepared(platform(false))];
    expect([one.isShared, two.isShared]).toEqual([false, false]);
    expect((await one.open()).client).not.toBe((await two.open()).client);
    await one.append([{ n: 1 }]);
    expect(await two.after(0)).toEqual([]);
  });
});

describe('[W6] a client id for one tab', () => {
  const claim = async (of: Platform) => {
    let claimed: Awaited<ReturnType<typeof claimClient>> | undefined;
    const claiming = claimClient(of, 'store', storage).then(given => (claimed = given));
    for (let round = 0; round < 50 && !claimed; round++) await clock.advance(50);
    return claiming;
  };

  it.each([true, false])('is not that of a tab that lives, and is that of one that ended (locks: %s)', async isSecure => {
    const first = await claim(platform(isSecure));
    const second = await claim(platform(isSecure));
    expect(second.client).not.toBe(first.client);
    first.end();
    const third = await claim(platform(isSecure));
    expect(third.client).toBe(first.client);
  });

  it('without locks, a tab that died without a word is followed once its beat has lapsed', async () => {
    const first = await claim(platform(false));
    storage.setItem(`store/tab/${first.client}`, `${Date.now() - 121_000}`);
    const second = await claim(platform(false));
    expect(second.client).toBe(first.client);
  });
});
