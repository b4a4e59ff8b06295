import { ChangeRejectedError, messageOf, type Rejection } from '../rejection.ts';
import { Leadership } from '../tabs/leadership.ts';
import type { Copy } from './keep.ts';
import type { AppliedChange, ChangeBatch, SaveStatus, SequencedChange, SessionEvents } from './messages.ts';
import { within, type Channel, type Platform } from './platform.ts';
import { attach, catchUp, nothing, Replica, UnknownChangeError, type Need, type Refused } from './replica.ts';
import { settledBy, type Own } from './own.ts';
import type { ConnectionState, Light, Pending, SessionOptions, SessionStatus } from './status.ts';
import { TransportError, type ClosedBecause, type Connection } from './transport.ts';

const firstDelay = 250;
const longestDelay = 10_000;
const longestDelayHidden = 60_000;
const authDelay = 30_000;
const copyDelay = 1_000;
const keepAgain = 1_000;
const mostPending = 10_000;
/** How often the leader looks for changes that a tab kept and could not tell of, because it ended. */
const lookEvery = 10_000;

/** What the leader tells the other tabs: where it stands, and how that follows from where it stood. */
interface Now<S, C> {
  tab: string;
  fromLeader: true;
  epoch: number;
  revision: number;
  durable: number;
  confirmed?: S;
  from?: number;
  changes?: readonly AppliedChange<C>[];
  marks: [sequence: number, revision: number, isConfirmed: boolean][];
  gone: number[];
  /** All changes up to a sequence that are not done: others are. */
  outstanding?: { upTo: number; sequences: number[] };
  rejected: [sequence: number, rejection: Rejection][];
  status: LeaderStatus;
}

type LeaderStatus = Pick<SessionStatus, 'connection' | 'reason' | 'isLive' | 'clients' | 'crash' | 'notices'> & {
  save: SaveStatus;
};

type Told<S, C> = Now<S, C> | { tab: string; rows: readonly SequencedChange<C>[] } | { tab: string; hello: true };

/**
 * A session as one tab of a browser sees it: changes show at once, are kept until they are durable, and sent again whatever ends
 * in between. All tabs show all changes; one of them, the leader, has the connection.
 */
export class Session<S, C> {
  private readonly options: SessionOptions<S, C>;
  private readonly platform: Platform;
  private readonly tab: string;
  private readonly listeners = new Set<() => void>();
  private readonly lightListeners = new Set<(light: Light<C>) => void>();
  private readonly cancels: (() => void)[] = [];

  private replica: Replica<S, C> | undefined;
  /** Changes that have no sequence yet: on top of all others. */
  private fresh: Own<C>[] = [];
  private readonly own = new Map<number, Own<C>>();
  /** What became of rows before they were heard of. */
  private readonly goneEarly = new Map<number, Rejection | undefined>();
  /** Sequences that are done, the last of them. */
  private readonly done = new Set<number>();
  private shown: { base: S; fresh: number; state: S } | undefined;
  private lights = 0;

  private channel: Channel | undefined;
  private leadership: Leadership | undefined;
  private isLeading = false;

  private connection: Connection<C> | undefined;
  private generation = 0;
  private need: Need = attach;
  private delay = firstDelay;
  private endDelay: (() => void) | undefined;
  private pumping = false;
  /** Something came up while the pump ran. */
  private again = false;
  private pauseFirst = false;
  private keeping = false;
  /** Every row up to this sequence is known. */
  private knownTo = 0;
  /** The highest sequence heard of. */
  private highest = 0;
  private hasHole = false;
  private readsAll = false;
  private endLook: (() => void) | undefined;
  private storageReason: string | undefined;
  private copyDue = false;
  private isClosed = false;

  private leader: LeaderStatus = {
    connection: 'connecting',
    reason: undefined,
    isLive: false,
    clients: [],
    crash: undefined,
    notices: [],
    save: { state: 'saved' },
  };
  private hydrated = false;
  private current: SessionStatus | undefined;

  constructor(options: SessionOptions<S, C>) {
    this.options = options;
    this.platform = options.platform;
    this.tab = options.platform.newId();
  }

  /** What the user sees. The initial state, with own changes, until the session has hydrated. */
  get state(): S {
    const base = this.replica?.visible ?? this.options.app.initial;
    if (this.shown?.base === base && this.shown.fresh === this.fresh.length) return this.shown.state;
    // A list that only grew shows on top of what was shown.
    const from = this.shown?.base === base && this.fresh.length > this.shown.fresh ? this.shown : { state: base, fresh: 0 };
    const state = this.fresh.slice(from.fresh).reduce((shown, { change }) => this.show(shown, change), from.state);
    this.shown = { base, fresh: this.fresh.length, state };
    return state;
  }

  get confirmed(): S {
    return this.replica?.confirmed ?? this.options.app.initial;
  }

  get status(): SessionStatus {
    return (this.current ??= this.describe());
  }

  /** Loads what is kept here, then reaches for the session. */
  async start(): Promise<void> {
    const { app, keep, name } = this.options;
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
    this.replica = replica;
    // What is never stored is not sent again by another page.
    const stale = kept.rows.filter(row => this.isRuntime(row.change)).map(row => row.sequence);
    if (stale.length > 0 && !isShared) void keep.remove(stale);
    this.takeRows(
      kept.rows.filter(row => isShared || !this.isRuntime(row.change)),
      true,
    );
    this.knownTo = kept.last;
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
    const own: Own<C> = { id: ++this.lights, change: this.options.app.normalize(change), ...settledBy() };
    const rejection = this.refusal(own.change);
    if (rejection) {
      this.reject(own, rejection);
    } else {
      this.fresh.push(own);
      this.light(own, 'shown');
      this.changed();
      void this.keepFresh();
    }
    return { kept: own.kept.promise, applied: own.applied.promise, durable: own.durable.promise };
  }

  /** Resolves when every change made here so far is durable. */
  async flush(): Promise<void> {
    await Promise.allSettled([...this.fresh, ...this.own.values()].map(own => own.durable.promise));
  }

  /** Listens to any change of the state or the status. Returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Listens to what becomes of this page's changes. */
  onLight(listener: (light: Light<C>) => void): () => void {
    this.lightListeners.add(listener);
    return () => void this.lightListeners.delete(listener);
  }

  /** Tries to connect now: after a sign-in, or when the user asks. */
  retry(): void {
    if (this.leader.connection === 'refused') return;
    this.endDelay?.();
    this.pump();
  }

  /** Asks the session anew where things stand. */
  async refresh(): Promise<void> {
    this.ask(attach);
    this.retry();
  }

  close(): void {
    if (this.isClosed) return;
    void this.saveCopy();
    this.isClosed = true;
    this.endDelay?.();
    this.endLook?.();
    this.leadership?.close();
    this.disconnect();
    this.channel?.close();
    this.options.keep.close();
    this.cancels.forEach(cancel => cancel());
    this.listeners.clear();
    this.lightListeners.clear();
  }

  // Changes of this tab

  private refusal(change: C): Rejection | undefined {
    const { app, slices } = this.options;
    const slice = app.sliceOf(change);
    if (this.isClosed) return { field: 'store', value: 'a closed store', allowed: 'an open store' };
    if (this.fresh.length + (this.replica?.outbox.length ?? 0) >= mostPending) {
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
      while (this.fresh.length > 0 && !this.isClosed) {
        const batch = [...this.fresh];
        const sequences = await this.options.keep.append(batch.map(own => own.change));
        this.storageReason = undefined;
        this.fresh.splice(0, batch.length);
        const rows = batch.map((own, index) => ({ sequence: (own.sequence = sequences[index]!), change: own.change }));
        for (const own of batch) {
          this.own.set(own.sequence!, own);
          this.light(own, 'kept');
          own.kept.resolve();
        }
        this.tell({ tab: this.tab, rows });
        this.takeRows(rows, false);
        this.changed();
        this.pump();
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

  private takeRows(rows: readonly SequencedChange<C>[], isRecovered: boolean, isRead = false): void {
    for (const row of rows) {
      this.highest = Math.max(this.highest, row.sequence);
      // Read, or told of, before it was taken out.
      if (this.done.has(row.sequence)) continue;
      // A tab that was frozen tells late: every row up to here was known, so this one is done.
      if (
        !isRead &&
        row.sequence <= this.knownTo &&
        !this.replica!.outbox.find(row.sequence) &&
        !this.goneEarly.has(row.sequence)
      ) {
        this.settle([], [row.sequence], []);
        continue;
      }
      if (row.sequence > this.knownTo + 1) this.hasHole = true;
      this.knownTo = this.hasHole ? this.knownTo : Math.max(this.knownTo, row.sequence);
      if (this.goneEarly.has(row.sequence)) this.settleEarly(row.sequence);
      else this.replica!.add(row, { size: sizeOf(row.change), isRecovered });
    }
    this.shown = undefined;
  }

  private settleEarly(sequence: number): void {
    const rejection = this.goneEarly.get(sequence);
    this.goneEarly.delete(sequence);
    this.settle([], [sequence], rejection ? [[sequence, rejection]] : []);
  }

  // Another tab may have kept a change before one that is known here: it has to be sent first.
  private async fillHole(): Promise<void> {
    const replica = this.replica!;
    const known = replica.outbox.all.map(entry => entry.sequence);
    const { highest } = this;
    const isWhole = this.readsAll;
    [this.hasHole, this.readsAll] = [false, false];
    const rows = await this.options.keep.after(isWhole ? 0 : this.knownTo);
    if (isWhole) {
      // What is not kept any more is done: the leader before this one knew.
      const kept = new Set(rows.map(row => row.sequence));
      const gone = known.filter(sequence => !kept.has(sequence));
      replica.drop(gone);
      this.settle([], gone, []);
    }
    this.takeRows(
      rows.filter(row => !replica.outbox.find(row.sequence)),
      true,
      true,
    );
    // What was heard of since the read began may have another before it.
    const readTo = Math.max(highest, rows.at(-1)?.sequence ?? 0);
    this.knownTo = Math.max(this.knownTo, readTo);
    this.hasHole = this.highest > readTo;
    // A tab that missed a message does not show for ever what is done.
    this.tell(this.now({ outstanding: this.outstanding() }));
  }

  // Tabs

  private lead(isLeading: boolean): void {
    this.isLeading = isLeading;
    if (!isLeading) this.disconnect();
    else {
      this.delay = firstDelay;
      this.ask(attach);
      this.readsAll = true;
      this.look();
    }
    this.changed();
  }

  private look(): void {
    if (!this.isLeading || this.isClosed) return;
    this.hasHole = true;
    this.pump();
    if (this.channel) {
      this.endLook?.();
      this.endLook = this.platform.clock.later(lookEvery, () => this.look());
    }
  }

  private hear(message: Told<S, C>): void {
    this.leadership?.hear(message as Parameters<Leadership['hear']>[0]);
    if ('rows' in message) {
      this.takeRows(message.rows, false);
      this.changed();
      this.pump();
    } else if ('hello' in message) {
      if (this.isLeading) this.tellAll();
    } else if ('fromLeader' in message && !this.isLeading) {
      this.follow(message);
    }
  }

  private follow(now: Now<S, C>): void {
    const { outbox } = this.replica!;
    const rejections = new Map(now.rejected);
    const { upTo = 0, sequences } = now.outstanding ?? {};
    const isOutstanding = new Set(sequences);
    const done = outbox.all.map(entry => entry.sequence).filter(sequence => sequence <= upTo && !isOutstanding.has(sequence));
    now.gone.push(...done);
    if (this.goneEarly.size > mostPending) this.goneEarly.clear();
    const unheard = now.gone.filter(sequence => !outbox.find(sequence) && !this.done.has(sequence));
    for (const sequence of unheard) this.goneEarly.set(sequence, rejections.get(sequence));
    try {
      if (!this.replica!.mirror(now)) this.tell({ tab: this.tab, hello: true });
      else this.hydrated ||= now.status.isLive;
    } catch (failure) {
      return this.refuse((failure as Error).message);
    }
    const heard = now.gone.filter(sequence => !this.goneEarly.has(sequence));
    this.settle(now.marks, heard, now.rejected);
    this.leader = now.status;
    this.changed();
  }

  private tell(message: Told<S, C>): void {
    this.channel?.post(message);
  }

  private tellAll(): void {
    if (this.channel && this.replica!.epoch !== 0) this.tell(this.now(this.whole()));
  }

  private whole(): Partial<Now<S, C>> {
    return { confirmed: this.replica!.confirmed, outstanding: this.outstanding() };
  }

  private outstanding(): NonNullable<Now<S, C>['outstanding']> {
    return { upTo: this.knownTo, sequences: this.replica!.outbox.all.map(entry => entry.sequence) };
  }

  private now(how: Partial<Now<S, C>>): Now<S, C> {
    const { epoch, revision, durableRevision: durable, outbox } = this.replica!;
    const marks: Now<S, C>['marks'] = [];
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
      status: this.leader,
      ...how,
    };
  }

  /** After each step: tells the other tabs, settles what is done, and keeps no longer what is durable. */
  private stepped(how: Partial<Now<S, C>> = {}, refused: Refused<C> = []): void {
    const replica = this.replica!;
    const gone = replica.gone.splice(0);
    const rejected = refused.map(({ entry, rejection }) => [entry.sequence, rejection] as [number, Rejection]);
    // Of what an earlier page left, nobody waits to hear.
    for (const { entry, rejection } of refused) {
      if (entry.isRecovered && !this.own.has(entry.sequence)) this.light({ id: 0, change: entry.change }, 'rejected', rejection);
    }
    const now = this.now({ ...how, gone, rejected });
    this.tell(now);
    this.settle(now.marks, gone, rejected);
    if (gone.length > 0) void this.options.keep.remove(gone).catch(() => undefined);
    if (how.changes || how.confirmed !== undefined) this.copySoon();
    this.changed();
  }

  private settle(marks: Now<S, C>['marks'], gone: readonly number[], rejected: Now<S, C>['rejected']): void {
    for (const [sequence, revision, isConfirmed] of marks) if (isConfirmed) this.applyOwn(this.own.get(sequence), revision);
    for (const [sequence, rejection] of rejected) {
      const own = this.own.get(sequence);
      this.own.delete(sequence);
      if (own) this.reject(own, rejection);
    }
    if (this.done.size > mostPending) this.done.clear();
    for (const sequence of gone) {
      this.settleOwn(sequence);
      this.done.add(sequence);
    }
  }

  private applyOwn(own: Own<C> | undefined, revision: number): void {
    if (!own || own.isApplied) return;
    own.isApplied = true;
    own.applied.resolve(revision);
    this.light(own, 'applied');
  }

  private settleOwn(sequence: number): void {
    const own = this.own.get(sequence);
    if (!own) return;
    this.own.delete(sequence);
    this.applyOwn(own, this.replica!.revision);
    own.durable.resolve();
    this.light(own, 'durable');
  }

  private reject(own: Own<C>, rejection: Rejection): void {
    const error = new ChangeRejectedError(own.change, rejection);
    own.kept.reject(error);
    own.applied.reject(error);
    own.durable.reject(error);
    this.light(own, 'rejected', rejection);
  }

  // The side towards the session: one call at a time, tried again until it succeeds.

  private ask(need: Need): void {
    this.need = Math.max(this.need, need) as Need;
  }

  private pump(): void {
    this.again = true;
    if (this.pumping || !this.isLeading || this.isClosed || this.leader.connection === 'refused') return;
    this.pumping = true;
    void this.run();
  }

  private async run(): Promise<void> {
    // Behind what waits already: changes that are made together go out together.
    await Promise.resolve();
    while (this.again && this.isLeading && !this.isClosed && this.leader.connection !== 'refused') {
      try {
        if (this.pauseFirst) await this.pause(this.delay);
        this.pauseFirst = false;
        const connection = this.connection ?? (await this.connect());
        if (connection !== this.connection) continue;
        this.again = false;
        while (connection === this.connection && (await this.step(connection))) this.delay = firstDelay;
      } catch (failure) {
        this.again = true;
        await this.recover(failure);
      }
    }
    this.pumping = false;
  }

  private async connect(): Promise<Connection<C>> {
    const generation = ++this.generation;
    const isCurrent = () => generation === this.generation;
    const opening = this.options.transport.open({
      events: events => isCurrent() && this.onEvents(events),
      behind: (epoch, revision) => isCurrent() && this.onBehind(epoch, revision),
      closed: why => isCurrent() && this.onClosed(why),
    });
    void opening.then(late => isCurrent() || late.close()).catch(() => undefined);
    const connection = await this.within('Connecting', opening);
    if (!isCurrent()) return connection;
    const { user } = this.options;
    if (user !== undefined && connection.user !== undefined && connection.user !== user) {
      connection.close();
      throw new TransportError('needs-auth', `The token is of another user than ${user}, whose changes these are.`);
    }
    this.connection = connection;
    this.ask(attach);
    return connection;
  }

  private disconnect(): void {
    this.generation++;
    this.connection?.close();
    this.connection = undefined;
  }

  /** Does what is next. False when there is nothing. */
  private async step(connection: Connection<C>): Promise<boolean> {
    if (this.hasHole) await this.fillHole();
    if (this.need === attach) await this.attach(connection);
    else if (this.need === catchUp) await this.catchUp(connection);
    else {
      const batch = this.replica!.nextBatch();
      if (!batch) return false;
      await this.send(connection, batch);
    }
    return true;
  }

  private async attach(connection: Connection<C>): Promise<void> {
    const replica = this.replica!;
    const { device = 'browser', slices } = this.options;
    const request = {
      client: replica.client,
      device,
      ...(slices && { slices }),
      epoch: replica.epoch,
      seenRevision: replica.revision,
      nextSequence: replica.firstOutstanding,
    };
    this.need = nothing;
    const reply = await this.within('Attaching', connection.attach(request));
    if (connection !== this.connection) return;
    if (reply.refused) throw new TransportError('refused', messageOf(reply.refused));
    if (reply.state.fetch) {
      const { epoch, revision, state } = await this.within('Loading', connection.snapshot(slices));
      if (connection !== this.connection) return;
      replica.restore(epoch, revision, this.options.app.hydrate(state));
      return this.ask(attach);
    }
    // A change that was kept meanwhile below the first that the session was told of would be a gap: once more.
    if (replica.firstOutstanding < request.nextSequence || !replica.attached(reply, request.seenRevision))
      return this.ask(attach);
    const { crash, notices, save, readOnly: reason } = reply;
    this.leader = { ...this.leader, connection: 'live', isLive: true, reason, crash, notices, save };
    this.hydrated = true;
    this.stepped(this.whole());
  }

  private async catchUp(connection: Connection<C>): Promise<void> {
    const replica = this.replica!;
    this.need = nothing;
    const { epoch, revision } = replica;
    const since = await this.within('Catching up', connection.since(epoch, revision));
    if (connection !== this.connection) return;
    // A snapshot of another epoch does not say which of our changes it holds; an attach does.
    this.ask(since.epoch === replica.epoch && !since.fetch ? replica.caughtUp(since) : attach);
    this.stepped({ confirmed: replica.confirmed });
  }

  private async send(connection: Connection<C>, batch: ChangeBatch<C>): Promise<void> {
    const replica = this.replica!;
    let refused: Rejection | undefined;
    const reply = await this.within('Sending', connection.apply(batch)).catch(failure => {
      if (!(failure instanceof TransportError) || failure.trouble !== 'invalid') throw failure;
      refused = { field: 'change', value: 'a change that the session cannot read', allowed: failure.message };
      return undefined;
    });
    if (connection !== this.connection) return;
    if (refused || reply!.result === 'refused') {
      // As a whole, for a reason that sending again does not mend: a read-only session, or a limit.
      this.stepped({}, replica.withdraw(batch, refused ?? reply!.refused!));
      return;
    }
    const { need, rejected } = replica.replied(batch, reply!);
    this.ask(need);
    this.stepped({}, rejected);
  }

  private async recover(failure: unknown): Promise<void> {
    const trouble =
      failure instanceof TransportError ? failure.trouble : failure instanceof UnknownChangeError ? 'refused' : 'gone';
    const reason = (failure as Error).message;
    // Whatever became of the call, the session is asked where things stand.
    this.ask(attach);
    if (trouble === 'refused') return this.refuse(reason);
    if (trouble !== 'unavailable' && trouble !== 'limited') this.disconnect();
    this.stand(trouble === 'needs-auth' ? 'needs-auth' : 'offline', reason);
    await this.pause(trouble === 'needs-auth' ? authDelay : this.delay);
    this.delay = Math.min(this.delay * 2, this.platform.isHidden() ? longestDelayHidden : longestDelay);
  }

  private async pause(most: number): Promise<void> {
    await new Promise<void>(resolve => {
      const cancel = this.platform.clock.later(most * (0.5 + this.platform.random() / 2), resolve);
      this.endDelay = () => (cancel(), resolve());
    });
    this.endDelay = undefined;
  }

  /** Nothing more is sent; what is kept stays kept. */
  private refuse(reason: string): void {
    this.disconnect();
    this.stand('refused', reason);
  }

  private stand(connection: ConnectionState, reason: string | undefined): void {
    this.leader = { ...this.leader, connection, reason, isLive: false };
    this.stepped();
  }

  private onClosed(why: ClosedBecause): void {
    this.disconnect();
    this.ask(attach);
    this.pauseFirst = why !== 'expired';
    this.stand(why === 'expired' ? 'connecting' : 'offline', undefined);
    // Another connection has this client: of two leaders this is the one that was replaced.
    if (why === 'superseded' && this.leadership) return this.leadership.resign();
    this.pump();
  }

  private onBehind(epoch: number, revision: number): void {
    const replica = this.replica!;
    if (replica.isPast(epoch)) return;
    if (epoch !== replica.epoch) this.ask(attach);
    else if (revision > replica.revision) this.ask(catchUp);
    this.pump();
  }

  private onEvents({ epoch, events }: SessionEvents<C>): void {
    const replica = this.replica!;
    if (replica.isPast(epoch)) return;
    if (epoch !== replica.epoch) this.ask(replica.epoch === 0 ? catchUp : attach);
    else {
      const from = replica.revision;
      const changes: AppliedChange<C>[] = [];
      try {
        for (const event of events) {
          if (event.type === 'changes') changes.push(...event.changes.filter(change => change.revision > replica.revision));
          this.onEvent(event);
        }
      } catch (failure) {
        return this.refuse((failure as Error).message);
      }
      this.stepped(replica.epoch === epoch ? { from, changes } : {});
    }
    this.pump();
  }

  private onEvent(event: SessionEvents<C>['events'][number]): void {
    switch (event.type) {
      case 'changes':
        return this.ask(this.replica!.changesApplied(event.fromRevision, event.toRevision, event.changes));
      case 'durable':
        this.replica!.becameDurable(event.revision);
        this.leader = { ...this.leader, save: { state: 'saved' } };
        return;
      case 'status':
        this.leader = { ...this.leader, save: event.status };
        return;
      case 'presence':
        this.leader = { ...this.leader, clients: event.clients };
        return;
      case 'reset':
        return this.ask(attach);
    }
  }

  private within<T>(what: string, task: Promise<T>): Promise<T> {
    return within(this.platform.clock, this.options.callTimeout ?? 15_000, what, task);
  }

  // What is kept, shown and told

  private wake(): void {
    if (this.platform.isHidden()) void this.saveCopy();
    else if (this.leader.connection === 'offline') this.retry();
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
    await this.options.keep.save({ epoch, revision, state } satisfies Copy<S>).catch(() => undefined);
  }

  private isRuntime(change: C): boolean {
    const { app } = this.options;
    return app.runtime !== undefined && app.sliceOf(change) === app.runtime;
  }

  private show(state: S, change: C): S {
    return this.options.app.reduce(state, change, this.options.slices).state;
  }

  private light(own: Pick<Own<C>, 'id' | 'change'>, light: Light<C>['light'], rejection?: Rejection): void {
    for (const listener of this.lightListeners)
      listener({ change: own.change, id: own.id, light, ...(rejection && { rejection }) });
  }

  private changed(): void {
    this.current = undefined;
    for (const listener of [...this.listeners]) listener();
  }

  private describe(): SessionStatus {
    const { save, ...leader } = this.leader;
    const pending = this.fresh.length + (this.replica?.outbox.length ?? 0);
    const held = this.replica?.held;
    const saving = save.state === 'failing' || held !== undefined ? 'failing' : pending > 0 ? 'saving' : save.state;
    return {
      ...leader,
      reason: leader.reason ?? held ?? save.failure,
      hasHydrated: this.hydrated,
      saving,
      pending,
      kept: this.fresh.length === 0 && (pending === 0 || this.options.keep.kind !== 'memory'),
      storage: this.options.keep.kind,
      storageReason: this.storageReason,
      isLeader: this.isLeading,
    };
  }
}

const sizeOf = (change: unknown): number => JSON.stringify(change).length;
