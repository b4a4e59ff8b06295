// @vitest-environment jsdom
import { act, StrictMode, type ReactNode } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHooks, StoreProvider, useChunks, useParameters, usePersistence, useRecovery, useStore } from '../src/react.ts';
import type { AppState, AppStateChange } from '../src/protocol.ts';
import { createTtsStore, type TtsStore } from '../src/tts/store.ts';
import { tts } from '../src/tts/reducer.ts';
import { server, Setting } from './setting.ts';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

const chunk = (id: string) => ({
  id,
  text: id,
  status: 'pending' as const,
  engine: 'chatterbox' as const,
  parameters: {},
  createdAt: '2026-01-01T00:00:00+00:00',
});

let root: Root | undefined;
let element: HTMLElement;
const errors = vi.fn();

beforeEach(() => {
  element = document.body.appendChild(document.createElement('div'));
  errors.mockReset();
  vi.spyOn(console, 'error').mockImplementation(errors);
});

afterEach(async () => {
  await act(async () => root?.unmount());
  root = undefined;
  element.remove();
  vi.restoreAllMocks();
  expect(errors).not.toHaveBeenCalled();
});

async function render(node: ReactNode): Promise<void> {
  root = createRoot(element);
  await act(async () => root!.render(node));
}

function made(skipHydration = false) {
  const setting = new Setting<AppState, AppStateChange>(tts);
  const seams = setting.tab();
  const store = createTtsStore({ server, seams, skipHydration });
  const advance = (milliseconds: number) => act(async () => setting.clock.advance(milliseconds));
  return { setting, seams, store, advance };
}

describe("[W4] the seed's hooks", () => {
  it('useStore gives state and actions; a change shows at once; hasHydrated turns true', async () => {
    const { store, advance } = made();
    const { useStore } = createHooks(store);
    function Panel() {
      const { parameters, updateParameters, hasHydrated } = useStore();
      if (!hasHydrated) return <p>Loading</p>;
      return <button onClick={() => updateParameters({ temperature: 0.9 })}>{parameters.temperature}</button>;
    }
    await render(<Panel />);
    expect(element.textContent).toBe('Loading');
    await advance(200);
    expect(element.textContent).toBe('0.8');
    await act(async () => element.querySelector('button')!.click());
    expect(element.textContent).toBe('0.9');
    expect(useStore.getState().parameters.temperature).toBe(0.9);
  });

  it('usePersistence tells how things stand, and goes from saving to saved', async () => {
    const { setting, store, advance } = made();
    const { usePersistence } = createHooks(store);
    const seen: string[] = [];
    function Status() {
      const { saving, pending, connection, isLeader, storage, kept } = usePersistence();
      seen.push(saving);
      return <p>{[saving, pending, connection, isLeader, storage, kept].join(' ')}</p>;
    }
    await render(<Status />);
    await advance(200);
    expect(element.textContent).toBe('saved 0 live true indexedDB true');
    await act(async () => void store.getState().setStreaming(true));
    expect(element.textContent).toBe('saving 1 live true indexedDB false');
    await advance(200);
    setting.silo.save();
    await advance(200);
    expect(element.textContent).toBe('saved 0 live true indexedDB true');
  });

  it('useChunks and useParameters give the same reference until something of theirs changes', async () => {
    const { store, advance } = made();
    const seen = new Set<unknown>();
    let renders = 0;
    function List() {
      renders++;
      const chunks = useChunks({ status: 'pending' });
      seen.add(chunks);
      const { temperature } = useParameters('turbo');
      return <p>{`${chunks.map(({ id }) => id).join()} ${temperature}`}</p>;
    }
    await render(
      <StoreProvider store={store}>
        <List />
      </StoreProvider>,
    );
    await advance(200);
    await act(async () => ['a', 'b'].forEach(id => store.getState().saveChunk(chunk(id))));
    expect(element.textContent).toBe('a,b 0.8');
    const [before, lists] = [renders, seen.size];
    await act(async () => void store.getState().setSystemStatus('busy'));
    expect([renders, seen.size]).toEqual([before, lists]);
  });

  it('useChunks gives those of a work session in its order', async () => {
    const { store, advance } = made();
    function List() {
      return <p>{useChunks({ session: 's' }).map(({ id }) => id)}</p>;
    }
    await render(
      <StoreProvider store={store}>
        <List />
      </StoreProvider>,
    );
    await advance(200);
    const at = '2026-01-01T00:00:00+00:00';
    await act(async () => {
      ['a', 'b', 'c'].forEach(id => store.getState().saveChunk(chunk(id)));
      store
        .getState()
        .saveSession({ id: 's', name: 's', createdAt: at, updatedAt: at, engine: 'chatterbox', chunkIds: ['c', 'a'] });
    });
    expect(element.textContent).toBe('ca');
  });

  it('useRecovery gives what was interrupted, and the methods to deal with it', async () => {
    const { store } = made(true);
    const { useRecovery } = createHooks(store);
    let given: ReturnType<typeof useRecovery> | undefined;
    function Banner() {
      given = useRecovery();
      return null;
    }
    await render(<Banner />);
    expect(given).toMatchObject({ crash: undefined });
    expect(typeof given!.recoverFromCrash).toBe('function');
    expect(typeof given!.clearRecoveryState).toBe('function');
  });

  it('without a store they say what is missing', async () => {
    function Lost() {
      useStore();
      return null;
    }
    expect(() => renderToString(<Lost />)).toThrow('StoreProvider');
    void [usePersistence, useRecovery];
  });
});

describe('[W4] React itself', () => {
  it('StrictMode: a selector that makes a new array neither loops nor warns, and one connection is opened', async () => {
    const { setting, seams, advance } = made(true);
    let stores = 0;
    const create = () => {
      stores++;
      return createTtsStore({ server, seams, skipHydration: true });
    };
    function List() {
      return <p>{useStore(state => state.chunks.filter(({ status }) => status === 'pending').map(({ id }) => id))}</p>;
    }
    await render(
      <StrictMode>
        <StoreProvider store={create}>
          <List />
        </StoreProvider>
      </StrictMode>,
    );
    await advance(500);
    expect(stores, 'React calls it twice').toBe(2);
    expect(seams.opened()).toBe(1);
    setting.silo.state = { ...setting.silo.state };
    await act(async () => root!.unmount());
    root = undefined;
  });

  it('two users rendered at once see nothing of each other, and a browser takes the page without a warning', async () => {
    function Page() {
      const { hasHydrated, chunks } = useStore();
      const { saving, storage } = usePersistence();
      return <p>{`${hasHydrated} ${chunks.length} ${saving} ${storage}`}</p>;
    }
    const page = (store: TtsStore) => (
      <StoreProvider store={store}>
        <Page />
      </StoreProvider>
    );
    const [one, two] = [made(), made()];
    await one.advance(200);
    await act(async () => void one.store.getState().saveChunk(chunk('secret')));
    const html = renderToString(page(one.store));
    expect(html).toBe('<p>false 0 saved memory</p>');
    expect(renderToString(page(two.store))).toBe(html);
    element.innerHTML = html;
    await act(async () => (root = hydrateRoot(element, page(one.store))));
    expect(element.textContent).toBe('true 1 saving indexedDB');
  });
});
