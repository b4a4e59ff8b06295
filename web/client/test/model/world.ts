import type { Channel, Clock, Locks, Platform } from '../../src/sync/platform.ts';
import type { Copy, Keep, Kept } from '../../src/sync/keep.ts';
import type { SequencedChange } from '../../src/sync/messages.ts';
import type { Random } from '../random.ts';

/** Lets everything run that waits for nothing but its turn. */
export async function turn(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise(resolve => setImmediate(resolve));
}

/** A clock that moves when it is told to. */
export class FakeClock implements Clock {
  private time = 0;
  private number = 0;
  private timers: { at: number; number: number; call: () => void }[] = [];

  now(): number {
    return this.time;
  }

  later(milliseconds: number, call: () => void): () => void {
    const timer = { at: this.time + Math.max(0, milliseconds), number: this.number++, call };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter(each => each !== timer));
  }

  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    await turn();
    for (;;) {
      const next = this.timers.filter(timer => timer.at <= end).sort((a, b) => a.at - b.at || a.number - b.number)[0];
      if (!next) break;
      this.timers = this.timers.filter(each => each !== next);
      this.time = Math.max(this.time, next.at);
      next.call();
      await turn();
    }
    this.time = end;
  }
}

/** The Web Locks of one browser. */
export class FakeLocks {
  private held = new Map<string, { owner: Tab; end: (why: 'done' | 'stolen') => void }>();
  private queue: { name: string; owner: Tab; grant: () => void }[] = [];

  of(owner: Tab): Locks {
    return {
      request: (name, { steal, signal }, callback) =>
        new Promise((resolve, reject) => {
          const grant = () => {
            const holder = {
              owner,
              end: (why: 'done' | 'stolen') => {
                if (this.held.get(name) === holder) this.held.delete(name);
                if (why === 'stolen') reject(new DOMException('stolen', 'AbortError'));
                else resolve(undefined);
                this.next(name);
              },
            };
            this.held.set(name, holder);
            void callback().then(() => this.held.get(name) === holder && holder.end('done'));
          };
          if (steal) {
            const holder = this.held.get(name);
            this.held.delete(name);
            const queue = this.queue;
            this.queue = [];
            holder?.end('stolen');
            this.queue = queue;
            return grant();
          }
          if (signal?.aborted) return reject(signal.reason);
          const waiting = { name, owner, grant };
          signal?.addEventListener('abort', () => {
            this.queue = this.queue.filter(each => each !== waiting);
            reject(signal.reason);
          });
          this.queue.push(waiting);
          if (!this.held.has(name)) queueMicrotask(() => this.next(name));
        }),
    };
  }

  /** As the browser does when a tab ends. */
  end(owner: Tab): void {
    this.queue = this.queue.filter(each => each.owner !== owner);
    for (const [name, holder] of [...this.held]) {
      if (holder.owner !== owner) continue;
      this.held.delete(name);
      this.next(name);
    }
  }

  private next(name: string): void {
    if (this.held.has(name)) return;
    const index = this.queue.findIndex(each => each.name === name);
    if (index >= 0) this.queue.splice(index, 1)[0]!.grant();
  }
}

/** A tab, as far as its browser knows it. */
export class Tab {
  isHidden = false;
  isFrozen = false;
  isDead = false;
  readonly wakes = new Set<() => void>();
  readonly inbox: (() => void)[] = [];

  /** Runs what came for the tab, unless it is frozen: then later. */
  run(call: () => void): void {
    if (this.isDead) return;
    if (this.isFrozen) this.inbox.push(call);
    else call();
  }

  thaw(): void {
    this.isFrozen = false;
    this.inbox.splice(0).forEach(call => this.run(call));
    this.wake();
  }

  wake(): void {
    this.run(() => [...this.wakes].forEach(listener => listener()));
  }
}

/** One browser: tabs that share locks, channels and a database. */
export class FakeBrowser<S, C> {
  readonly locks = new FakeLocks();
  readonly tabs = new Set<Tab>();
  private readonly channels = new Map<string, Set<{ tab: Tab; listener?: (message: unknown) => void }>>();
  private readonly clock: FakeClock;
  private readonly random: Random;
  private readonly client: string;
  private rows: SequencedChange<C>[] = [];
  private last = 0;
  private copy: Copy<S> | undefined;
  private ids = 0;

  constructor(clock: FakeClock, random: Random, client: string) {
    [this.clock, this.random, this.client] = [clock, random, client];
  }

  open(): { tab: Tab; platform: Platform; keep: Keep<S, C> } {
    const tab = new Tab();
    this.tabs.add(tab);
    return { tab, platform: this.platform(tab), keep: this.keep(tab) };
  }

  /** Ends a tab without a word. */
  kill(tab: Tab): void {
    tab.isDead = true;
    this.tabs.delete(tab);
    this.locks.end(tab);
  }

  get outbox(): readonly SequencedChange<C>[] {
    return this.rows;
  }

  private platform(tab: Tab): Platform {
    return {
      clock: { now: () => this.clock.now(), later: (milliseconds, call) => this.clock.later(milliseconds, () => tab.run(call)) },
      random: () => this.random.real(),
      newId: () => `${this.client}-tab-${this.ids++}`,
      locks: this.locks.of(tab),
      channel: name => this.channel(tab, name),
      isHidden: () => tab.isHidden,
      onWake: listener => (tab.wakes.add(listener), () => void tab.wakes.delete(listener)),
    };
  }

  private channel(tab: Tab, name: string): Channel {
    const port: { tab: Tab; listener?: (message: any) => void } = { tab };
    const ports = this.channels.get(name) ?? new Set();
    this.channels.set(name, ports.add(port));
    return {
      post: message => {
        const copy = structuredClone(message);
        for (const other of ports) {
          if (other !== port)
            this.clock.later(this.random.next(3), () => other.tab.run(() => other.listener?.(structuredClone(copy))));
        }
      },
      listen: listener => void (port.listener = listener),
      close: () => void ports.delete(port),
    };
  }

  /** Takes its time; what a tab asked for before it ended still happens. */
  private keep(tab: Tab): Keep<S, C> {
    const later = <T>(work: () => T) =>
      new Promise<T>(resolve => {
        this.clock.later(this.random.next(4), () => {
          const result = structuredClone(work());
          tab.run(() => resolve(result));
        });
      });
    return {
      kind: 'indexedDB',
      isShared: true,
      open: () => later((): Kept<S, C> => ({ client: this.client, copy: this.copy, rows: this.rows, last: this.last })),
      append: changes =>
        later(() => {
          const added = changes.map(change => ({ sequence: ++this.last, change }));
          this.rows.push(...structuredClone(added));
          return added.map(row => row.sequence);
        }),
      after: sequence => later(() => this.rows.filter(row => row.sequence > sequence)),
      remove: sequences => later(() => void (this.rows = this.rows.filter(row => !sequences.includes(row.sequence)))),
      save: copy => later(() => void (this.copy = structuredClone(copy))),
      close: () => undefined,
    };
  }
}
