import { type Rejection } from '../rejection.ts';
import { Leadership } from '../tabs/leadership.ts';
import type { SequencedChange } from './messages.ts';
import { OwnChanges } from './own.ts';
import type { Channel, Platform } from './platform.ts';
import { Replica, type Refused } from './replica.ts';
import { Rows } from './rows.ts';
import type { Light, Pending, SessionOptions, SessionStatus } from './status.ts';
import { Uplink, type Downside, type Standing, type Step } from './uplink.ts';

const copyDelay = 1_000;
const keepAgain = 1_000;
const mostPending = 10_000;
/** How often the leader looks for changes that a tab kept and could not tell of, because it ended. */
const lookEvery = 10_000;

type Marks = [sequence: number, revision: number, isConfirmed: boolean][];
type Rejected = [sequence: number, rejection: Rejection][];

/** What the leader tells the other tabs: where it stands, and how that follows from where it stood. */
interface Now<S, C> extends Step<S, C> {
  tab: string;
  fromLeader: true;
  epoch: number;
  revision: number;
  durable: number;
  marks: Marks;
  gone: number[];
  outstanding?: Rows<S, C>['outstanding'];
  rejected: Rejected;
  standing: Standing;
}

type Told<S, C> =
  | Now<S, C>
  | { tab: string; rows: readonly SequencedChange<C>[] }
  | { tab: string; hello: true }
  | { tab: string; plug: boolean };

/**
 * A session as one tab of a browser sees it: changes show at once, are kept until they are durable, and sent again whatever ends
 * in between. All tabs show all changes; one of them, the leader, has the connection.
 */
export class Session<S, C> implements Downside<S, C> {
  replica: Replica<S, C> | undefined;

  private readonly options: SessionOptions<S, C>;
  private readonly platform: Platform;
  private readonly tab: string;
  private readonly listeners = new Set<() => void>();
  private readonly cancels: (() => void)[] = [];
  private readonly own = new OwnChanges<C>();
  private readonly uplink: Uplink<S, C>;
  private rows: Rows<S, C> | undefined;
  private channel: Channel | undefined;
  private leadership: Leadership | undefined;
  private isLeading = false;
  private shown: { base: S; fresh: number; state: S } | undefined;
  private keeping = false;
  private endLook: (() => void) | undefined;
  private storageReason: string | undefined;
  private copyDue = false;
  private isStarted = false;
  private isClosed = false;
  private hydrated = false;
  private current: SessionStatus | undefined;

  constructor(options: SessionOptions<S, C>) {
    this.options = options;
    this.platform = options.platform;
    this.tab = options.platform.newId();
    this.uplink = new Uplink(options, this);
  }

  /** What the user sees. The initial state, with own changes, until the session has hydrated. */
  get state(): S {
    const base = this.replica?.visible ?? this.options.app.initial;
    const { fresh } = this.own;
    if (this.shown?.base === base && this.shown.fresh === fresh.length) return this.shown.state;
    // A list that only grew shows on top of what was shown.
    const from = this.shown?.base === base && fresh.length > this.shown.fresh ? this.shown : { state: base, fresh: 0 };
    const state = fresh.slice(from.fresh).reduce((shown, { change }) => this.show(shown, change), from.state);
    this.shown = { base, fresh: fresh.length, state };
    return state;
  }

  get confirmed(): S {
    return this.replica?.confirmed ?? this.options.app.initial;
  }

  /** The same reference until something changes. */
  get status(): SessionStatus {
    return (this.current ??= this.describe());
  }

  /** Loads what is kept here, then reaches for the session. Once. */
  async start(): Promise<void> {
    if (this.isStarted || this.isClosed) return;
    this.isStarted = true;
    const { app, keep } = this.options;
    if (!(await this.prepare())) return;
    const name = this.options.name ?? keep.name ?? '';
    const isShared = keep.isShared && this.platform.locks !== undefined && this.platform.channel !== undefined;
    // Listening first: what the other tabs do while this one loads is not missed.
    const early: Told<S, C>[] = [];
    if (isShared) {
      this.channel = this.platform.channel!(name);
      this.channel.listen(message => (this.replica ? this.hear(message) : early.push(message)));
    }
    const kept = await keep.open();
    if (this.isClosed) return;
    const replica = new Replica<S, C>(app, kept.client);
    replica.slices = this.options.slices;
    replica.skipTo(kept.last);
    if (kept.copy) replica.restore(kept.copy.epoch, kept.copy.revision, app.hydrate(kept.copy.state));
    this.hydrated = kept.copy !== undefined;
    this.rows = new Rows(replica, keep, kept.last, (gone, rejected) => this.settle([], gone, rejected));
    // What is never stored is not sent again by another page.
    const stale = kept.rows.filter(row => this.isRuntime(row.change)).map(row => row.sequence);
    if (stale.length > 0 && !isShared) void keep.remove(stale);
    this.rows.take(
      kept.rows.filter(row => isShared || !this.isRuntime(row.change)),
      true,
      true,
    );
    this.replica = replica;
    early.forEach(message => this.hear(message));
    this.cancels.push(this.platform.onWake(() => this.wake()));
    if (this.channel) {
      this.leadership = new Leadership(this.platform, name, this.tab, this.channel, isLeading => this.lead(isLeading));
      this.leadership.start();
      this.tell({ tab: this.tab, hello: true });
    } else {
      this.lead(true);
    }
    void this.keepFresh();
    this.changed();
  }

  /** Makes a change: it shows at once. */
  dispatch(change: C): Pending {
    const own = this.own.make(this.options.app.normalize(change));
    const rejection = this.refusal(own.change);
    if (rejection) {
      this.own.reject(own, rejection);
    } else {
      this.own.show(own);
      this.changed();
      void this.keepFresh();
    }
    return { kept: own.kept.promise, applied: own.applied.promise, durable: own.durable.promise };
  }

  /** Resolves when every change made here so far is durable. */
  flush(): Promise<void> {
    return this.own.settled();
  }

  /** Listens to any change of the state or the status. Returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Listens to what becomes of this page's changes. */
  onLight(listener: (light: Light<C>) => void): () => void {
    return this.own.onLight(listener);
  }

  /** Tries to connect now: after a sign-in, or when the user asks. */
  retry(): void {
    this.uplink.retry();
  }

  /** Asks the session anew where things stand. */
  async refresh(): Promise<void> {
    this.uplink.refresh();
  }

  /** Cuts the connection of all tabs, and makes none until it is plugged again. */
  plug(isPlugged: boolean): void {
    this.uplink.plug(isPlugged);
    this.tell({ tab: this.tab, plug: isPlugged });
  }

  close(): void {
    if (this.isClosed) return;
    void this.saveCopy();
    this.isClosed = true;
    this.endLook?.();
    this.leadership?.close();
    this.uplink.close();
    this.channel?.close();
    this.options.keep.close();
    this.cancels.forEach(cancel => cancel());
    this.listeners.clear();
    this.own.close();
  }

  // Changes of this tab

  /** False when there is nothing to go on with. */
  private async prepare(): Promise<boolean> {
    const { uplink } = this;
    while (!this.isClosed && uplink.standing.connection !== 'refused') {
      try {
        await this.options.keep.prepare?.();
        return !this.isClosed;
      } catch (failure) {
        await uplink.recover(failure);
      }
    }
    return false;
  }

  private refusal(change: C): Rejection | undefined {
    const { app, slices } = this.options;
    const slice = app.sliceOf(change);
    if (this.isClosed) return { field: 'store', value: 'a closed store', allowed: 'an open store' };
    if (this.pending >= mostPending) {
      const value = `more than ${mostPending} changes`;
      return { field: 'outbox', value, allowed: `up to ${mostPending} changes that are not stored yet` };
    }
    if (slices && slice !== undefined && !slices.includes(slice)) {
      return { field: 'slice', value: `a change of ${slice}`, allowed: `changes of the slices in sync: ${slices.join(', ')}` };
    }
    // Before hydration only the session can tell.
    return this.hydrated || slice === undefined ? app.reduce(this.state, change, slices).rejection : undefined;
  }

  private async keepFresh(): Promise<void> {
    if (this.keeping || !this.replica) return;
    this.keeping = true;
    try {
      while (this.own.fresh.length > 0 && !this.isClosed) {
        const sequences = await this.options.keep.append(this.own.fresh.map(own => own.change));
        this.storageReason = undefined;
        const rows = this.own.kept(sequences);
        this.tell({ tab: this.tab, rows });
        this.rows!.take(rows, false);
        this.shown = undefined;
        this.changed();
        this.uplink.pump();
        if (this.channel && !this.isLeading) this.leadership?.check();
      }
    } catch (failure) {
      // They still show, and are kept as soon as that is possible.
      this.storageReason = (failure as Error).message;
      this.cancels.push(this.platform.clock.later(keepAgain, () => void this.keepFresh()));
      this.changed();
    } finally {
      this.keeping = false;
    }
  }

  private settle(marks: Marks, gone: readonly number[], rejected: readonly (readonly [number, Rejection])[]): void {
    for (const [sequence, revision, isConfirmed] of marks) if (isConfirmed) this.own.applied(sequence, revision);
    for (const [sequence, rejection] of rejected) this.own.rejected(sequence, rejection);
    const revision = this.replica?.revision ?? 0;
    for (const sequence of gone) this.own.durable(sequence, revision);
    this.rows?.finish(gone);
  }

  // Tabs

  private lead(isLeading: boolean): void {
    this.isLeading = isLeading;
    this.uplink.activate(isLeading);
    if (isLeading) this.look(true);
    this.changed();
  }

  private look(all = false): void {
    if (!this.isLeading || this.isClosed) return;
    this.rows!.suspect(all);
    this.uplink.pump();
    if (this.channel) {
      this.endLook?.();
      this.endLook = this.platform.clock.later(lookEvery, () => this.look());
    }
  }

  private hear(message: Told<S, C>): void {
    this.leadership?.hear(message as Parameters<Leadership['hear']>[0]);
    if ('rows' in message) {
      this.rows!.take(message.rows, false);
      this.shown = undefined;
      this.changed();
      this.uplink.pump();
    } else if ('hello' in message) {
      if (this.isLeading) this.tellAll();
    } else if ('plug' in message) {
      this.uplink.plug(message.plug);
    } else if ('fromLeader' in message && !this.isLeading) {
      this.follow(message);
    }
  }

  private follow(now: Now<S, C>): void {
    const replica = this.replica!;
    const gone = this.rows!.heard(now.gone, new Map(now.rejected), now.outstanding ?? { upTo: 0, sequences: [] });
    try {
      if (!replica.mirror({ ...now, gone })) this.tell({ tab: this.tab, hello: true });
      else this.hydrated ||= now.standing.isLive;
    } catch (failure) {
      return this.uplink.refuse((failure as Error).message);
    }
    this.settle(now.marks, gone, now.rejected);
    this.uplink.standing = now.standing;
    this.changed();
  }

  private tell(message: Told<S, C>): void {
    this.channel?.post(message);
  }

  private tellAll(): void {
    if (this.channel && this.replica!.epoch !== 0) this.tell(this.now({ confirmed: this.replica!.confirmed }));
  }

  private now(how: Partial<Now<S, C>>): Now<S, C> {
    const { epoch, revision, durableRevision: durable, outbox } = this.replica!;
    const marks: Marks = [];
    for (const { sequence, revision: at, isConfirmed } of outbox.all)
      if (at !== undefined) marks.push([sequence, at, isConfirmed]);
    return {
      tab: this.tab,
      fromLeader: true,
      epoch,
      revision,
      durable,
      marks,
      gone: [],
      rejected: [],
      standing: this.uplink.standing,
      // With a whole state goes what is on top of it.
      ...('confirmed' in how && { outstanding: this.rows!.outstanding }),
      ...how,
    };
  }

  // What the uplink calls

  async beforeStep(): Promise<void> {
    // A tab that missed a message does not show for ever what is done.
    if (await this.rows!.fill()) this.tell(this.now({ outstanding: this.rows!.outstanding }));
  }

  /** After each step: tells the other tabs, settles what is done, and keeps no longer what is durable. */
  stepped(step: Step<S, C> = {}, refused: Refused<C> = []): void {
    const { replica } = this;
    if (!replica) return this.changed();
    this.hydrated ||= this.uplink.standing.isLive;
    const gone = replica.gone.splice(0);
    const rejected = refused.map(({ entry, rejection }) => [entry.sequence, rejection] as [number, Rejection]);
    // Of what an earlier page left, nobody waits to hear.
    for (const { entry, rejection } of refused) {
      if (entry.isRecovered && !this.own.has(entry.sequence))
        this.own.light({ id: 0, change: entry.change }, 'rejected', rejection);
    }
    const now = this.now({ ...step, gone, rejected });
    if (this.isLeading) this.tell(now);
    this.settle(now.marks, gone, rejected);
    if (gone.length > 0) void this.options.keep.remove(gone).catch(() => undefined);
    if (step.changes || step.confirmed !== undefined) this.copySoon();
    this.changed();
  }

  superseded(): boolean {
    this.leadership?.resign();
    return this.leadership !== undefined;
  }

  // What is kept, shown and told

  private wake(): void {
    if (this.platform.isHidden()) void this.saveCopy();
    else if (this.uplink.standing.connection === 'offline') this.retry();
  }

  private copySoon(): void {
    if (this.copyDue) return;
    this.copyDue = true;
    this.cancels.push(this.platform.clock.later(copyDelay, () => void this.saveCopy()));
  }

  private async saveCopy(): Promise<void> {
    const { replica } = this;
    if (!this.copyDue || !replica || replica.epoch === 0 || this.isClosed) return;
    this.copyDue = false;
    const { epoch, revision, confirmed: state } = replica;
    await this.options.keep.save({ epoch, revision, state }).catch(() => undefined);
  }

  private isRuntime(change: C): boolean {
    const { app } = this.options;
    return app.runtime !== undefined && app.sliceOf(change) === app.runtime;
  }

  private show(state: S, change: C): S {
    return this.options.app.reduce(state, change, this.options.slices).state;
  }

  private changed(): void {
    this.current = undefined;
    for (const listener of [...this.listeners]) listener();
  }

  private get pending(): number {
    return this.own.fresh.length + (this.replica?.outbox.length ?? 0);
  }

  private describe(): SessionStatus {
    const { save, ...standing } = this.uplink.standing;
    const { pending } = this;
    const { keep } = this.options;
    const held = this.replica?.held;
    const saving = save.state === 'failing' || held !== undefined ? 'failing' : pending > 0 ? 'saving' : save.state;
    return {
      ...standing,
      reason: standing.reason ?? held ?? save.failure,
      hasHydrated: this.hydrated,
      saving,
      pending,
      kept: this.own.fresh.length === 0 && (pending === 0 || keep.kind !== 'memory'),
      storage: keep.kind,
      storageReason: this.storageReason ?? keep.reason,
      isLeader: this.isLeading,
    };
  }
}
