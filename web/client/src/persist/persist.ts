import { later, type MaybePromise } from './later.ts';

/** What is stored: the partialized state and the version of its schema. */
export interface StorageValue<S> {
  state: S;
  version?: number;
}

export interface PersistStorage<S> {
  getItem(name: string): MaybePromise<StorageValue<S> | null>;
  setItem(name: string, value: StorageValue<S>): unknown;
  removeItem(name: string): unknown;
}

/** zustand's options, and what it does not have: a debounce and a place for errors. */
export interface PersistConfig<T, U = T> {
  name: string;
  storage: PersistStorage<U>;
  partialize?: (state: T) => U;
  onRehydrateStorage?: (state: T) => ((state?: T, error?: unknown) => void) | void;
  version?: number;
  migrate?: (persisted: unknown, version: number) => MaybePromise<U>;
  merge?: (persisted: unknown, current: T) => T;
  skipHydration?: boolean;
  /** Milliseconds from the last change to its write; 0 writes at once. By default 300. */
  writeDelay?: number;
  /** Milliseconds from the first unwritten change to its write, however many follow. By default 2,000. */
  maxWriteDelay?: number;
  /** Told of what cannot be read, migrated or written. Without it errors go to the console. */
  onError?: (error: unknown) => void;
  /** Told when something is to be written, and what came of it. */
  onSaving?: (saving: 'saved' | 'saving' | 'failing') => void;
}

export interface Persisted<T, U> {
  setOptions(options: Partial<PersistConfig<T, U>>): void;
  getOptions(): PersistConfig<T, U>;
  /** Removes what is stored and ends a hydration under way. The live state stays. */
  clearStorage(): void;
  rehydrate(): Promise<void>;
  hasHydrated(): boolean;
  onHydrate(listener: (state: T) => void): () => void;
  onFinishHydration(listener: (state: T) => void): () => void;
  /** Writes what is due now. */
  flush(): Promise<void>;
  getPersistedVersion(): Promise<number | undefined>;
}

interface Api<T> {
  setState: (...args: any[]) => unknown;
  getInitialState: () => T;
  persist?: unknown;
}

type Setter = (...args: any[]) => void;

/** Where a value is put aside that this version cannot read. */
export const quarantineOf = (name: string): string => `${name}.quarantine`;

/** A middleware with the semantics of zustand's persist, for any store that has its shape. */
export function persist<T extends object, U = T>(
  initializer: (set: any, get: () => T, api: any) => T,
  config: PersistConfig<T, U>,
): (set: Setter, get: () => T | undefined, api: Api<T>) => T {
  return (set, get, api) => {
    const writer = new Writer<T, U>(() => get(), config);
    const original = api.setState;
    api.setState = (...args) => {
      original(...args);
      writer.due();
    };
    const initial = initializer(
      (...args: unknown[]) => {
        set(...args);
        writer.due();
      },
      get as () => T,
      api,
    );
    api.getInitialState = () => initial;
    const hydration = new Hydration(writer, set, () => get() ?? initial);
    api.persist = hydration.api;
    if (!config.skipHydration) void hydration.run();
    return hydration.early ?? initial;
  };
}

/** Writes the state when it has changed: debounced, and never before what is stored has been read. */
class Writer<T, U> {
  options: PersistConfig<T, U>;
  canWrite = false;

  private readonly get: () => T | undefined;
  private written: U | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private firstDue: number | undefined;

  constructor(get: () => T | undefined, options: PersistConfig<T, U>) {
    [this.get, this.options] = [get, options];
  }

  due(): void {
    const { writeDelay = 300, maxWriteDelay = 2_000 } = this.options;
    if (!this.canWrite) return;
    this.options.onSaving?.('saving');
    if (writeDelay === 0) return void this.write();
    const now = performance.now();
    this.firstDue ??= now;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.write(), Math.max(0, Math.min(writeDelay, this.firstDue + maxWriteDelay - now)));
  }

  cancel(): void {
    clearTimeout(this.timer);
    [this.timer, this.firstDue] = [undefined, undefined];
  }

  async flush(): Promise<void> {
    if (this.firstDue !== undefined) await this.write();
  }

  /** What is stored is not what was written any more. */
  forget(): void {
    this.cancel();
    this.written = undefined;
  }

  write(): MaybePromise<void> {
    this.cancel();
    const { name, storage, partialize = (state: T) => state as unknown as U, version = 0 } = this.options;
    const state = partialize({ ...this.get()! });
    if (this.written !== undefined && sameMembers(this.written, state)) return this.options.onSaving?.('saved');
    const before = this.written;
    this.written = state;
    return later(
      () => storage.setItem(name, { state, version }) as MaybePromise<void>,
      () => this.options.onSaving?.(this.firstDue === undefined ? 'saved' : 'saving'),
      error => {
        // Still to be written, with the next change.
        this.written = before;
        this.options.onSaving?.('failing');
        this.report(error);
      },
    );
  }

  report(error: unknown): void {
    if (this.options.onError) this.options.onError(error);
    else console.error(`[${this.options.name}]`, error);
  }
}

/** Loads what is stored: of several under way only the last one counts. */
class Hydration<T extends object, U> {
  /** What was loaded before the store had a state: its first one. */
  early: T | undefined;

  private readonly writer: Writer<T, U>;
  private readonly set: Setter;
  private readonly get: () => T;
  private readonly began = new Set<(state: T) => void>();
  private readonly finished = new Set<(state: T) => void>();
  private generation = 0;
  private hasHydrated = false;

  constructor(writer: Writer<T, U>, set: Setter, get: () => T) {
    [this.writer, this.set, this.get] = [writer, set, get];
  }

  readonly api: Persisted<T, U> = {
    setOptions: options => void (this.writer.options = { ...this.writer.options, ...options }),
    getOptions: () => this.writer.options,
    clearStorage: () => {
      this.generation++;
      this.writer.forget();
      this.writer.canWrite = true;
      const { name, storage } = this.writer.options;
      void later(
        () => storage.removeItem(name) as MaybePromise<void>,
        () => undefined,
        error => this.writer.report(error),
      );
    },
    rehydrate: async () => this.run(),
    hasHydrated: () => this.hasHydrated,
    onHydrate: listener => listen(this.began, listener),
    onFinishHydration: listener => listen(this.finished, listener),
    flush: () => this.writer.flush(),
    getPersistedVersion: async () => {
      const { name, storage } = this.writer.options;
      const stored = await storage.getItem(name);
      return stored ? (stored.version ?? 0) : undefined;
    },
  };

  run(): MaybePromise<void> {
    const { options } = this.writer;
    const generation = ++this.generation;
    const isCurrent = () => generation === this.generation;
    this.hasHydrated = false;
    this.began.forEach(listener => listener(this.get()));
    const callback = options.onRehydrateStorage?.(this.get()) ?? undefined;
    const fail = (error: unknown) => {
      if (!isCurrent()) return;
      if (!callback) this.writer.report(error);
      callback?.(undefined, error);
    };
    const apply = ({ state, isMigrated }: Loaded) => {
      if (!isCurrent()) return;
      const { merge = shallowMerge } = options;
      this.early = merge(state, this.get()) as T;
      this.set(this.early, true);
      this.writer.canWrite = true;
      return later(
        () => (isMigrated ? this.writer.write() : undefined),
        () => {
          if (!isCurrent()) return;
          callback?.(this.get(), undefined);
          this.hasHydrated = true;
          this.finished.forEach(listener => listener(this.get()));
        },
        fail,
      );
    };
    return later(
      () => options.storage.getItem(options.name),
      stored => later(() => this.load(stored), apply, fail),
      fail,
    );
  }

  private load(stored: StorageValue<U> | null): MaybePromise<Loaded> {
    const { version = 0, migrate } = this.writer.options;
    if (!stored) return { state: undefined, isMigrated: false };
    if (typeof stored.version !== 'number' || stored.version === version) return { state: stored.state, isMigrated: false };
    const from = stored.version;
    if (!migrate) return this.quarantine(stored, new Error(`No migration from version ${from} to ${version}.`));
    return later(
      () => migrate(stored.state, from) as MaybePromise<unknown>,
      state => ({ state, isMigrated: true }) as Loaded,
      error => this.quarantine(stored, error),
    );
  }

  /** What this version cannot read is not written over: it is put aside first. */
  private quarantine(stored: StorageValue<U>, error: unknown): MaybePromise<Loaded> {
    const { name, storage } = this.writer.options;
    this.writer.report(error);
    return later(
      () => storage.setItem(quarantineOf(name), stored) as MaybePromise<void>,
      () => ({ state: undefined, isMigrated: false }),
    );
  }
}

interface Loaded {
  state: unknown;
  isMigrated: boolean;
}

const shallowMerge = (persisted: unknown, current: object): object => ({ ...current, ...(persisted as object) });

function listen<T>(listeners: Set<(state: T) => void>, listener: (state: T) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

// Most changes are of what is not persisted: those cost no write.
function sameMembers(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every(name => Object.hasOwn(other, name) && Object.is(one[name as keyof typeof one], other[name as keyof typeof other]))
  );
}
