import type { Copy, Keep, Kept } from '../sync/keep.ts';
import type { SequencedChange } from '../sync/messages.ts';
import { isQuotaError } from './database.ts';

/** Sequences are taken in advance: where the storage is full later, none is ever given twice. */
const block = 1000;

/** Keeps a session in localStorage, a row for each change. For one tab: tabs cannot agree on numbers there. */
export class LocalStorageKeep<S, C> implements Keep<S, C> {
  readonly isShared = false;

  private readonly storage: Storage;
  readonly name: string;
  private readonly client: string;
  private unstored: SequencedChange<C>[] = [];
  private why: string | undefined;
  private last = 0;
  private reserved = 0;

  constructor(name: string, client: string, storage: Storage) {
    [this.name, this.client, this.storage] = [name, client, storage];
  }

  get kind() {
    return this.unstored.length > 0 ? 'memory' : 'localStorage';
  }

  get reason() {
    return this.unstored.length > 0 ? this.why : undefined;
  }

  async open(): Promise<Kept<S, C>> {
    const rows = this.rows();
    this.last = Math.max(this.read<number>('last') ?? 0, rows.at(-1)?.sequence ?? 0);
    this.reserve(1);
    return { client: this.client, copy: this.read<Copy<S>>('copy'), rows, last: this.last };
  }

  async append(changes: readonly C[]): Promise<number[]> {
    const added = changes.map((change, index) => ({ sequence: this.last + 1 + index, change }));
    this.reserve(changes.length);
    this.last += changes.length;
    for (const row of added) {
      try {
        this.write(`${row.sequence}`, row.change, true);
      } catch (failure) {
        this.why = `localStorage is full: ${(failure as Error).message}`;
        this.unstored.push(row);
      }
    }
    return added.map(row => row.sequence);
  }

  async after(sequence: number): Promise<SequencedChange<C>[]> {
    const rows = [...this.rows(), ...this.unstored].filter(row => row.sequence > sequence);
    return rows.sort((one, other) => one.sequence - other.sequence);
  }

  async remove(sequences: readonly number[]): Promise<void> {
    for (const sequence of sequences) this.storage.removeItem(this.key(`${sequence}`));
    const gone = new Set(sequences);
    this.unstored = this.unstored.filter(row => !gone.has(row.sequence));
  }

  async save(copy: Copy<S>): Promise<void> {
    this.write('copy', copy, false);
  }

  close(): void {}

  private reserve(count: number): void {
    if (this.last + count <= this.reserved) return;
    this.write('last', this.last + count + block, true);
    this.reserved = this.last + count + block;
  }

  private rows(): SequencedChange<C>[] {
    const prefix = this.key('');
    const rows: SequencedChange<C>[] = [];
    for (let index = 0; index < this.storage.length; index++) {
      const key = this.storage.key(index)!;
      const sequence = key.startsWith(prefix) ? Number(key.slice(prefix.length)) : NaN;
      const change = sequence > 0 ? this.read<C>(`${sequence}`) : undefined;
      if (change !== undefined) rows.push({ sequence, change });
    }
    return rows.sort((one, other) => one.sequence - other.sequence);
  }

  private write(name: string, value: unknown, isChange: boolean): void {
    const text = JSON.stringify(value);
    try {
      this.storage.setItem(this.key(name), text);
    } catch (failure) {
      if (!isQuotaError(failure) || !isChange) throw failure;
      // The session has the copy: a change that it does not have is worth more.
      this.storage.removeItem(this.key('copy'));
      this.storage.setItem(this.key(name), text);
    }
  }

  private read<T>(name: string): T | undefined {
    try {
      const text = this.storage.getItem(this.key(name));
      return text === null ? undefined : (JSON.parse(text) as T);
    } catch {
      // Damaged: as good as absent.
      return undefined;
    }
  }

  private key(name: string): string {
    return `${this.name}/${this.client}/${name}`;
  }
}
