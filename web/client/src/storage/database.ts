export type Mode = 'readonly' | 'readwrite';

/**
 * Issues requests, and gives what reads their results once all is done. Awaits nothing: an open transaction blocks other tabs.
 * Listeners run in `guard`, which undoes all of it where one throws.
 */
export type Work<T> = (store: (name: string) => IDBObjectStore, guard: (listener: () => void) => () => void) => () => T;

/**
 * An IndexedDB database that heals: browsers close it when they like, and every later use of the handle fails. It never stands in
 * the way of another tab that opens or deletes it, and its version never changes: formats are part of its name.
 */
export class Database {
  private readonly name: string;
  private readonly stores: Readonly<Record<string, IDBObjectStoreParameters>>;
  private readonly factory: IDBFactory;
  private opening: Promise<IDBDatabase> | undefined;
  private isClosed = false;

  constructor(name: string, stores: Readonly<Record<string, IDBObjectStoreParameters>>, factory: IDBFactory) {
    [this.name, this.stores, this.factory] = [name, stores, factory];
  }

  async run<T>(mode: Mode, work: Work<T>): Promise<T> {
    try {
      return await this.once(mode, work);
    } catch (failure) {
      if (this.isClosed || !isLostHandle(failure)) throw failure;
      this.forget();
      return this.once(mode, work);
    }
  }

  close(): void {
    this.isClosed = true;
    this.forget();
  }

  private async once<T>(mode: Mode, work: Work<T>): Promise<T> {
    const database = await (this.opening ??= this.open());
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(Object.keys(this.stores), mode);
      let thrown: unknown;
      transaction.onabort = () =>
        reject(thrown ?? transaction.error ?? new DOMException('The transaction was aborted.', 'AbortError'));
      const guard = (listener: () => void) => () => {
        try {
          listener();
        } catch (failure) {
          thrown = failure;
          transaction.abort();
        }
      };
      const result = work(name => transaction.objectStore(name), guard);
      transaction.oncomplete = () => resolve(result());
      // A tab that is frozen now would hold it open.
      if (mode === 'readonly') transaction.commit?.();
    });
  }

  private open(): Promise<IDBDatabase> {
    const opening = new Promise<IDBDatabase>((resolve, reject) => {
      const request = this.factory.open(this.name, 1);
      request.onupgradeneeded = () => {
        for (const [name, parameters] of Object.entries(this.stores)) request.result.createObjectStore(name, parameters);
      };
      request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be opened.'));
      request.onsuccess = () => {
        const database = request.result;
        database.onclose = () => this.forget(opening);
        // Another tab deletes it, or a later version changes it: not blocked by this one.
        database.onversionchange = () => this.forget(opening);
        if (this.opening === opening) resolve(database);
        else {
          database.close();
          reject(new DOMException('The database was closed while it was opened.', 'InvalidStateError'));
        }
      };
    });
    opening.catch(() => this.opening === opening && (this.opening = undefined));
    return opening;
  }

  private forget(opening = this.opening): void {
    void opening?.then(database => database.close()).catch(() => undefined);
    if (this.opening === opening) this.opening = undefined;
  }
}

// Not AbortError: that is what a full disk looks like in some browsers.
const isLostHandle = (failure: unknown): boolean =>
  ['InvalidStateError', 'UnknownError', 'NotFoundError'].includes((failure as DOMException)?.name);

export const isQuotaError = (failure: unknown): boolean =>
  ['QuotaExceededError', 'NS_ERROR_DOM_QUOTA_REACHED'].includes((failure as DOMException)?.name) ||
  (failure as { code?: unknown })?.code === 'QUOTA_EXCEEDED';
