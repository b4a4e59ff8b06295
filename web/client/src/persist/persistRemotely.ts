import type { Bridge } from '../app.ts';
import type { Seams, ServerOptions } from '../server/remote.ts';
import { initialStatus, type Persistence } from '../store/persistence.ts';
import type { PersistConfig } from './persist.ts';

export interface ServerConfig<T, U = T> extends Omit<PersistConfig<T, U>, 'storage' | 'writeDelay' | 'maxWriteDelay'> {
  server: ServerOptions;
  /** What the persisted members are on the server. By default a document. */
  bridge?: Bridge<any, any, any>;
  /** Where an envelope of before lies: by default in localStorage, under the store's name. It is taken along, once. */
  storage?: PersistConfig<T, U>['storage'];
  /** For tests: others than the browser's own. */
  seams?: Seams<any, any>;
}

/** A store, between its initializer and its session. */
export interface Middle<T> {
  readonly config: ServerConfig<T, any>;
  readonly initial: T;
  readonly set: (...args: any[]) => void;
  readonly get: () => T;
}

/** A store that has a session. */
export interface Bound<T> {
  readonly persist: Persistence<T>;
  /** The store has set something. */
  push(): void;
  start(): void;
}

const loadAgain = 5_000;

/**
 * The middleware with a server: what the store sets goes to its session as small changes, and what others change comes back. A
 * stale tab writes nothing over what others wrote. The code for it is loaded apart: what is set until then goes along.
 */
export function persistRemotely<T extends object, U>(
  initializer: (set: any, get: () => T, api: any) => T,
  config: ServerConfig<T, U>,
): (set: (...args: any[]) => void, get: () => T | undefined, api: any) => T {
  return (set, get, api) => {
    const original = api.setState;
    const link = new Link<T>(config);
    api.setState = (...args: unknown[]) => {
      original(...args);
      link.bound?.push();
    };
    const initial = initializer(
      (...args: unknown[]) => {
        set(...args);
        link.bound?.push();
      },
      get as () => T,
      api,
    );
    api.getInitialState = () => initial;
    api.persist = link.persistence();
    link.middle = { config, initial, set, get: () => get() ?? initial };
    if (!config.skipHydration && globalThis.window !== undefined) void link.load().then(bound => bound.start());
    return initial;
  };
}

class Link<T extends object> {
  bound: Bound<T> | undefined;
  middle: Middle<T> | undefined;

  private options: ServerConfig<T, any>;
  private loading: Promise<Bound<T>> | undefined;

  constructor(options: ServerConfig<T, any>) {
    this.options = options;
  }

  load(): Promise<Bound<T>> {
    return (this.loading ??= this.loadOnce());
  }

  /** As the session's own, as soon as there is one. */
  persistence(): Persistence<T> {
    const persist = async () => (await this.load()).persist;
    const whenBound = (listen: (persist: Persistence<T>) => () => void) => {
      let end: (() => void) | undefined;
      let isOver = false;
      void this.whenLoaded().then(bound => {
        if (!isOver) end = listen(bound.persist);
      });
      return () => {
        isOver = true;
        end?.();
      };
    };
    return {
      setOptions: changed => {
        this.options = { ...this.options, ...changed };
        this.bound?.persist.setOptions(changed);
      },
      getOptions: () => this.options as unknown as PersistConfig<T, any>,
      clearStorage: () => void persist().then(own => own.clearStorage()),
      clearPersistedState: async () => (await persist()).clearPersistedState(),
      rehydrate: async () => (await persist()).rehydrate(),
      hasHydrated: () => this.bound?.persist.hasHydrated() ?? false,
      onHydrate: listener => whenBound(own => own.onHydrate(listener)),
      onFinishHydration: listener => whenBound(own => own.onFinishHydration(listener)),
      flush: async () => (await persist()).flush(),
      getPersistedVersion: async () => (await persist()).getPersistedVersion(),
      getStorageInfo: async () => (await persist()).getStorageInfo(),
      getStatus: () => this.bound?.persist.getStatus() ?? initialStatus,
      onStatus: listener => {
        if (this.bound) return this.bound.persist.onStatus(listener);
        return whenBound(own => {
          listener();
          return own.onStatus(listener);
        });
      },
      retry: () => void persist().then(own => own.retry()),
      close: () => void this.whenLoaded().then(bound => bound.persist.close()),
    };
  }

  private readonly loaded: ((bound: Bound<T>) => void)[] = [];

  /** Does not load by itself. */
  private whenLoaded(): Promise<Bound<T>> {
    return this.bound ? Promise.resolve(this.bound) : new Promise(resolve => this.loaded.push(resolve));
  }

  private async loadOnce(): Promise<Bound<T>> {
    for (;;) {
      try {
        const { bind } = await import('./binding.ts');
        const bound = bind(this.middle!);
        this.bound = bound;
        bound.push();
        for (const resolve of this.loaded.splice(0)) resolve(bound);
        return bound;
      } catch (failure) {
        // A page that is offline has not all of its code yet.
        report(this.options, failure);
        await new Promise(resolve => setTimeout(resolve, loadAgain));
      }
    }
  }
}

export function report(config: { name: string; onError?: (error: unknown) => void }, failure: unknown): void {
  if (config.onError) config.onError(failure);
  else console.error(`[${config.name}]`, failure);
}
