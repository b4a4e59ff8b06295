import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from 'react';
import type { Chunk, CrashInfo, TtsEngine, TtsParameters, WorkStatus } from './protocol.ts';
import {
  initialStatus,
  type PersistedStore,
  type Persistence,
  type PersistenceStatus,
  type Recovery,
} from './store/persistence.ts';
import type { TtsStore, TtsState } from './tts/store.ts';

export type { PersistedStore, PersistenceStatus, Recovery, TtsState, TtsStore };

type AnyStore = PersistedStore<any> & { recovery?: Recovery };
type StateOf<S> = S extends { getState(): infer T } ? T : never;

const Context = createContext<AnyStore | undefined>(undefined);

/**
 * Gives a store to the hooks below it. A function makes the store once it is mounted, and closes it when it is unmounted: with
 * `skipHydration`, so that nothing is opened by a render that React throws away, or by a server.
 */
export function StoreProvider<S extends AnyStore>(props: { store: S | (() => S); children?: ReactNode }): ReactElement {
  const { store: given, children } = props;
  const isOwn = typeof given === 'function';
  const [own] = useState(() => (isOwn ? given() : undefined));
  const store = own ?? (given as S);
  useEffect(() => {
    if (!own) return;
    keptOpen.add(own);
    if (!own.persist.hasHydrated()) void own.persist.rehydrate();
    return () => {
      keptOpen.delete(own);
      // StrictMode unmounts and mounts again at once.
      setTimeout(() => keptOpen.has(own) || own.persist.close());
    };
  }, [own]);
  return createElement(Context.Provider, { value: store }, children);
}

const keptOpen = new Set<AnyStore>();

export interface UseStore<T> {
  (): T;
  /** Renders again when what the selector returns has changed. @param equal By default Object.is. */
  <U>(selector: (state: T) => U, equal?: (one: U, other: U) => boolean): U;
}

export interface UsePersistence
  extends
    PersistenceStatus,
    Pick<
      Persistence<unknown>,
      'rehydrate' | 'getPersistedVersion' | 'clearPersistedState' | 'getStorageInfo' | 'flush' | 'retry'
    > {}

export interface UseRecovery extends Recovery {
  /** What was interrupted; undefined when nothing was. */
  crash: CrashInfo | undefined;
}

/** Of the chunks, those of one work session, in its order, or of one status. */
export interface ChunkFilter {
  session?: string | undefined;
  status?: WorkStatus | undefined;
}

/**
 * The hooks of one store, or, without one, of the store of the {@link StoreProvider} above. With a store, `useStore` has its
 * methods as well, as with zustand.
 */
export function createHooks<S extends AnyStore = TtsStore>(bound?: S) {
  const useApi = (): S => {
    const store = bound ?? (useContext(Context) as S | undefined);
    if (!store) throw new Error('No store: render a <StoreProvider> above, or use createHooks(store).');
    return store;
  };

  const useStore = (<U>(
    selector: (state: StateOf<S>) => U = state => state as U,
    equal: (one: U, other: U) => boolean = Object.is,
  ) => {
    const store = useApi();
    const select = useMemo(() => memoized<StateOf<S>, U>(), [store]);
    return useSyncExternalStore(
      store.subscribe,
      () => select(store.getState(), selector, equal),
      () => select(store.getInitialState(), selector, equal),
    );
  }) as UseStore<StateOf<S>>;

  function usePersistence(): UsePersistence {
    const { persist } = useApi();
    const status = useSyncExternalStore(persist.onStatus, persist.getStatus, () => initialStatus);
    return useMemo(() => {
      const { rehydrate, getPersistedVersion, clearPersistedState, getStorageInfo, flush, retry } = persist;
      return { ...status, rehydrate, getPersistedVersion, clearPersistedState, getStorageInfo, flush, retry };
    }, [persist, status]);
  }

  function useRecovery(): UseRecovery {
    const { persist, recovery } = useApi();
    const { crash } = useSyncExternalStore(persist.onStatus, persist.getStatus, () => initialStatus);
    return useMemo(() => {
      if (!recovery) throw new Error('This store has no recovery: it has no server.');
      return { crash, ...recovery };
    }, [recovery, crash]);
  }

  function useChunks({ session, status }: ChunkFilter = {}): readonly Chunk[] {
    const chunks = useStore(state => (state as TtsState).chunks);
    const ids = useStore(state => (state as TtsState).sessions.find(each => each.id === session)?.chunkIds);
    return useMemo(() => {
      const ordered = session === undefined ? chunks : (ids ?? []).flatMap(id => chunks.find(chunk => chunk.id === id) ?? []);
      return status === undefined ? ordered : ordered.filter(chunk => chunk.status === status);
    }, [chunks, ids, session, status]);
  }

  /** The parameters that an engine is set to. @param engine By default the selected one. */
  function useParameters(engine?: TtsEngine): TtsParameters {
    const store = useApi();
    return useStore(state => (store as unknown as TtsStore).parametersOf(engine, state as TtsState));
  }

  return { useStore: Object.assign(useStore, bound), usePersistence, useRecovery, useChunks, useParameters };
}

export const { useStore, usePersistence, useRecovery, useChunks, useParameters } = createHooks();

/** A selector that makes a new array gives the same one for the same state: React asks more than once. */
function memoized<T, U>() {
  let last: { state: T; selector: (state: T) => U; value: U } | undefined;
  return (state: T, selector: (state: T) => U, equal: (one: U, other: U) => boolean): U => {
    if (last?.state === state && last.selector === selector) return last.value;
    const value = selector(state);
    last = { state, selector, value: last && equal(last.value, value) ? last.value : value };
    return last.value;
  };
}
