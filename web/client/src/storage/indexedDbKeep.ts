import type { Copy, Keep, Kept } from '../sync/keep.ts';
import type { SequencedChange } from '../sync/messages.ts';
import { Database, isQuotaError } from './database.ts';

interface Row<C> {
  client: string;
  change: C;
}

/** Keeps a session in IndexedDB: a row for each change, numbered by the database, so that tabs never give a number twice. */
export class IndexedDbKeep<S, C> implements Keep<S, C> {
  readonly isShared: boolean;

  private readonly database: Database;
  /** Taken as it is when tabs share nothing; else the browser's own. */
  private client: string;
  /** Numbered, but not stored: the disk is full. */
  private unstored: SequencedChange<C>[] = [];
  private why: string | undefined;
  private last = 0;

  constructor(name: string, client: string, isShared: boolean, factory: IDBFactory = indexedDB) {
    [this.client, this.isShared] = [client, isShared];
    this.database = new Database(name, { rows: { autoIncrement: true }, meta: {} }, factory);
  }

  get kind() {
    return this.unstored.length > 0 ? 'memory' : 'indexedDB';
  }

  get reason() {
    return this.unstored.length > 0 ? this.why : undefined;
  }

  async open(): Promise<Kept<S, C>> {
    const kept = await this.database.run('readwrite', store => {
      const meta = store('meta');
      const [client, copy, last] = ['client', 'copy', 'last'].map(name => meta.get(name));
      client!.onsuccess = () => {
        if (this.isShared && client!.result === undefined) meta.put(this.client, 'client');
      };
      const rows = rowsAfter<C>(store('rows'), 0);
      return () => {
        if (this.isShared) this.client = (client!.result as string) ?? this.client;
        return { copy: copy!.result as Copy<S> | undefined, rows: this.own(rows), last: (last!.result as number) ?? 0 };
      };
    });
    this.last = Math.max(kept.last, kept.rows.at(-1)?.sequence ?? 0);
    return { ...kept, client: this.client, last: this.last };
  }

  async append(changes: readonly C[]): Promise<number[]> {
    try {
      return await this.add(changes, true);
    } catch (failure) {
      if (!isQuotaError(failure)) throw failure;
      // What is sent to the session is stored there: edits go on.
      await this.dropCopy();
      try {
        return await this.add(changes, true);
      } catch {
        const sequences = await this.add(changes, false);
        this.why = `IndexedDB is full: ${(failure as Error).message}`;
        this.unstored.push(...changes.map((change, index) => ({ sequence: sequences[index]!, change })));
        return sequences;
      }
    }
  }

  async after(sequence: number): Promise<SequencedChange<C>[]> {
    const rows = await this.database.run('readonly', store => {
      const found = rowsAfter<C>(store('rows'), sequence);
      return () => this.own(found);
    });
    const unstored = this.unstored.filter(row => row.sequence > sequence);
    return [...rows, ...unstored].sort((one, other) => one.sequence - other.sequence);
  }

  async remove(sequences: readonly number[]): Promise<void> {
    const gone = new Set(sequences);
    this.unstored = this.unstored.filter(row => !gone.has(row.sequence));
    await this.database.run('readwrite', store => {
      const rows = store('rows');
      for (const sequence of sequences) rows.delete(sequence);
      return () => undefined;
    });
  }

  async save(copy: Copy<S>): Promise<void> {
    await this.database.run('readwrite', store => {
      store('meta').put(copy, 'copy');
      return () => undefined;
    });
  }

  close(): void {
    this.database.close();
  }

  private async add(changes: readonly C[], stores: boolean): Promise<number[]> {
    const sequences = await this.database.run('readwrite', (store, guard) => {
      const [rows, meta] = [store('rows'), store('meta')];
      const given: number[] = [];
      const add = (first?: number) => {
        for (const [index, change] of changes.entries()) {
          const row: Row<C> | null = stores ? { client: this.client, change } : null;
          const request = rows.add(row, index === 0 ? first : undefined);
          request.onsuccess = () => {
            const sequence = request.result as number;
            given.push(sequence);
            if (!stores) rows.delete(sequence);
            if (index + 1 === changes.length) meta.put(sequence, 'last');
          };
        }
      };
      // A database that was deleted meanwhile would number from 1 again, and the session would take that for old.
      const last = meta.get('last');
      last.onsuccess = guard(() => {
        if (((last.result as number) ?? 0) >= this.last) return add();
        if (this.isShared) meta.put(this.client, 'client');
        add(this.last + 1);
      });
      return () => given;
    });
    this.last = Math.max(this.last, sequences.at(-1) ?? 0);
    return sequences;
  }

  private async dropCopy(): Promise<void> {
    await this.database
      .run('readwrite', store => {
        store('meta').delete('copy');
        return () => undefined;
      })
      .catch(() => undefined);
  }

  private own({ keys, values }: ReturnType<typeof rowsAfter<C>>): SequencedChange<C>[] {
    return keys.result.flatMap((key, index) => {
      const row = values.result[index];
      return row?.client === this.client ? { sequence: key as number, change: row.change } : [];
    });
  }
}

function rowsAfter<C>(rows: IDBObjectStore, sequence: number) {
  const range = IDBKeyRange.lowerBound(sequence, true);
  return { keys: rows.getAllKeys(range), values: rows.getAll(range) as IDBRequest<(Row<C> | null)[]> };
}
