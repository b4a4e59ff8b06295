import type { PersistStorage, StorageValue } from '../persist/persist.ts';
import { quarantineOf } from '../persist/persist.ts';
import type { StorageKind } from '../sync/keep.ts';
import { within, browserPlatform, type Clock } from '../sync/platform.ts';
import { pack, unpack, type Packed } from './compression.ts';
import { Database, isQuotaError } from './database.ts';

/** A place for envelopes. Implement it to keep them elsewhere; everything may be asynchronous. */
export interface StorageAdapter extends PersistStorage<any> {
  readonly kind?: StorageKind;
  /** Why it is not a better one. */
  readonly reason?: string | undefined;
}

export interface StorageManagerOptions {
  /** Takes localStorage where there is no IndexedDB, and memory where there is neither. By default true; else it rejects. */
  fallback?: boolean;
  /** Compresses what is large. By default false. */
  compress?: boolean;
  clock?: Clock;
}

export interface StorageManager extends StorageAdapter {
  readonly kind: StorageKind;
  /** Bytes of one envelope as it is stored. */
  size(name: string): Promise<number>;
  close(): void;
}

const databaseName = 'chatterbox/1/values';
const openWithin = 3_000;

/** Where texts and bytes lie under names. */
interface Cells {
  readonly kind: StorageKind;
  get(name: string): Promise<Packed | undefined>;
  set(name: string, value: Packed): Promise<void>;
  remove(name: string): Promise<void>;
  names(): Promise<string[]>;
  close(): void;
}

/** The best storage that this browser has. */
export async function openStorage({
  fallback = true,
  compress = false,
  clock = browserPlatform().clock,
}: StorageManagerOptions = {}): Promise<StorageManager> {
  const why: string[] = [];
  for (const open of fallback ? [openDatabase, openLocalStorage] : [openDatabase]) {
    try {
      return new Manager(await within(clock, openWithin, 'Opening the storage', open()), why, compress);
    } catch (failure) {
      if (!fallback) throw failure;
      why.push((failure as Error)?.message ?? String(failure));
    }
  }
  return new Manager(memoryCells(), why, compress);
}

class Manager implements StorageManager {
  readonly kind: StorageKind;
  readonly reason: string | undefined;
  private readonly cells: Cells;
  private readonly compress: boolean;

  constructor(cells: Cells, why: readonly string[], compress: boolean) {
    [this.cells, this.compress, this.kind, this.reason] = [cells, compress, cells.kind, why.join('; ') || undefined];
  }

  async getItem(name: string): Promise<StorageValue<any> | null> {
    // What zustand left in localStorage is where a store begins that moves here.
    const stored = (await this.cells.get(name)) ?? legacy(name);
    return stored === undefined ? null : (JSON.parse(await unpack(stored)) as StorageValue<any>);
  }

  async setItem(name: string, value: StorageValue<any>): Promise<void> {
    const packed = await pack(JSON.stringify(value), this.compress);
    try {
      await this.cells.set(name, packed);
    } catch (failure) {
      if (!isQuotaError(failure) || !(await this.cleanUp(name))) throw quotaError(failure);
      await this.cells.set(name, packed).catch(again => {
        throw quotaError(again);
      });
    }
  }

  async removeItem(name: string): Promise<void> {
    await this.cells.remove(name);
    if (legacy(name) !== undefined) localStorage.removeItem(name);
  }

  async size(name: string): Promise<number> {
    const stored = await this.cells.get(name);
    return stored === undefined ? 0 : typeof stored === 'string' ? stored.length : stored.byteLength;
  }

  close(): void {
    this.cells.close();
  }

  /** Deletes what is only kept aside. False when there was nothing. */
  private async cleanUp(except: string): Promise<boolean> {
    const aside = (await this.cells.names()).filter(name => name !== except && name.endsWith(quarantineOf('')));
    for (const name of aside) await this.cells.remove(name);
    return aside.length > 0;
  }
}

function quotaError(failure: unknown): unknown {
  if (!isQuotaError(failure)) return failure;
  return Object.assign(new Error(`The browser's storage is full: ${(failure as Error).message}`), { code: 'QUOTA_EXCEEDED' });
}

function legacy(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

async function openDatabase(): Promise<Cells> {
  if (typeof indexedDB === 'undefined') throw new Error('IndexedDB is not available');
  const database = new Database(databaseName, { values: {} }, indexedDB);
  const read = <T>(request: (values: IDBObjectStore) => IDBRequest<T>) =>
    database.run('readonly', store => {
      const asked = request(store('values'));
      return () => asked.result;
    });
  const write = (request: (values: IDBObjectStore) => unknown) =>
    database.run('readwrite', store => {
      request(store('values'));
      return () => undefined;
    });
  await read(values => values.count());
  return {
    kind: 'indexedDB',
    get: name => read(values => values.get(name) as IDBRequest<Packed | undefined>),
    set: (name, value) => write(values => values.put(value, name)),
    remove: name => write(values => values.delete(name)),
    names: async () => (await read(values => values.getAllKeys())) as string[],
    close: () => database.close(),
  };
}

async function openLocalStorage(): Promise<Cells> {
  const probe = 'chatterbox/1/probe';
  localStorage.setItem(probe, '1');
  localStorage.removeItem(probe);
  return {
    kind: 'localStorage',
    get: async name => localStorage.getItem(name) ?? undefined,
    // Bytes cannot lie there.
    set: async (name, value) => localStorage.setItem(name, await unpack(value)),
    remove: async name => localStorage.removeItem(name),
    names: async () => Object.keys(localStorage),
    close: () => undefined,
  };
}

function memoryCells(): Cells {
  const values = new Map<string, Packed>();
  return {
    kind: 'memory',
    get: async name => values.get(name),
    set: async (name, value) => void values.set(name, value),
    remove: async name => void values.delete(name),
    names: async () => [...values.keys()],
    close: () => undefined,
  };
}
