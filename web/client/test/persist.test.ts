import { describe, expect, it, vi } from 'vitest';
import { createStore } from 'zustand/vanilla';
import { persist as original } from 'zustand/middleware';
import { persist as own, quarantineOf, type Persisted, type StorageValue } from '../src/persist/persist.ts';

interface Counter {
  count: number;
  other: string;
  nested: { a?: number; b?: number };
  set: (count: number) => void;
}

type Stored = StorageValue<unknown> | null;

class Storage {
  readonly values = new Map<string, Stored>();
  readonly writes: [string, Stored][] = [];
  /** Answers later when asked to. */
  waits: Promise<void> | undefined;

  constructor(stored?: Stored) {
    if (stored) this.values.set('store', stored);
  }

  getItem = (name: string): any => {
    const value = this.values.get(name) ?? null;
    return this.waits ? this.waits.then(() => value) : value;
  };
  setItem = (name: string, value: any): void => {
    this.writes.push([name, value]);
    this.values.set(name, value);
  };
  removeItem = (name: string): void => void this.values.delete(name);
}

const make = (persist: typeof own, options: Record<string, unknown>) => {
  const initial = (set: any): Counter => ({ count: 0, other: 'x', nested: { a: 1 }, set: count => set({ count }) });
  const create = persist as (initializer: typeof initial, options: unknown) => any;
  const store = createStore<Counter>()(create(initial, { name: 'store', writeDelay: 0, ...options }));
  return store as typeof store & { persist: Persisted<Counter, unknown> };
};

describe.each([
  ['zustand', original as unknown as typeof own],
  ['ours', own],
])('[W4] persist as zustand has it: %s', (_, persist) => {
  it('stores an envelope of state and version, 0 when absent', () => {
    const storage = new Storage();
    const store = make(persist, { storage, partialize: ({ count }: Counter) => ({ count }) });
    store.getState().set(5);
    expect(storage.values.get('store')).toEqual({ state: { count: 5 }, version: 0 });
    store.setState({ count: 6 });
    expect(storage.values.get('store')).toEqual({ state: { count: 6 }, version: 0 });
  });

  it('hydrates at once from a storage that answers at once', () => {
    const store = make(persist, { storage: new Storage({ state: { count: 3 }, version: 0 }) });
    expect(store.getState().count).toBe(3);
    expect(store.persist.hasHydrated()).toBe(true);
    expect(store.getInitialState().count).toBe(0);
  });

  it('hydrates in this order: begun, read, migrated, merged, set, written back, post-rehydration, finished', async () => {
    const steps: string[] = [];
    const storage = new Storage({ state: { count: 1 }, version: 1 });
    const store = make(persist, {
      storage,
      skipHydration: true,
      version: 2,
      migrate: (state: object, version: number) => (steps.push(`migrate ${version}`), { ...state, other: 'migrated' }),
      merge: (persisted: object, current: Counter) => (steps.push('merge'), { ...current, ...persisted }),
      onRehydrateStorage: () => (
        steps.push('begin'),
        () => steps.push(`after ${store.persist.hasHydrated()} ${storage.writes.length}`)
      ),
    });
    store.persist.onHydrate(() => steps.push(`onHydrate ${store.persist.hasHydrated()}`));
    store.persist.onFinishHydration(() => steps.push(`onFinish ${store.persist.hasHydrated()}`));
    await store.persist.rehydrate();
    expect(steps).toEqual(['onHydrate false', 'begin', 'migrate 1', 'merge', 'after false 1', 'onFinish true']);
    expect(storage.values.get('store')).toMatchObject({ state: { count: 1, other: 'migrated' }, version: 2 });
  });

  it('migrates in either direction, and writes back only what was migrated', async () => {
    for (const [stored, version] of [
      [1, 2],
      [2, 1],
    ]) {
      const storage = new Storage({ state: { count: 1 }, version: stored });
      const store = make(persist, { storage, version, migrate: async (state: object) => ({ ...state, count: 9 }) });
      await vi.waitFor(() => expect(store.persist.hasHydrated()).toBe(true));
      expect(store.getState().count).toBe(9);
      expect(storage.writes).toHaveLength(1);
    }
    const storage = new Storage({ state: { count: 1 }, version: 0 });
    make(persist, { storage });
    expect(storage.writes).toHaveLength(0);
  });

  it('takes a value without a version as it is', () => {
    const migrate = vi.fn();
    const store = make(persist, { storage: new Storage({ state: { count: 4 } }), version: 7, migrate });
    expect(store.getState().count).toBe(4);
    expect(migrate).not.toHaveBeenCalled();
  });

  it('merges shallowly: what is persisted wins', () => {
    const store = make(persist, { storage: new Storage({ state: { nested: { b: 2 } }, version: 0 }) });
    expect(store.getState()).toMatchObject({ count: 0, nested: { b: 2 } });
    expect(store.getState().nested).toEqual({ b: 2 });
  });

  it('skipHydration skips only the first', async () => {
    const store = make(persist, { storage: new Storage({ state: { count: 2 }, version: 0 }), skipHydration: true });
    expect(store.getState().count).toBe(0);
    expect(store.persist.hasHydrated()).toBe(false);
    await store.persist.rehydrate();
    expect(store.getState().count).toBe(2);
  });

  it('of two hydrations under way only the last counts', async () => {
    const storage = new Storage({ state: { count: 1 }, version: 0 });
    const store = make(persist, { storage, skipHydration: true });
    let release = () => {};
    storage.waits = new Promise(resolve => (release = resolve));
    const slow = store.persist.rehydrate();
    storage.waits = undefined;
    storage.values.set('store', { state: { count: 2 }, version: 0 });
    await store.persist.rehydrate();
    release();
    await slow;
    expect(store.getState().count).toBe(2);
  });

  it('clearStorage ends a hydration under way and leaves the live state', async () => {
    const storage = new Storage({ state: { count: 1 }, version: 0 });
    const store = make(persist, { storage, skipHydration: true });
    let release = () => {};
    storage.waits = new Promise(resolve => (release = resolve));
    const hydration = store.persist.rehydrate();
    store.persist.clearStorage();
    release();
    await hydration;
    expect(store.getState().count).toBe(0);
    expect(storage.values.has('store')).toBe(false);
  });

  it('a storage that fails to read is told to the callback', async () => {
    const told = vi.fn();
    const storage = new Storage();
    storage.getItem = () => Promise.reject(new Error('unreadable'));
    const store = make(persist, { storage, onRehydrateStorage: () => told });
    await vi.waitFor(() => expect(told).toHaveBeenCalledWith(undefined, expect.objectContaining({ message: 'unreadable' })));
    expect(store.persist.hasHydrated()).toBe(false);
  });
});

describe("[W4] where persist differs from zustand's on purpose", () => {
  it('a version without a migration, or one that fails, is put aside and not written over', () => {
    for (const migrate of [
      undefined,
      () => {
        throw new Error('broken');
      },
    ]) {
      const onError = vi.fn();
      const stored = { state: { count: 1 }, version: 1 };
      const storage = new Storage(stored);
      const store = make(own, { storage, version: 2, migrate, onError });
      store.getState().set(8);
      expect(storage.values.get(quarantineOf('store'))).toEqual(stored);
      expect(storage.values.get('store')).toMatchObject({ state: { count: 8 }, version: 2 });
      expect(onError).toHaveBeenCalledOnce();
    }
  });

  it("a set while hydration is under way does not overwrite what is stored; zustand's does", async () => {
    for (const [persist, kept] of [
      [original as unknown as typeof own, false],
      [own, true],
    ] as const) {
      const storage = new Storage({ state: { count: 1, other: 'stored' }, version: 0 });
      let release = () => {};
      storage.waits = new Promise(resolve => (release = resolve));
      const store = make(persist, { storage });
      store.getState().set(2);
      expect((storage.values.get('store')!.state as Counter).other === 'stored').toBe(kept);
      release();
      await vi.waitFor(() => expect(store.persist.hasHydrated()).toBe(true));
    }
  });

  it('many changes are one write, never later than the longest delay; one of what is not persisted is none', () => {
    vi.useFakeTimers();
    try {
      const storage = new Storage();
      const store = make(own, { storage, writeDelay: 300, maxWriteDelay: 2000, partialize: ({ count }: Counter) => ({ count }) });
      for (const count of [1, 2, 3]) store.getState().set(count);
      vi.advanceTimersByTime(299);
      expect(storage.writes).toHaveLength(0);
      vi.advanceTimersByTime(1);
      expect(storage.writes).toEqual([['store', { state: { count: 3 }, version: 0 }]]);
      store.setState({ other: 'y' });
      vi.advanceTimersByTime(5000);
      expect(storage.writes).toHaveLength(1);
      for (let change = 0; change < 30; change++) {
        store.getState().set(100 + change);
        vi.advanceTimersByTime(100);
      }
      expect(storage.writes).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('a write that fails is told, is not thrown out of setState, and goes with the next change', () => {
    const onError = vi.fn();
    const storage = new Storage();
    const store = make(own, { storage, onError });
    const { setItem } = storage;
    storage.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    store.getState().set(1);
    expect(store.getState().count).toBe(1);
    expect(onError).toHaveBeenCalledOnce();
    storage.setItem = setItem;
    store.setState({});
    expect((storage.values.get('store')!.state as Counter).count).toBe(1);
  });

  it('what was cleared does not come back by a write that was due', () => {
    vi.useFakeTimers();
    try {
      const storage = new Storage();
      const store = make(own, { storage, writeDelay: 300 });
      store.getState().set(1);
      store.persist.clearStorage();
      vi.advanceTimersByTime(5000);
      expect(storage.values.has('store')).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});
