import type { App } from '../../src/app.ts';
import type { AppliedChange, AttachReply, CatchUp, ChangeBatch, SessionEvent } from '../../src/sync/messages.ts';
import {
  TransportError,
  type ClosedBecause,
  type Connection,
  type ConnectionEvents,
  type Transport,
} from '../../src/sync/transport.ts';
import type { Random } from '../random.ts';
import type { FakeClock, Tab } from './world.ts';

const ring = 20;

interface Line<C> {
  tab: Tab;
  on: ConnectionEvents<C>;
  client?: string;
  isOpen: boolean;
  end: (why: ClosedBecause) => void;
}

/** A session on a silo that saves now and then, crashes, and is reached over a network that is slow and cuts connections. */
export class FakeSilo<S, C> {
  epoch = 1;
  revision = 0;
  durable = 0;
  state: S;
  isDown = false;
  /** How often each change has gone in, by client and sequence. */
  readonly taken = new Map<string, number>();

  private applied = new Map<string, number>();
  private stored: { state: S; revision: number; applied: Map<string, number>; taken: Map<string, number> };
  private readonly heard = new Map<string, number>();
  private ring: AppliedChange<C>[] = [];
  private readonly lines = new Set<Line<C>>();
  private readonly app: App<S, C>;
  private readonly clock: FakeClock;
  private readonly random: Random;

  constructor(app: App<S, C>, clock: FakeClock, random: Random) {
    [this.app, this.clock, this.random, this.state] = [app, clock, random, app.initial];
    this.stored = { state: this.state, revision: 0, applied: new Map(), taken: new Map() };
  }

  transport(tab: Tab): Transport<C> {
    return {
      open: on =>
        this.call(tab, undefined, () => {
          const line: Line<C> = {
            tab,
            on,
            isOpen: true,
            end: why => {
              if (!line.isOpen) return;
              line.isOpen = false;
              this.lines.delete(line);
              this.clock.later(this.random.next(5), () => tab.run(() => on.closed(why)));
            },
          };
          this.lines.add(line);
          return this.connection(line);
        }),
    };
  }

  save(): void {
    if (this.isDown) return;
    this.stored = {
      state: this.withoutRuntime(this.state),
      revision: this.revision,
      applied: new Map(this.applied),
      taken: new Map(this.taken),
    };
    this.durable = this.revision;
    this.tell({ type: 'durable', revision: this.durable });
  }

  /** Tells of a change that another client made, whatever it is. */
  announce(change: C): void {
    const applied = { revision: ++this.revision, client: 'other', sequence: 1, change };
    this.ring = [...this.ring, applied].slice(-ring);
    this.tell({ type: 'changes', fromRevision: this.revision - 1, toRevision: this.revision, changes: [applied] });
  }

  /** Forgets what was not saved. */
  crash(): void {
    this.isDown = true;
    for (const line of [...this.lines]) line.end('gone');
  }

  restart(): void {
    if (!this.isDown) return;
    this.isDown = false;
    this.epoch += 1000;
    [this.state, this.revision, this.durable] = [this.stored.state, this.stored.revision, this.stored.revision];
    this.applied = new Map(this.stored.applied);
    this.taken.clear();
    for (const [key, count] of this.stored.taken) this.taken.set(key, count);
    this.heard.clear();
    this.ring = [];
  }

  /** Cuts every connection of a tab, or one in two of all. */
  cut(tab?: Tab): void {
    for (const line of [...this.lines]) if (tab ? line.tab === tab : this.random.chance(2)) line.end('gone');
  }

  private connection(line: Line<C>): Connection<C> {
    const call = <T>(work: () => T) => this.call(line.tab, line, work);
    return {
      attach: request =>
        call((): AttachReply<C> => {
          for (const other of [...this.lines]) if (other !== line && other.client === request.client) other.end('superseded');
          line.client = request.client;
          this.heard.set(request.client, request.nextSequence - 1);
          this.revision = Math.max(this.revision, request.seenRevision);
          const mine = [...this.applied].filter(([key]) => key.startsWith(`${request.client}/`));
          return {
            state: this.since(request.epoch, request.seenRevision),
            applied: mine.map(([key, sequence]) => ({ slice: key.slice(request.client.length + 1), sequence })),
            save: { state: this.durable < this.revision ? 'saving' : 'saved' },
            notices: [],
          };
        }),
      apply: batch => call(() => this.apply(batch)),
      since: (epoch, revision) => call(() => this.since(epoch, revision)),
      snapshot: () =>
        call(() => ({ epoch: this.epoch, revision: this.revision, durableRevision: this.durable, state: this.state })),
      close: () => {
        line.isOpen = false;
        this.lines.delete(line);
      },
    };
  }

  private apply(batch: ChangeBatch<C>): Awaited<ReturnType<Connection<C>['apply']>> {
    if (batch.epoch !== this.epoch) return { result: 'otherEpoch', epoch: this.epoch, durableRevision: 0, outcomes: [] };
    if (batch.after > (this.heard.get(batch.client) ?? 0))
      return { result: 'gap', epoch: this.epoch, durableRevision: 0, outcomes: [] };
    const outcomes = batch.changes.map(({ sequence, change }) => {
      const key = `${batch.client}/${this.app.sliceOf(change)}`;
      if ((this.applied.get(key) ?? 0) >= sequence) return { revision: this.revision };
      const { state, rejection } = this.app.reduce(this.state, change);
      if (rejection) return { revision: 0, rejection };
      this.applied.set(key, sequence);
      const own = `${batch.client}#${sequence}`;
      this.taken.set(own, (this.taken.get(own) ?? 0) + 1);
      if (state === this.state) return { revision: this.revision };
      this.state = state;
      const applied = { revision: ++this.revision, client: batch.client, sequence, change: structuredClone(change) };
      this.ring = [...this.ring, applied].slice(-ring);
      this.tell({ type: 'changes', fromRevision: this.revision - 1, toRevision: this.revision, changes: [applied] });
      return { revision: this.revision };
    });
    this.heard.set(batch.client, Math.max(this.heard.get(batch.client) ?? 0, batch.changes.at(-1)!.sequence));
    return { result: 'done', epoch: this.epoch, durableRevision: this.durable, outcomes };
  }

  private since(epoch: number, revision: number): CatchUp<C> {
    const { epoch: now, revision: at, durable: durableRevision } = this;
    const first = this.ring[0]?.revision ?? at + 1;
    return epoch === now && revision >= first - 1
      ? { epoch: now, revision: at, durableRevision, changes: this.ring.filter(change => change.revision > revision) }
      : { epoch: now, revision: at, durableRevision, snapshot: this.state, changes: [] };
  }

  private tell(event: SessionEvent<C>): void {
    const { epoch, revision } = this;
    for (const line of this.lines) {
      if (line.client === undefined) continue;
      // Some are lost; the gateway notices, and says so.
      const isLost = this.random.chance(20);
      this.clock.later(1 + this.random.next(3), () =>
        line.tab.run(() => {
          if (!line.isOpen) return;
          if (isLost) this.clock.later(50, () => line.tab.run(() => line.isOpen && line.on.behind(epoch, revision)));
          else line.on.events(structuredClone({ epoch, events: [event] }));
        }),
      );
    }
  }

  private call<T>(tab: Tab, line: Line<C> | undefined, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = () => tab.run(() => reject(new TransportError('gone', 'The connection was cut.')));
      this.clock.later(1 + this.random.next(5), () => {
        if (this.isDown || (line && !line.isOpen)) return fail();
        const result = line ? structuredClone(work()) : work();
        this.clock.later(1 + this.random.next(5), () => (line && !line.isOpen ? fail() : tab.run(() => resolve(result))));
      });
    });
  }

  private withoutRuntime(state: S): S {
    const { runtime, initial } = this.app;
    return runtime === undefined ? state : { ...state, [runtime]: (initial as Record<string, unknown>)[runtime] };
  }
}
