/** A store with zustand's shape, for apps without zustand. */
export interface StoreApi<T> {
  getState(): T;
  /** The state before anything was loaded: what a server renders. */
  getInitialState(): T;
  setState: SetState<T>;
  /** Returns what ends it. */
  subscribe(listener: (state: T, previous: T) => void): () => void;
}

export type SetState<T> = (partial: T | Partial<T> | ((state: T) => T | Partial<T>), replace?: boolean) => void;

export type Initializer<T> = (set: SetState<T>, get: () => T, api: StoreApi<T>) => T;

export function createStore<T extends object>(initializer: Initializer<T>): StoreApi<T> {
  const listeners = new Set<(state: T, previous: T) => void>();
  let state: T;
  const setState: SetState<T> = (partial, replace) => {
    const next = typeof partial === 'function' ? partial(state) : partial;
    if (Object.is(next, state)) return;
    const previous = state;
    state = replace ? (next as T) : { ...state, ...next };
    listeners.forEach(listener => listener(state, previous));
  };
  const api: StoreApi<T> = {
    getState: () => state,
    getInitialState: () => initial,
    setState,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const initial: T = (state = initializer(setState, api.getState, api));
  return api;
}
