import { ChangeRejectedError, type Rejection } from '../rejection.ts';
import type { SequencedChange } from './messages.ts';
import type { Light } from './status.ts';

/** A change of this page until it is durable. */
export interface Own<C> extends SettledBy {
  id: number;
  change: C;
  isApplied?: boolean;
}

interface SettledBy {
  kept: PromiseWithResolvers;
  applied: PromiseWithResolvers<number>;
  durable: PromiseWithResolvers;
}

interface PromiseWithResolvers<T = void> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (why: unknown) => void;
}

/** The changes that this page made, and whom to tell what becomes of them. */
export class OwnChanges<C> {
  /** Those that have no sequence yet: on top of all others. */
  readonly fresh: Own<C>[] = [];

  private readonly bySequence = new Map<number, Own<C>>();
  private readonly listeners = new Set<(light: Light<C>) => void>();
  private count = 0;

  make(change: C): Own<C> {
    return { id: ++this.count, change, ...settledBy() };
  }

  show(own: Own<C>): void {
    this.fresh.push(own);
    this.light(own, 'shown');
  }

  /** The first of the fresh ones are kept, under these sequences. */
  kept(sequences: readonly number[]): SequencedChange<C>[] {
    const batch = this.fresh.splice(0, sequences.length);
    for (const [index, own] of batch.entries()) {
      this.bySequence.set(sequences[index]!, own);
      this.light(own, 'kept');
      own.kept.resolve();
    }
    return batch.map(({ change }, index) => ({ sequence: sequences[index]!, change }));
  }

  has(sequence: number): boolean {
    return this.bySequence.has(sequence);
  }

  applied(sequence: number, revision: number): void {
    const own = this.bySequence.get(sequence);
    if (!own || own.isApplied) return;
    own.isApplied = true;
    own.applied.resolve(revision);
    this.light(own, 'applied');
  }

  durable(sequence: number, revision: number): void {
    this.applied(sequence, revision);
    const own = this.bySequence.get(sequence);
    if (!own) return;
    this.bySequence.delete(sequence);
    own.durable.resolve();
    this.light(own, 'durable');
  }

  rejected(sequence: number, rejection: Rejection): void {
    const own = this.bySequence.get(sequence);
    this.bySequence.delete(sequence);
    if (own) this.reject(own, rejection);
  }

  reject(own: Own<C>, rejection: Rejection): void {
    const error = new ChangeRejectedError(own.change, rejection);
    own.kept.reject(error);
    own.applied.reject(error);
    own.durable.reject(error);
    this.light(own, 'rejected', rejection);
  }

  /** When every change made so far is durable or refused. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.fresh, ...this.bySequence.values()].map(own => own.durable.promise));
  }

  onLight(listener: (light: Light<C>) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  light(own: Pick<Own<C>, 'id' | 'change'>, light: Light<C>['light'], rejection?: Rejection): void {
    for (const listener of this.listeners) listener({ change: own.change, id: own.id, light, ...(rejection && { rejection }) });
  }

  close(): void {
    this.listeners.clear();
  }
}

function settledBy(): SettledBy {
  const [kept, applied, durable] = [promised<void>(), promised<number>(), promised<void>()];
  // Not everybody waits for everything.
  for (const { promise } of [kept, applied, durable]) promise.catch(() => undefined);
  return { kept, applied, durable };
}

function promised<T>(): PromiseWithResolvers<T> {
  let [resolve, reject]: [(value: T) => void, (why: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<T>((done, failed) => ([resolve, reject] = [done, failed]));
  return { promise, resolve, reject };
}
