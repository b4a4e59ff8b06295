import type { SequencedChange } from './messages.ts';

/** Where a browser keeps a session: its own changes until they are durable, and the last confirmed state. */
export interface Keep<S, C> {
  readonly kind: StorageKind;
  /** Whether all tabs of the browser have the same one, and with it one client id. */
  readonly isShared: boolean;
  /** Why it is not a better one. */
  readonly reason?: string | undefined;
  /** Names the browser's copy of the session, where only the keep knows it: known once prepared. */
  readonly name?: string;
  /** Called before everything else. Rejects with a TransportError while it is not known whose changes these are. */
  prepare?(): Promise<void>;
  open(): Promise<Kept<S, C>>;
  /** Adds changes, all or none. Their sequences grow, across tabs. */
  append(changes: readonly C[]): Promise<number[]>;
  /** The changes with a higher sequence, in order. */
  after(sequence: number): Promise<SequencedChange<C>[]>;
  remove(sequences: readonly number[]): Promise<void>;
  save(copy: Copy<S>): Promise<void>;
  close(): void;
}

export type StorageKind = 'indexedDB' | 'localStorage' | 'memory';

/** The state of a session as it was confirmed. */
export interface Copy<S> {
  epoch: number;
  revision: number;
  state: S;
}

export interface Kept<S, C> {
  /** The browser's own id for itself and this session. */
  client: string;
  copy?: Copy<S> | undefined;
  rows: SequencedChange<C>[];
  /** The last sequence given. */
  last: number;
}

/** Keeps until the page closes. */
export class MemoryKeep<S, C> implements Keep<S, C> {
  readonly kind: StorageKind = 'memory';
  readonly isShared = false;
  private rows: SequencedChange<C>[] = [];
  private last = 0;
  private readonly client: string;

  constructor(client: string) {
    this.client = client;
  }

  async open(): Promise<Kept<S, C>> {
    return { client: this.client, rows: [...this.rows], last: this.last };
  }

  async append(changes: readonly C[]): Promise<number[]> {
    const added = changes.map(change => ({ sequence: ++this.last, change }));
    this.rows.push(...added);
    return added.map(row => row.sequence);
  }

  async after(sequence: number): Promise<SequencedChange<C>[]> {
    return this.rows.filter(row => row.sequence > sequence);
  }

  async remove(sequences: readonly number[]): Promise<void> {
    const gone = new Set(sequences);
    this.rows = this.rows.filter(row => !gone.has(row.sequence));
  }

  async save(): Promise<void> {}

  close(): void {}
}
