/** A change of this client on its way: kept until it is durable. */
export interface OutboxEntry<C> {
  readonly sequence: number;
  readonly change: C;
  /** Bytes of the change as JSON. */
  readonly size: number;
  /** Made by an earlier run of the client: nobody waits to hear what became of it. */
  readonly isRecovered: boolean;
  /** The revision at which it is in the session's state, once the session has said so. */
  revision: number | undefined;
  /** The session has said of this very change that it is in, in this epoch; until then it may have been refused. */
  isConfirmed: boolean;
}

/** A client's changes that are not durable, by growing sequence. */
export class Outbox<C> {
  private entries: OutboxEntry<C>[] = [];

  get all(): readonly OutboxEntry<C>[] {
    return this.entries;
  }

  get length(): number {
    return this.entries.length;
  }

  get last(): OutboxEntry<C> | undefined {
    return this.entries.at(-1);
  }

  /** Adds an entry in its place: another tab's may arrive late. False when it is there already. */
  add(entry: OutboxEntry<C>): boolean {
    const index = this.indexAfter(entry.sequence);
    if (this.entries[index - 1]?.sequence === entry.sequence) return false;
    this.entries.splice(index, 0, entry);
    return true;
  }

  find(sequence: number): OutboxEntry<C> | undefined {
    const entry = this.entries[this.indexAfter(sequence) - 1];
    return entry?.sequence === sequence ? entry : undefined;
  }

  /** The index of the first entry with a higher sequence. */
  indexAfter(sequence: number): number {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle]!.sequence <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  remove(gone: ReadonlySet<OutboxEntry<C>>): void {
    if (gone.size > 0) this.entries = this.entries.filter(entry => !gone.has(entry));
  }
}
