import { persist } from '../persist/middleware.ts';
import type { PersistPreset } from '../persist/configs.ts';
import type { Persisted, PersistStorage } from '../persist/persist.ts';
import type { ServerConfig } from '../persist/persistRemotely.ts';
import { createStorageManager } from '../storage/createStorageManager.ts';
import type { StorageManager } from '../storage/manager.ts';
import { browserPlatform, type Platform } from '../sync/platform.ts';
import { initialStatus, type PersistedStore, type Persistence, type PersistenceStatus } from './persistence.ts';
import { createStore, type Initializer } from './store.ts';

export interface LocalConfig<T, U = Partial<T>> extends PersistPreset<T, U> {
  /** By default the best that the browser has, shared by its tabs. */
  storage?: PersistStorage<U>;
  platform?: Platform;
}

export type PersistedStoreConfig<T, U = Partial<T>> = LocalConfig<T, U> | ServerConfig<T, U>;

/** A store that persists itself: in this browser, or, with `server`, in a session that tabs and devices share. */
export function createPersistedStore<T extends object, U = Partial<T>>(
  initializer: Initializer<T>,
  config: PersistedStoreConfig<T, U>,
): PersistedStore<T> {
  if ('server' in config) return createStore(persist<T, U>(initializer as never, config) as Initializer<T>) as PersistedStore<T>;
  return new LocalStore<T, U>(initializer, config).store;
}

class LocalStore<T extends object, U> {
  readonly store: PersistedStore<T>;

  private readonly config: LocalConfig<T, U>;
  private readonly listeners = new Set<() => void>();
  private manager: Promise<StorageManager> | undefined;
  private endChannel: (() => void) | undefined;
  private status: PersistenceStatus = { ...initialStatus, connection: 'none', kept: true, isLeader: true };

  constructor(initializer: Initializer<T>, config: LocalConfig<T, U>) {
    this.config = config;
    const storage = config.storage ?? this.sharedStorage();
    const onError = (error: unknown) => {
      this.tell({ reason: (error as Error)?.message ?? String(error) });
      if (config.onError) config.onError(error);
      else console.error(`[${config.name}]`, error);
    };
    const onSaving = (saving: PersistenceStatus['saving']) =>
      this.tell({
        saving,
        pending: saving === 'saved' ? 0 : 1,
        kept: saving === 'saved',
        ...(saving === 'saved' && { reason: undefined }),
      });
    // Where nothing can be stored, a server's render above all, nothing is loaded.
    const skipHydration = config.skipHydration ?? (config.storage === undefined && globalThis.window === undefined);
    const full = { ...config, storage, onError, onSaving, skipHydration };
    this.store = createStore(persist<T, U>(initializer as never, full) as Initializer<T>) as PersistedStore<T>;
    const local = this.store.persist as unknown as Persisted<T, U>;
    Object.assign(this.store.persist, this.persistence(local));
    if (local.hasHydrated()) this.tell({ hasHydrated: true, isLive: true });
    local.onHydrate(() => this.tell({ hasHydrated: false }));
    local.onFinishHydration(() => this.tell({ hasHydrated: true, isLive: true }));
  }

  private persistence(local: Persisted<T, U>): Partial<Persistence<T>> {
    return {
      getStatus: () => this.status,
      onStatus: listener => {
        this.listeners.add(listener);
        return () => void this.listeners.delete(listener);
      },
      clearPersistedState: async () => {
        local.clearStorage();
        this.store.setState(this.store.getInitialState(), true);
        await local.flush();
      },
      getStorageInfo: async () => {
        const { usage, quota } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
        const bytes = this.config.storage ? 0 : await (await this.open()).size(this.config.name);
        return { storage: this.status.storage, bytes, usage, quota };
      },
      retry: () => void local.flush(),
      close: () => {
        void local.flush();
        this.endChannel?.();
        this.listeners.clear();
      },
    };
  }

  /** What a browser keeps without a server is loaded apart: a store with one does without it. */
  private sharedStorage(): PersistStorage<U> {
    const { platform = browserPlatform(), name } = this.config;
    const canShare = globalThis.window !== undefined || this.config.platform !== undefined;
    const channel = canShare ? platform.channel?.(`chatterbox/store/${name}`) : undefined;
    this.endChannel = () => channel?.close();
    const live = {
      get: () => this.config.partialize?.(this.store.getState()) ?? this.store.getState(),
      set: (changed: object) => this.store.setState(changed as Partial<T>),
    };
    let loading: Promise<PersistStorage<U>> | undefined;
    const shared = () =>
      (loading ??= import('../persist/sharedStorage.ts').then(
        ({ SharedStorage }) => new SharedStorage(() => this.open(), platform.locks, channel, live),
      ));
    return {
      getItem: async key => (await shared()).getItem(key),
      setItem: async (key, value) => (await shared()).setItem(key, value),
      removeItem: async key => (await shared()).removeItem(key),
    };
  }

  private open(): Promise<StorageManager> {
    this.manager ??= createStorageManager({ compress: this.config.compress ?? false }).then(manager => {
      this.tell({ storage: manager.kind, storageReason: manager.reason });
      return manager;
    });
    return this.manager;
  }

  private tell(changed: Partial<PersistenceStatus>): void {
    this.status = { ...this.status, ...changed };
    for (const listener of [...this.listeners]) listener();
  }
}
