import type { App } from '../app.ts';
import type { Rejection } from '../rejection.ts';
import { messageOf } from '../rejection.ts';
import type { AppliedChange, ApplyReply, AttachReply, CatchUp, ChangeBatch, SequencedChange } from './messages.ts';
import { Outbox, type OutboxEntry } from './outbox.ts';

/** What the replica has to ask the session for next. */
export type Need = 0 | 1 | 2;
export const nothing = 0,
  catchUp = 1,
  attach = 2;

export type Refused<C> = readonly { entry: OutboxEntry<C>; rejection: Rejection }[];

const batchBytes = 60 * 1024;
const batchChanges = 1000;
const rememberedEpochs = 16;

/**
 * One client's copy of a session: the state as the session has confirmed it, this client's own changes on top, and the outbox
 * that holds them until they are durable. Pure: no clock, no calls. C#'s Replica in TypeScript, held to it by vectors.
 */
export class Replica<S, C> {
  readonly outbox = new Outbox<C>();

  epoch = 0;
  revision = 0;
  durableRevision = 0;

  /** The slices that are kept in sync; undefined for all. */
  slices: readonly string[] | undefined;

  /** Why changes that an earlier run left are not sent. */
  held: string | undefined;

  /** Sequences that have left the outbox since somebody last looked. */
  gone: number[] = [];

  readonly app: App<S, C>;
  readonly client: string;

  /** Epochs that are over, the last few: what is still heard of them is old. */
  private readonly pastEpochs: number[] = [];
  private lastEpoch = 0;

  /** The last sequence sent since the last attach. */
  private sent = 0;
  private lastSequence = 0;
  private confirmedState: S;
  private shown: S | undefined;

  constructor(app: App<S, C>, client: string) {
    this.app = app;
    this.client = client;
    this.confirmedState = app.initial;
  }

  /** What the user sees: the confirmed state with every own change on top that is not in it yet. */
  get visible(): S {
    return (this.shown ??= this.overlay());
  }

  get confirmed(): S {
    return this.confirmedState;
  }

  /** The first sequence the session will hear of next: the oldest not durable. */
  get firstOutstanding(): number {
    return this.outbox.all[0]?.sequence ?? this.lastSequence + 1;
  }

  /** Epochs have no order: they are named by the clocks of silos, of which one may be behind. */
  isPast(epoch: number): boolean {
    return epoch !== this.epoch && this.pastEpochs.includes(epoch);
  }

  /** Stands on a copy from now on: shown until the session has given its state, and asked for only what followed it. */
  restore(epoch: number, revision: number, confirmed: S): void {
    if (epoch !== this.epoch) this.unmark();
    [this.epoch, this.revision, this.confirmedState, this.shown] = [epoch, revision, confirmed, undefined];
    this.enterEpoch(epoch);
  }

  /** Other slices from now on. What is shown is no copy of them until the next attach has brought the whole state. */
  select(slices: readonly string[] | undefined): void {
    [this.slices, this.epoch] = [slices, 0];
  }

  /** Takes a change in, in the order of its sequence. False when it is there already. */
  add({ sequence, change }: SequencedChange<C>, { size = 0, isRecovered = false } = {}): boolean {
    const isLast = sequence > this.lastSequence;
    const entry: OutboxEntry<C> = { sequence, change, size, isRecovered, revision: undefined, isConfirmed: false };
    if (!this.outbox.add(entry)) return false;
    if (isLast) this.lastSequence = sequence;
    this.shown = isLast && this.shown !== undefined ? this.show(this.shown, entry) : undefined;
    return true;
  }

  /** Sequences up to this one are taken, by changes that are done. */
  skipTo(sequence: number): void {
    this.lastSequence = Math.max(this.lastSequence, sequence);
  }

  get hasUnsent(): boolean {
    return (this.outbox.last?.sequence ?? 0) > this.sent;
  }

  get lastSent(): number {
    return this.sent;
  }

  /** The next changes to send, or undefined when all have been sent. */
  nextBatch(): ChangeBatch<C> | undefined {
    const changes: SequencedChange<C>[] = [];
    let bytes = 0;
    for (let index = this.outbox.indexAfter(this.sent); index < this.outbox.length && changes.length < batchChanges; index++) {
      const { sequence, change, size, isRecovered } = this.outbox.all[index]!;
      if (this.held !== undefined && isRecovered) continue;
      if (changes.length > 0 && bytes + size > batchBytes) break;
      bytes += size;
      changes.push({ sequence, change });
    }
    return changes.length === 0 ? undefined : { client: this.client, epoch: this.epoch, after: this.sent, changes };
  }

  /**
   * The session has taken this client in; everything not durable is sent again. False when more has been seen since it was asked:
   * it has to be asked again, so that revisions only grow.
   */
  attached(reply: Pick<AttachReply<C>, 'state' | 'applied'>, seenRevision: number): boolean {
    const sameEpoch = reply.state.epoch === this.epoch;
    // A session that goes on below what it was told knows why, and asking again would not change it.
    if (!sameEpoch && reply.state.revision < this.revision && seenRevision < this.revision) return false;
    this.enterEpoch(reply.state.epoch);
    this.sent = this.firstOutstanding - 1;
    this.held = undefined;
    if (!sameEpoch) this.unmark();
    this.caughtUp(reply.state);
    for (const entry of this.outbox.all) {
      // In, or refused with a later one in: not to be shown twice, and the answer to sending it again says which.
      const slice = this.app.sliceOf(entry.change);
      if (reply.applied.some(each => each.slice === slice && each.sequence >= entry.sequence)) entry.revision ??= this.revision;
    }
    this.shown = undefined;
    return true;
  }

  /** The session has said what happened since the confirmed revision. */
  caughtUp(since: CatchUp<C>): Need {
    if (since.snapshot == null && since.epoch !== this.epoch) return attach;
    if (since.snapshot != null) {
      if (since.epoch === this.epoch && since.revision < this.revision) return nothing;
      this.confirmedState = this.app.hydrate(since.snapshot);
    } else if (!this.applyConfirmed(since.changes)) return attach;
    this.epoch = since.epoch;
    this.revision = since.snapshot == null ? Math.max(this.revision, since.revision) : since.revision;
    this.becameDurable(since.durableRevision);
    this.shown = undefined;
    return nothing;
  }

  /** The session has answered a batch. Refused changes leave the outbox. */
  replied(batch: ChangeBatch<C>, reply: ApplyReply): { need: Need; rejected: Refused<C> } {
    if (reply.result !== 'done' || reply.epoch !== this.epoch) return { need: attach, rejected: [] };
    this.sent = Math.max(this.sent, batch.changes.at(-1)!.sequence);
    const rejected: { entry: OutboxEntry<C>; rejection: Rejection }[] = [];
    for (const [index, { sequence }] of batch.changes.entries()) {
      const entry = this.outbox.find(sequence);
      if (!entry) continue;
      const { revision, rejection } = reply.outcomes[index]!;
      if (rejection) rejected.push({ entry, rejection });
      else confirm(entry, revision);
      // Until the state holds it, it is shown on top as before.
      if (rejection || this.isInState(entry)) this.shown = undefined;
    }
    this.remove(rejected);
    this.becameDurable(reply.durableRevision);
    return { need: nothing, rejected };
  }

  /**
   * The session takes none of a batch, and would not if it were sent again. The caller is told of its own changes. Those of an
   * earlier run have no caller: they stay until the session takes changes again.
   */
  withdraw(batch: ChangeBatch<C>, rejection: Rejection): Refused<C> {
    const withdrawn: { entry: OutboxEntry<C>; rejection: Rejection }[] = [];
    for (const { sequence } of batch.changes) {
      const entry = this.outbox.find(sequence);
      if (entry?.isRecovered) this.held = messageOf(rejection);
      else if (entry) withdrawn.push({ entry, rejection });
    }
    this.remove(withdrawn);
    this.sent = Math.max(this.sent, batch.after);
    this.shown = undefined;
    return withdrawn;
  }

  /** Changes that took the state from one revision to another. */
  changesApplied(from: number, to: number, changes: readonly AppliedChange<C>[]): Need {
    if (to <= this.revision) return nothing;
    if (from > this.revision) return catchUp;
    if (!this.applyConfirmed(changes)) return attach;
    this.revision = to;
    this.shown = undefined;
    this.settle();
    return nothing;
  }

  becameDurable(revision: number): void {
    this.durableRevision = Math.max(this.durableRevision, revision);
    this.settle();
  }

  /** Stands where the leader of the tabs stands. False when that does not follow from where this one stood. */
  mirror(now: Mirrored<S, C>): boolean {
    const follows = now.confirmed !== undefined || (now.epoch === this.epoch && (now.from ?? now.revision) <= this.revision);
    if (follows) {
      if (now.epoch !== this.epoch) this.unmark();
      this.enterEpoch(now.epoch);
      if (now.confirmed !== undefined) this.confirmedState = now.confirmed;
      else if (!this.applyConfirmed(now.changes ?? [])) return false;
      [this.epoch, this.revision, this.durableRevision] = [now.epoch, now.revision, now.durable];
      for (const [sequence, revision, isConfirmed] of now.marks) {
        const entry = this.outbox.find(sequence);
        if (entry) [entry.revision, entry.isConfirmed] = [revision, isConfirmed];
      }
    }
    this.drop(now.gone);
    return follows;
  }

  /** Takes changes out that are known to be done. */
  drop(sequences: readonly number[]): void {
    const gone = new Set(sequences);
    this.outbox.remove(new Set(this.outbox.all.filter(entry => gone.has(entry.sequence))));
    this.shown = undefined;
  }

  // What another epoch does not hold has to be applied again, at another revision.
  private unmark(): void {
    for (const entry of this.outbox.all) [entry.revision, entry.isConfirmed] = [undefined, false];
    this.durableRevision = 0;
  }

  private syncs(change: C): boolean {
    return this.slices === undefined || this.slices.includes(this.app.sliceOf(change)!);
  }

  private enterEpoch(epoch: number): void {
    if (epoch === this.lastEpoch) return;
    if (this.lastEpoch !== 0) this.pastEpochs.push(this.lastEpoch);
    if (this.pastEpochs.length > rememberedEpochs) this.pastEpochs.shift();
    this.lastEpoch = epoch;
  }

  /** False when a change that the session took cannot be applied here: the copies differ. */
  private applyConfirmed(changes: readonly AppliedChange<C>[]): boolean {
    for (const { revision, client, sequence, change } of changes) {
      if (revision <= this.revision) continue;
      if (this.app.sliceOf(change) === undefined) throw new UnknownChangeError(change);
      if (this.syncs(change)) {
        const { state, rejection } = this.app.reduce(this.confirmedState, change, this.slices);
        if (rejection) {
          // Without an epoch the next attach brings the whole state.
          this.epoch = 0;
          return false;
        }
        this.confirmedState = state;
      }
      const own = client === this.client ? this.outbox.find(sequence) : undefined;
      if (own) confirm(own, revision);
    }
    return true;
  }

  private overlay(): S {
    return this.outbox.all.reduce(
      (state, entry) => (this.isInState(entry) ? state : this.show(state, entry)),
      this.confirmedState,
    );
  }

  private show(state: S, { change }: OutboxEntry<C>): S {
    return this.syncs(change) ? this.app.reduce(state, change, this.slices).state : state;
  }

  private isInState({ revision }: OutboxEntry<C>): boolean {
    return revision !== undefined && revision <= this.revision;
  }

  // In order, and not before the confirmed state holds it: the user would see it vanish for a moment.
  private settle(): void {
    const done = new Set<OutboxEntry<C>>();
    for (const entry of this.outbox.all) {
      if (!entry.isConfirmed || !this.isInState(entry) || entry.revision! > this.durableRevision) break;
      done.add(entry);
    }
    for (const entry of this.outbox.all) {
      // What is never stored is done once it is applied: it neither waits for others to be stored nor is sent again.
      if (
        this.app.runtime !== undefined &&
        this.app.sliceOf(entry.change) === this.app.runtime &&
        entry.isConfirmed &&
        this.isInState(entry)
      )
        done.add(entry);
    }
    this.outbox.remove(done);
    this.leave([...done]);
  }

  private remove(refused: Refused<C>): void {
    this.outbox.remove(new Set(refused.map(({ entry }) => entry)));
    this.leave(refused.map(({ entry }) => entry));
  }

  private leave(entries: readonly OutboxEntry<C>[]): void {
    for (const { sequence } of entries) this.gone.push(sequence);
    this.gone.sort((one, other) => one - other);
  }
}

/** Where the leader of the tabs stands, and how that follows from where it stood. */
export interface Mirrored<S, C> {
  epoch: number;
  revision: number;
  durable: number;
  confirmed?: S;
  from?: number;
  changes?: readonly AppliedChange<C>[];
  marks: readonly (readonly [sequence: number, revision: number, isConfirmed: boolean])[];
  gone: readonly number[];
}

/** The session has taken a change that this version does not know: it cannot go on. */
export class UnknownChangeError extends Error {
  override readonly name = 'UnknownChangeError';

  constructor(change: unknown) {
    super(`The session has a change of unknown type '${(change as { type?: string })?.type}': this page is too old. Reload it.`);
  }
}

function confirm<C>(entry: OutboxEntry<C>, revision: number): void {
  entry.revision ??= revision;
  entry.isConfirmed = true;
}
