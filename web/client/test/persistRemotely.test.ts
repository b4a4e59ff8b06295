// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { create } from 'zustand';
import { devtools, persist as zustandPersist } from 'zustand/middleware';
import { document, type DocumentChange, type DocumentState } from '../src/document/document.ts';
import { persist } from '../src/persist/middleware.ts';
import { createPersistedStore } from '../src/store/createPersistedStore.ts';
import type { PersistedStore } from '../src/store/persistence.ts';
import type { AppState, AppStateChange } from '../src/protocol.ts';
import { ttsBridge } from '../src/tts/bridge.ts';
import { tts } from '../src/tts/reducer.ts';
import type { FakeClock } from './model/world.ts';
import { server, Setting } from './setting.ts';

interface Bear {
  bears: number;
  name: string;
  settings: { volume: number; theme: string };
  add: () => void;
}

const bears = (set: (partial: (state: Bear) => Partial<Bear>) => void): Bear => ({
  bears: 0,
  name: '',
  settings: { volume: 1, theme: 'light' },
  add: () => set(state => ({ bears: state.bears + 1 })),
});

const errors: unknown[] = [];

beforeEach(() => {
  errors.length = 0;
  localStorage.clear();
});

afterEach(() => expect(errors).toEqual([]));

function made() {
  const setting = new Setting<DocumentState, DocumentChange>(document);
  const open = (more: object = {}) =>
    createPersistedStore<Bear>(bears as never, {
      name: 'bears',
      server,
      seams: setting.tab(),
      onError: error => errors.push(error),
      ...more,
    });
  return { clock: loading(setting.clock), silo: setting.silo, open, tab: () => setting.tab() };
}

/** A clock that moves once what is loaded apart is there. */
const loading = (clock: FakeClock) => ({
  async advance(milliseconds: number): Promise<void> {
    for (const part of [0, milliseconds / 2, milliseconds / 2]) {
      await vi.dynamicImportSettled();
      await clock.advance(part);
    }
  },
});

describe('[G2][W4] persist with a server', () => {
  it('a Zustand store moves by one line: its own create, its own actions, its devtools', async () => {
    const { clock, silo, tab } = made();
    const useBears = create<Bear>()(
      devtools(persist(bears as never, { name: 'bears', server, seams: tab() }) as never, { enabled: false }) as never,
    ) as unknown as PersistedStore<Bear>;
    await clock.advance(200);
    expect(useBears.persist.hasHydrated()).toBe(true);
    useBears.getState().add();
    expect(useBears.getState().bears).toBe(1);
    await clock.advance(200);
    expect(silo.state).toEqual({ bears: 1 });
  });

  it('sends what changed, and nothing else: two tabs that are stale lose nothing of each other', async () => {
    const { clock, silo, open } = made();
    const [one, two] = [open(), open()];
    await clock.advance(500);
    one.setState({ settings: { ...one.getState().settings, volume: 5 } });
    two.setState({ settings: { ...two.getState().settings, theme: 'dark' } });
    two.setState({ name: 'Baloo' });
    await clock.advance(500);
    for (const store of [one, two]) {
      expect(store.getState()).toMatchObject({ settings: { volume: 5, theme: 'dark' }, name: 'Baloo', bears: 0 });
    }
    expect(silo.state).toEqual({ settings: { volume: 5, theme: 'dark' }, name: 'Baloo' });
    expect(typeof one.getState().add).toBe('function');
  });

  it('a value that came from here keeps its reference, and an unchanged one is told to nobody', async () => {
    const { clock, open } = made();
    const store = open();
    await clock.advance(200);
    const settings = { volume: 2, theme: 'x' };
    store.setState({ settings });
    let told = 0;
    store.subscribe(() => told++);
    await clock.advance(500);
    expect(store.getState().settings).toBe(settings);
    expect(told).toBe(0);
  });

  it('[C4] what is set before hydration goes on top of what was stored', async () => {
    const { clock, silo, open } = made();
    silo.state = { bears: 7, name: 'stored' };
    silo.revision = 2;
    const store = open();
    store.setState({ name: 'early' });
    await clock.advance(500);
    expect(store.getState()).toMatchObject({ bears: 7, name: 'early' });
    expect(silo.state).toMatchObject({ bears: 7, name: 'early' });
  });

  it('[C4] its code is loaded apart: until then the status is that of the beginning, and what is set goes along', async () => {
    const { clock, silo, open } = made();
    const store = open();
    let told = 0;
    store.persist.onStatus(() => told++);
    store.setState({ name: 'at once' });
    expect(store.persist.getStatus()).toMatchObject({ hasHydrated: false, connection: 'connecting' });
    await clock.advance(500);
    expect(told).toBeGreaterThan(0);
    expect(store.persist.getStatus()).toMatchObject({ hasHydrated: true, connection: 'live' });
    expect(silo.state).toEqual({ name: 'at once' });
  });

  it('a key that another device removed is as it was in the beginning', async () => {
    const { clock, silo, open } = made();
    silo.state = { bears: 7 };
    silo.revision = 1;
    const [store, other] = [open(), open()];
    await clock.advance(500);
    other.setState({ bears: undefined } as never);
    await clock.advance(500);
    expect(silo.state).toEqual({});
    expect(store.getState().bears).toBe(0);
  });

  it('takes the envelope along that the store left in this browser, once, and never over what the session has', async () => {
    const { clock, silo, open } = made();
    const left = create(
      zustandPersist(() => ({ bears: 3, name: 'left', settings: { volume: 9, theme: 'x' } }), { name: 'bears' }),
    );
    left.setState({ name: 'left here' });
    silo.state = { bears: 7 };
    silo.revision = 1;
    const stores = [open(), open()];
    await clock.advance(2000);
    for (const store of stores) {
      expect(store.getState()).toMatchObject({ bears: 7, name: 'left here', settings: { volume: 9, theme: 'x' } });
    }
    expect(localStorage.getItem('bears')).toBeNull();
    expect(JSON.parse(localStorage.getItem('bears.moved')!)).toMatchObject({ state: { name: 'left here' } });
    const { revision } = silo;
    stores[0]!.setState({ name: 'since' });
    await clock.advance(500);
    open();
    await clock.advance(2000);
    expect(silo.state).toMatchObject({ name: 'since' });
    expect(silo.revision).toBe(revision + 1);
  });

  it('an envelope of an older version is migrated first; one that cannot be is put aside and told', async () => {
    const { clock, silo, open } = made();
    localStorage.setItem('bears', JSON.stringify({ state: { count: 4 }, version: 1 }));
    const first = open({ version: 2, migrate: (state: { count: number }) => ({ bears: state.count }) });
    await clock.advance(2000);
    expect(silo.state).toEqual({ bears: 4, $version: 2 });
    first.persist.close();

    localStorage.setItem('bears', JSON.stringify({ state: { count: 4 }, version: 1 }));
    open({ version: 2 });
    await clock.advance(2000);
    expect(localStorage.getItem('bears.quarantine')).toContain('count');
    expect(String(errors.splice(0)[0])).toContain('No migration from version 1 to 2');
  });

  it('a document of an older version is migrated where it lies', async () => {
    const { clock, silo, open } = made();
    silo.state = { count: 4, $version: 1 };
    silo.revision = 1;
    const store = open({ version: 2, migrate: ({ count }: { count: number }) => ({ bears: count }) });
    await clock.advance(2000);
    expect(silo.state).toEqual({ bears: 4, $version: 2 });
    expect(store.getState().bears).toBe(4);
  });

  it('a refused change is taken back, and told', async () => {
    const { clock, open } = made();
    const store = open();
    await clock.advance(200);
    store.setState({ ['x'.repeat(2000)]: 1 } as never);
    await clock.advance(200);
    expect(String(errors.splice(0)[0])).toContain('at most 1024 characters');
  });

  it('a text-to-speech session behind a store of its members: typed changes; a foreign member is refused', async () => {
    const setting = new Setting<AppState, AppStateChange>(tts);
    const open = () =>
      createPersistedStore<any>(
        () => ({ useStreaming: true, parameters: tts.initial.preferences.parameters, chunks: [], own: 1 }),
        {
          name: 'app-state',
          server,
          bridge: ttsBridge,
          seams: setting.tab(),
          partialize: ({ own: _, ...state }: any) => state,
          onError: (error: unknown) => errors.push(error),
        },
      );
    const [one, two] = [open(), open()];
    await loading(setting.clock).advance(500);
    one.setState({ useStreaming: !one.getState().useStreaming });
    two.setState({ parameters: { ...two.getState().parameters, temperature: 0.9 } });
    await loading(setting.clock).advance(500);
    expect(setting.silo.state.preferences).toMatchObject({
      useStreaming: !tts.initial.preferences.useStreaming,
      parameters: { temperature: 0.9 },
    });
    expect(one.getState().parameters.temperature).toBe(0.9);
    one.setState({ own: 2 });
    expect(errors).toEqual([]);
    one.setState({ foreign: 1 });
    expect(String(errors.splice(0)[0])).toContain('foreign: must be a member');
  });
});
