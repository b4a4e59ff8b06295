import type { Rejection } from '../rejection.ts';
import type { Keep } from './keep.ts';
import type { SequencedChange } from './messages.ts';
import type { Replica } from './replica.ts';

const mostRemembered = 10_000;

/** Tells the page's own changes what became of rows. */
export type Settle = (gone: readonly number[], rejected: readonly (readonly [sequence: number, rejection: Rejection])[]) => void;

/**
 * The rows of the browser's outbox, as far as they are known in this tab: tabs tell of them late, twice and out of order, and may
 * end before they do.
 */
export class Rows<S, C> {
  private readonly replica: Replica<S, C>;
  private readonly keep: Keep<S, C>;
  private readonly settle: Settle;

  /** What became of rows before they were heard of. */
  private readonly goneEarly = new Map<number, Rejection | undefined>();
  /** Sequences that are done, the last of them. */
  private readonly done = new Set<number>();
  /** Every row up to this sequence is known. */
  private knownTo: number;
  /** The highest sequence heard of. */
  private highest = 0;
  private hasHole = false;
  private readsAll = false;

  constructor(replica: Replica<S, C>, keep: Keep<S, C>, last: number, settle: Settle) {
    [this.replica, this.keep, this.knownTo, this.settle] = [replica, keep, last, settle];
  }

  /** Changes up to a sequence that are not done: all others are. */
  get outstanding(): { upTo: number; sequences: number[] } {
    return { upTo: this.knownTo, sequences: this.replica.outbox.all.map(entry => entry.sequence) };
  }

  /** There may be rows that nobody told of. @param all Also below those that are known. */
  suspect(all: boolean): void {
    this.hasHole = true;
    this.readsAll ||= all;
  }

  /** @param isRecovered Left by an earlier page. @param isRead From the keep itself. */
  take(rows: readonly SequencedChange<C>[], isRecovered: boolean, isRead = false): void {
    for (const row of rows) {
      const { sequence } = row;
      this.highest = Math.max(this.highest, sequence);
      // Read, or told of, before it was taken out.
      if (this.done.has(sequence)) continue;
      const isEarly = this.goneEarly.has(sequence);
      // A tab that was frozen tells late: every row up to here was known, so this one is done.
      if (!isRead && sequence <= this.knownTo && !this.replica.outbox.find(sequence) && !isEarly) {
        this.settle([sequence], []);
        continue;
      }
      if (sequence > this.knownTo + 1) this.hasHole = true;
      this.knownTo = this.hasHole ? this.knownTo : Math.max(this.knownTo, sequence);
      if (isEarly) this.settleEarly(sequence);
      else this.replica.add(row, { size: sizeOf(row.change), isRecovered });
    }
  }

  /** Reads what may be missing: another tab may have kept a change before one that is known here, and it has to be sent first. */
  async fill(): Promise<boolean> {
    if (!this.hasHole) return false;
    const known = this.replica.outbox.all.map(entry => entry.sequence);
    const { highest, readsAll } = this;
    [this.hasHole, this.readsAll] = [false, false];
    let rows: SequencedChange<C>[];
    try {
      rows = await this.keep.after(readsAll ? 0 : this.knownTo);
    } catch (failure) {
      this.suspect(readsAll);
      throw failure;
    }
    if (readsAll) {
      // What is not kept any more is done: the leader before this one knew.
      const kept = new Set(rows.map(row => row.sequence));
      const gone = known.filter(sequence => !kept.has(sequence));
      this.replica.drop(gone);
      this.settle(gone, []);
    }
    this.take(
      rows.filter(row => !this.replica.outbox.find(row.sequence)),
      true,
      true,
    );
    // What was heard of since the read began may have another before it.
    const readTo = Math.max(highest, rows.at(-1)?.sequence ?? 0);
    this.knownTo = Math.max(this.knownTo, readTo);
    this.hasHole = this.highest > readTo;
    return true;
  }

  /**
   * The leader says what is done: also of rows that were not heard of yet, which are settled once they are.
   * @returns The sequences that were known.
   */
  heard(
    gone: readonly number[],
    rejections: ReadonlyMap<number, Rejection>,
    { upTo, sequences }: Rows<S, C>['outstanding'],
  ): number[] {
    const isOutstanding = new Set(sequences);
    const { outbox } = this.replica;
    const over = outbox.all.map(entry => entry.sequence).filter(sequence => sequence <= upTo && !isOutstanding.has(sequence));
    if (this.goneEarly.size > mostRemembered) this.goneEarly.clear();
    for (const sequence of gone) {
      if (!outbox.find(sequence) && !this.done.has(sequence)) this.goneEarly.set(sequence, rejections.get(sequence));
    }
    return [...gone, ...over].filter(sequence => !this.goneEarly.has(sequence));
  }

  /** These are done. */
  finish(sequences: readonly number[]): void {
    if (this.done.size > mostRemembered) this.done.clear();
    for (const sequence of sequences) this.done.add(sequence);
  }

  private settleEarly(sequence: number): void {
    const rejection = this.goneEarly.get(sequence);
    this.goneEarly.delete(sequence);
    this.settle([sequence], rejection ? [[sequence, rejection]] : []);
  }
}

const sizeOf = (change: unknown): number => JSON.stringify(change).length;
