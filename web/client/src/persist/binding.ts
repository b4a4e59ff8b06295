import type { Bridge } from '../app.ts';
import { documentBridge } from '../document/document.ts';
import { sameJson } from '../equality.ts';
import { Remote } from '../server/remote.ts';
import { remotePersistence } from '../store/remotePersistence.ts';
import type { Pending } from '../sync/status.ts';
import type { PersistConfig } from './persist.ts';
import { report, type Bound, type Middle, type ServerConfig } from './persistRemotely.ts';

/** The document's key that holds the version of the store's schema. */
export const versionKey = '$version';

export type View = Record<string, unknown>;

/** Ties a store to its session: what it has set so far goes along. */
export function bind<T extends object>({ config, initial, set, get }: Middle<T>): Bound<T> {
  const bridge: Bridge<any, any, any> = config.bridge ?? documentBridge;
  const remote = new Remote({
    ...config.server,
    store: config.server.store ?? config.name,
    app: bridge.app,
    seams: config.seams,
  });
  const { session } = remote;
  const binding = new Binding<T>(bridge, config, set, get, change => session.dispatch(change));
  binding.begin(initial);
  const callback = config.onRehydrateStorage?.(initial) ?? undefined;
  let wasHydrated = false;
  let isTaken = false;
  session.subscribe(() => {
    try {
      binding.pull(session.state, session.status.hasHydrated);
      if (session.status.hasHydrated && !wasHydrated) {
        wasHydrated = true;
        callback?.(get(), undefined);
      }
    } catch (failure) {
      report(config, failure);
    }
    if (session.status.isLive && session.status.isLeader && !isTaken) {
      isTaken = true;
      import('./takeAlong.ts')
        .then(({ takeAlong }) => takeAlong(bridge, config, session))
        .catch(failure => report(config, failure));
    }
  });
  const persist = remotePersistence<T, unknown, unknown>(remote, get, { name: config.name } as PersistConfig<T, any>);
  return { persist, push: () => binding.push(), start: () => void session.start() };
}

/** Keeps a store and the view of a session in step. Which side a value came from is not remembered: only what each last held. */
class Binding<T extends object> {
  private readonly bridge: Bridge<any, any, any>;
  private readonly config: ServerConfig<T, any>;
  private readonly set: (...args: any[]) => void;
  private readonly get: () => T;
  private readonly dispatch: (change: unknown) => Pending;
  private initial: View = {};
  /** What the store had as it was last looked at. */
  private stored: View = {};
  /** What the session had. */
  private seen: View;
  private pulled: unknown;
  private hasMerged = false;

  constructor(
    bridge: Bridge<any, any, any>,
    config: ServerConfig<T, any>,
    set: (...args: any[]) => void,
    get: () => T,
    dispatch: (change: unknown) => Pending,
  ) {
    [this.bridge, this.config, this.set, this.get, this.dispatch] = [bridge, config, set, get, dispatch];
    this.seen = bridge.view(bridge.app.initial) as View;
  }

  begin(initial: T): void {
    this.initial = this.partOf(initial);
    this.stored = this.initial;
  }

  /** To the session: what the store changed since it was last looked at. */
  push(): void {
    const now = this.partOf(this.get());
    let changes: unknown[];
    try {
      changes = this.bridge.changes(this.stored, now);
    } catch (failure) {
      return report(this.config, failure);
    }
    this.stored = now;
    for (const change of changes) this.dispatch(change).applied.catch(failure => report(this.config, failure));
  }

  /** From the session: what changed there since it was last looked at. */
  pull(state: unknown, hasHydrated: boolean): void {
    const view = this.bridge.view(state) as View;
    const isFirst = hasHydrated && !this.hasMerged;
    if (state === this.pulled && !isFirst) return;
    // The first time all of it counts: the store began with a state of its own.
    const before = isFirst ? {} : this.seen;
    [this.pulled, this.seen] = [state, view];
    this.hasMerged ||= hasHydrated;
    const current = this.get() as View;
    const changed: View = {};
    for (const name of new Set([...Object.keys(before), ...Object.keys(view)])) {
      if (name === versionKey || before[name] === view[name]) continue;
      if (this.bridge !== documentBridge && !Object.hasOwn(this.initial, name)) continue;
      const value = Object.hasOwn(view, name) ? withDefaults(this.initial[name], view[name]) : this.initial[name];
      // A value that came from here keeps its reference.
      if (!sameJson(current[name], value)) changed[name] = value;
    }
    if (Object.keys(changed).length === 0) return;
    const { merge } = this.config;
    if (merge && isFirst) this.set(merge(changed, this.get()), true);
    else this.set(changed);
    this.stored = this.partOf(this.get());
  }

  private partOf(state: T): View {
    const part = this.config.partialize ? (this.config.partialize(state) as View) : (state as View);
    return Object.fromEntries(Object.entries(part).filter(([, value]) => typeof value !== 'function' && value !== undefined));
  }
}

/** Only what was set is in a document: members of the initial state that are not stand as they began. */
function withDefaults(initial: unknown, value: unknown): unknown {
  if (!isObject(initial) || !isObject(value)) return value;
  const missing = Object.keys(initial).some(name => !Object.hasOwn(value, name) || isObject(initial[name]));
  if (!missing) return value;
  const names = [...new Set([...Object.keys(initial), ...Object.keys(value)])];
  return Object.fromEntries(
    names.map(name => [name, Object.hasOwn(value, name) ? withDefaults(initial[name], value[name]) : initial[name]]),
  );
}

const isObject = (value: unknown): value is View => typeof value === 'object' && value !== null && !Array.isArray(value);
