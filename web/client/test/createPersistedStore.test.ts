// @vitest-environment jsdom
import { Blob as WholeBlob } from 'node:buffer';
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCustomPersistConfig, persistConfig } from '../src/persist/configs.ts';
import { createPersistedStore } from '../src/store/createPersistedStore.ts';
import { preventUnsavedChanges } from '../src/store/preventUnsavedChanges.ts';
import { createStorageManager } from '../src/storage/createStorageManager.ts';
import { Random } from './random.ts';
import { FakeBrowser, FakeClock } from './model/world.ts';

interface State {
  a: number;
  b: number;
  deep: { x: number; y: number };
}

const initial = (): State => ({ a: 0, b: 0, deep: { x: 0, y: 0 } });

let stores: { persist: { close(): void } }[] = [];

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  localStorage.clear();
});

afterEach(() => {
  for (const { persist } of stores.splice(0)) persist.close();
  vi.unstubAllGlobals();
});

function open(more: object = {}) {
  const store = createPersistedStore<State>(initial, { name: 's', writeDelay: 0, ...more });
  stores.push(store);
  return store;
}

const hydrated = (store: ReturnType<typeof open>) => vi.waitFor(() => expect(store.persist.getStatus().hasHydrated).toBe(true));

const saved = (store: ReturnType<typeof open>) => vi.waitFor(() => expect(store.persist.getStatus().saving).toBe('saved'));

describe('[W4][W6] a store that has only its browser', () => {
  it('keeps its state in IndexedDB, and says how things stand', async () => {
    const store = open();
    expect(store.persist.getStatus()).toMatchObject({ hasHydrated: false, connection: 'none' });
    await hydrated(store);
    store.setState({ a: 1 });
    expect(store.persist.getStatus()).toMatchObject({ saving: 'saving', pending: 1, kept: false });
    await saved(store);
    expect(store.persist.getStatus()).toMatchObject({ storage: 'indexedDB', pending: 0, kept: true });
    expect(await store.persist.getPersistedVersion()).toBe(0);
    expect((await store.persist.getStorageInfo()).bytes).toBeGreaterThan(10);
    const again = open();
    await hydrated(again);
    expect(again.getState().a).toBe(1);
  });

  it('begins with what zustand left in localStorage under the same name', async () => {
    localStorage.setItem('s', JSON.stringify({ state: { a: 9 }, version: 0 }));
    const store = open();
    await hydrated(store);
    expect(store.getState()).toMatchObject({ a: 9, b: 0 });
  });

  it('tabs: a change shows in the other, and of two that are stale neither writes over the other', async () => {
    const clock = new FakeClock();
    const browser = new FakeBrowser(clock, new Random(1), 'a');
    const [one, two] = [open({ platform: browser.open().platform }), open({ platform: browser.open().platform })];
    await Promise.all([hydrated(one), hydrated(two)]);
    one.setState({ a: 1, deep: { x: 1, y: 0 } });
    two.setState({ b: 2, deep: { x: 0, y: 2 } });
    await vi.waitFor(async () => {
      await clock.advance(50);
      for (const store of [one, two]) expect(store.persist.getStatus().saving).toBe('saved');
      for (const store of [one, two]) expect(store.getState()).toEqual({ a: 1, b: 2, deep: { x: 1, y: 2 } });
    });
    const third = open({ platform: browser.open().platform });
    await hydrated(third);
    expect(third.getState()).toEqual({ a: 1, b: 2, deep: { x: 1, y: 2 } });
  });

  it('clearPersistedState: back to the beginning, here and in the browser', async () => {
    const store = open();
    await hydrated(store);
    store.setState({ a: 1 });
    await saved(store);
    await store.persist.clearPersistedState();
    expect(store.getState().a).toBe(0);
    const again = open();
    await hydrated(again);
    expect(again.getState().a).toBe(0);
  });

  it('preventUnsavedChanges asks only while something is neither stored nor kept', async () => {
    let fails = true;
    const storage = {
      getItem: () => null,
      setItem: () => {
        if (fails) throw new Error('No.');
      },
      removeItem: () => undefined,
    };
    const store = open({ storage, onError: () => undefined });
    const end = preventUnsavedChanges(store as never);
    const asks = () => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }));
    expect(asks()).toBe(false);
    store.setState({ a: 1 });
    expect(store.persist.getStatus()).toMatchObject({ saving: 'failing', kept: false });
    expect(asks()).toBe(true);
    fails = false;
    store.setState({ a: 2 });
    expect(asks()).toBe(false);
    end();
  });

  it('presets: partialize leaves out what is only of the moment; a custom one changes a part', () => {
    const parted = persistConfig.partialize!({
      sessions: Array.from({ length: 12 }, (_, id) => ({ id: `${id}` })),
      isGenerating: true,
    } as never);
    expect(parted).not.toHaveProperty('isGenerating');
    expect(parted.sessions).toHaveLength(10);
    const custom = createCustomPersistConfig<State>({ writeDelay: 1000, partialize: ({ a }) => ({ a }) });
    expect(custom).toMatchObject({ name: persistConfig.name, writeDelay: 1000 });
  });
});

describe('[W6] createStorageManager', () => {
  it('IndexedDB, else localStorage, else memory: and says why', async () => {
    expect(await createStorageManager()).toMatchObject({ kind: 'indexedDB', reason: undefined });
    vi.stubGlobal('indexedDB', undefined);
    expect(await createStorageManager()).toMatchObject({ kind: 'localStorage', reason: 'IndexedDB is not available' });
    await expect(createStorageManager({ fallback: false })).rejects.toThrow('IndexedDB');
    vi.stubGlobal('localStorage', undefined);
    const memory = await createStorageManager();
    expect(memory.kind).toBe('memory');
    await memory.setItem('x', { state: 1 });
    expect(await memory.getItem('x')).toEqual({ state: 1 });
  });

  it('compresses what is large, where that is asked for', async () => {
    // jsdom's has no stream.
    vi.stubGlobal('Blob', WholeBlob);
    const [plain, small] = [await createStorageManager(), await createStorageManager({ compress: true })];
    const value = { state: { text: 'again and again '.repeat(5000) }, version: 1 };
    await plain.setItem('plain', value);
    await small.setItem('small', value);
    expect(await small.getItem('small')).toEqual(value);
    expect(await small.size('small')).toBeLessThan((await plain.size('plain')) / 20);
  });

  it('a full disk: what is only kept aside goes first, and then the error has a code', async () => {
    const manager = await createStorageManager();
    await manager.setItem('old.quarantine', { state: 1 });
    const put = IDBObjectStore.prototype.put;
    try {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('The disk is full.', 'QuotaExceededError');
      };
      await expect(manager.setItem('s', { state: 2 })).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    } finally {
      IDBObjectStore.prototype.put = put;
    }
    expect(await manager.getItem('old.quarantine')).toBeNull();
  });
});
