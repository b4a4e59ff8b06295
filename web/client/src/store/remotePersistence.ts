import type { PersistConfig } from '../persist/persist.ts';
import type { Remote } from '../server/remote.ts';
import type { Persistence } from './persistence.ts';

/** The `persist` of a store whose state is a session's. */
export function remotePersistence<T, S, C>(remote: Remote<S, C>, get: () => T, config?: PersistConfig<T, any>): Persistence<T> {
  const { session } = remote;
  const began = new Set<(state: T) => void>();
  const finished = new Set<(state: T) => void>();
  let options = config ?? ({ name: '' } as PersistConfig<T, any>);
  let hasHydrated = false;
  session.subscribe(() => {
    if (hasHydrated || !session.status.hasHydrated) return;
    hasHydrated = true;
    // Behind the store's own listener, which brings the state.
    queueMicrotask(() => finished.forEach(listener => listener(get())));
  });
  const clear = async () => {
    await (await remote.gateway()).api.clear();
  };
  return {
    setOptions: changed => void (options = { ...options, ...changed }),
    getOptions: () => options,
    clearStorage: () => void clear().catch(error => (options.onError ?? console.error)(error)),
    clearPersistedState: clear,
    async rehydrate() {
      began.forEach(listener => listener(get()));
      await session.start();
      session.refresh();
      await new Promise<void>(resolve => {
        const end = session.subscribe(() => check());
        const check = () => {
          if (!session.status.hasHydrated) return;
          end();
          resolve();
        };
        check();
      });
    },
    hasHydrated: () => session.status.hasHydrated,
    onHydrate: listener => listen(began, listener),
    onFinishHydration: listener => listen(finished, listener),
    async flush() {
      await session.flush();
      await (await remote.gateway()).api.flush();
    },
    async getPersistedVersion() {
      return (await (await remote.gateway()).api.status()).persistedVersion;
    },
    getStorageInfo: () => remote.storageUse(),
    getStatus: remote.getStatus,
    onStatus: remote.onStatus,
    retry: () => session.retry(),
    close: () => session.close(),
  };
}

function listen<T>(listeners: Set<(state: T) => void>, listener: (state: T) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
