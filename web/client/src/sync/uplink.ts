import { messageOf, type Rejection } from '../rejection.ts';
import type { AppliedChange, ChangeBatch, SaveStatus, SessionEvents } from './messages.ts';
import { within, type Platform } from './platform.ts';
import { attach, catchUp, nothing, UnknownChangeError, type Need, type Refused, type Replica } from './replica.ts';
import type { SessionOptions, SessionStatus } from './status.ts';
import { TransportError, type ClosedBecause, type Connection } from './transport.ts';

const firstDelay = 250;
const longestDelay = 10_000;
const longestDelayHidden = 60_000;
const authDelay = 30_000;
/** A silo that stops is not met again while it does. */
const delayAfterBye = 500;

/** Where the connection stands: the same for all tabs. */
export type Standing = Pick<SessionStatus, 'connection' | 'reason' | 'isLive' | 'clients' | 'crash' | 'notices'> & {
  save: SaveStatus;
};

/** How the confirmed state follows from where it stood. */
export interface Step<S, C> {
  confirmed?: S;
  from?: number;
  changes?: readonly AppliedChange<C>[];
}

/** What the uplink needs of its session. */
export interface Downside<S, C> {
  readonly replica: Replica<S, C> | undefined;
  /** Called before each call: brings in what other tabs kept. */
  beforeStep(): Promise<void>;
  stepped(step?: Step<S, C>, refused?: Refused<C>): void;
  /** Another connection has this client. False when there is no other tab to leave it to. */
  superseded(): boolean;
}

/** The side towards the session on the silo: one call at a time, tried again until it succeeds. */
export class Uplink<S, C> {
  standing: Standing = {
    connection: 'connecting',
    reason: undefined,
    isLive: false,
    clients: [],
    crash: undefined,
    notices: [],
    save: { state: 'saved' },
  };

  private readonly options: SessionOptions<S, C>;
  private readonly platform: Platform;
  private readonly session: Downside<S, C>;
  private isActive = false;
  private isPlugged = true;
  private connection: Connection<C> | undefined;
  private generation = 0;
  private need: Need = attach;
  private delay = firstDelay;
  private endDelay: (() => void) | undefined;
  private pumping = false;
  /** Something came up while the pump ran. */
  private again = false;
  private pauseFirst = false;

  constructor(options: SessionOptions<S, C>, session: Downside<S, C>) {
    [this.options, this.platform, this.session] = [options, options.platform, session];
  }

  /** This tab has the connection from now on, or no more. */
  activate(isActive: boolean): void {
    this.isActive = isActive;
    if (!isActive) return this.disconnect();
    this.delay = firstDelay;
    this.ask(attach);
  }

  /** Cuts the connection, and makes none until it is plugged again. */
  plug(isPlugged: boolean): void {
    if (this.isPlugged === isPlugged) return;
    this.isPlugged = isPlugged;
    if (isPlugged) return this.retry();
    this.disconnect();
    this.stand('offline', 'The plug is pulled.');
  }

  /** Tries to connect now. */
  retry(): void {
    if (this.standing.connection === 'refused') return;
    this.endDelay?.();
    this.pump();
  }

  /** Asks the session anew where things stand. */
  refresh(): void {
    this.ask(attach);
    this.retry();
  }

  /** Does what there is to do, if nothing is under way. */
  pump(): void {
    this.again = true;
    if (this.pumping || !this.canRun) return;
    this.pumping = true;
    void this.run();
  }

  /** Nothing more is sent; what is kept stays kept. */
  refuse(reason: string): void {
    this.disconnect();
    this.stand('refused', reason);
  }

  /** What came to nothing is tried again, after a pause. */
  async recover(failure: unknown): Promise<void> {
    const trouble =
      failure instanceof TransportError ? failure.trouble : failure instanceof UnknownChangeError ? 'refused' : 'gone';
    const reason = (failure as Error).message;
    // Whatever became of the call, the session is asked where things stand.
    this.ask(attach);
    if (trouble === 'refused') return this.refuse(reason);
    if (trouble !== 'unavailable' && trouble !== 'limited') this.disconnect();
    if (this.isPlugged) this.stand(trouble === 'needs-auth' ? 'needs-auth' : 'offline', reason);
    await this.pause(trouble === 'needs-auth' ? authDelay : this.delay);
    this.delay = Math.min(this.delay * 2, this.platform.isHidden() ? longestDelayHidden : longestDelay);
  }

  close(): void {
    this.isActive = false;
    this.endDelay?.();
    this.disconnect();
  }

  private get canRun(): boolean {
    return this.isActive && this.isPlugged && this.standing.connection !== 'refused';
  }

  private ask(need: Need): void {
    this.need = Math.max(this.need, need) as Need;
  }

  private async run(): Promise<void> {
    // Behind what waits already: changes that are made together go out together.
    await Promise.resolve();
    while (this.again && this.canRun) {
      let connection: Connection<C> | undefined;
      try {
        if (this.pauseFirst) await this.pause(this.delay);
        this.pauseFirst = false;
        if (!this.canRun) break;
        connection = this.connection ?? (await this.connect());
        if (connection !== this.connection) continue;
        this.again = false;
        while (connection === this.connection && (await this.step(connection))) this.delay = firstDelay;
      } catch (failure) {
        this.again = true;
        // The calls of a connection that was ended meanwhile say nothing of the next one.
        if (connection === undefined || connection === this.connection) await this.recover(failure);
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
    await this.session.beforeStep();
    if (this.need === attach) await this.attach(connection);
    else if (this.need === catchUp) await this.catchUp(connection);
    else {
      const batch = this.session.replica!.nextBatch();
      if (!batch) return false;
      await this.send(connection, batch);
    }
    return true;
  }

  private async attach(connection: Connection<C>): Promise<void> {
    const replica = this.session.replica!;
    const { device = 'browser', slices } = this.options;
    const request = {
      app: this.options.app.name,
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
      const { epoch, revision, state } = await this.within('Loading', connection.snapshot(slices), 4);
      if (connection !== this.connection) return;
      replica.restore(epoch, revision, this.options.app.hydrate(state));
      return this.ask(attach);
    }
    // A change that was kept meanwhile below the first that the session was told of would be a gap: once more.
    if (replica.firstOutstanding < request.nextSequence || !replica.attached(reply, request.seenRevision))
      return this.ask(attach);
    const { crash, notices, save, readOnly: reason } = reply;
    this.standing = { ...this.standing, connection: 'live', isLive: true, reason, crash, notices, save };
    this.session.stepped({ confirmed: replica.confirmed });
  }

  private async catchUp(connection: Connection<C>): Promise<void> {
    const replica = this.session.replica!;
    this.need = nothing;
    const { epoch, revision } = replica;
    const since = await this.within('Catching up', connection.since(epoch, revision));
    if (connection !== this.connection) return;
    // A snapshot of another epoch does not say which of our changes it holds; an attach does.
    this.ask(since.epoch === replica.epoch && !since.fetch ? replica.caughtUp(since) : attach);
    this.session.stepped({ confirmed: replica.confirmed });
  }

  private async send(connection: Connection<C>, batch: ChangeBatch<C>): Promise<void> {
    const replica = this.session.replica!;
    let refused: Rejection | undefined;
    const reply = await this.within('Sending', connection.apply(batch)).catch(failure => {
      if (!(failure instanceof TransportError) || failure.trouble !== 'invalid') throw failure;
      refused = { field: 'change', value: 'a change that the session cannot read', allowed: failure.message };
      return undefined;
    });
    if (connection !== this.connection) return;
    if (refused || reply!.result === 'refused') {
      // As a whole, for a reason that sending again does not mend: a read-only session, or a limit.
      return this.session.stepped({}, replica.withdraw(batch, refused ?? reply!.refused!));
    }
    if (reply!.result === 'superseded') return this.onClosed('superseded');
    const { need, rejected } = replica.replied(batch, reply!);
    this.ask(need);
    this.session.stepped({}, rejected);
  }

  private async pause(most: number): Promise<void> {
    await new Promise<void>(resolve => {
      const cancel = this.platform.clock.later(most * (0.5 + this.platform.random() / 2), resolve);
      this.endDelay = () => (cancel(), resolve());
    });
    this.endDelay = undefined;
  }

  private stand(connection: Standing['connection'], reason: string | undefined): void {
    this.standing = { ...this.standing, connection, reason, isLive: false };
    this.session.stepped();
  }

  private onClosed(why: ClosedBecause): void {
    this.disconnect();
    this.ask(attach);
    // Another connection has this client: of two leaders this is the one that was replaced.
    if (why === 'superseded') {
      this.pauseFirst = true;
      if (!this.session.superseded()) return this.refuse('Another tab goes on with the changes of this one. Reload it.');
      return this.stand('offline', undefined);
    }
    // A new token is there already, and the next connection at once: nothing to show.
    this.pauseFirst = why !== 'expired';
    if (why === 'stopping') this.delay = Math.max(this.delay, delayAfterBye);
    if (why !== 'expired') this.stand('offline', undefined);
    this.pump();
  }

  private onBehind(epoch: number, revision: number): void {
    const replica = this.session.replica!;
    if (replica.isPast(epoch)) return;
    if (epoch !== replica.epoch) this.ask(attach);
    else if (revision > replica.revision) this.ask(catchUp);
    this.pump();
  }

  private onEvents({ epoch, events }: SessionEvents<C>): void {
    const replica = this.session.replica!;
    if (replica.isPast(epoch)) return;
    if (epoch !== replica.epoch) {
      // Who is there is told once, and may come before the answer to the attach does.
      const last = events.findLast(event => event.type === 'presence');
      if (last) this.onEvent(replica, last);
      this.ask(replica.epoch === 0 ? catchUp : attach);
    } else {
      const from = replica.revision;
      const changes: AppliedChange<C>[] = [];
      try {
        for (const event of events) {
          if (event.type === 'changes') changes.push(...event.changes.filter(change => change.revision > replica.revision));
          this.onEvent(replica, event);
        }
      } catch (failure) {
        return this.refuse((failure as Error).message);
      }
      this.session.stepped(replica.epoch === epoch ? { from, changes } : {});
    }
    this.pump();
  }

  private onEvent(replica: Replica<S, C>, event: SessionEvents<C>['events'][number]): void {
    switch (event.type) {
      case 'changes':
        return this.ask(replica.changesApplied(event.fromRevision, event.toRevision, event.changes));
      case 'durable':
        replica.becameDurable(event.revision);
        this.standing = { ...this.standing, save: { state: 'saved' } };
        return;
      case 'status':
        this.standing = { ...this.standing, save: event.status };
        return;
      case 'presence':
        this.standing = { ...this.standing, clients: event.clients };
        return;
      case 'reset':
        return this.ask(attach);
    }
  }

  private within<T>(what: string, task: Promise<T>, times = 1): Promise<T> {
    return within(this.platform.clock, times * (this.options.callTimeout ?? 15_000), what, task);
  }
}
