import type { Bridge } from '../app.ts';
import { documentBridge } from '../document/document.ts';
import { sameJson } from '../equality.ts';
import type { Session } from '../sync/session.ts';
import { quarantineOf, type PersistStorage, type StorageValue } from './persist.ts';
import { versionKey, type View } from './binding.ts';
import { report, type ServerConfig } from './persistRemotely.ts';

type AnySession = Session<unknown, unknown>;

/** Brings a session to this schema version, and takes along what a store without a server left in the browser. */
export async function takeAlong(
  bridge: Bridge<any, any, any>,
  config: ServerConfig<any, any>,
  session: AnySession,
): Promise<void> {
  if (bridge === documentBridge) await settleVersion(config, session);
  await takeEnvelope(bridge, config, session);
}

async function settleVersion(config: ServerConfig<any, any>, session: AnySession): Promise<void> {
  const { version = 0, migrate } = config;
  const { [versionKey]: from, ...before } = session.state as View;
  if (version === 0 || from === version) return;
  let after: View = before;
  if (Object.keys(before).length > 0 && from !== undefined) {
    if (!migrate) return report(config, noMigration(from, version));
    after = (await migrate(before, Number(from))) as View;
  }
  for (const change of documentBridge.changes(before as never, after as never)) session.dispatch(change);
  session.dispatch({ type: 'setKey', key: versionKey, value: version });
}

/** Only where the session has nothing in its place. */
async function takeEnvelope(bridge: Bridge<any, any, any>, config: ServerConfig<any, any>, session: AnySession): Promise<void> {
  const { name, version = 0, migrate, storage = plainStorage } = config;
  const envelope = (await storage.getItem(name)) as StorageValue<View> | null;
  if (!envelope) return;
  let kept = envelope.state;
  if (typeof envelope.version === 'number' && envelope.version !== version) {
    if (!migrate) {
      await storage.setItem(quarantineOf(name), envelope);
      await storage.removeItem(name);
      return report(config, noMigration(envelope.version, version));
    }
    kept = (await migrate(envelope.state, envelope.version)) as View;
  }
  const [now, initial] = [bridge.view(session.state) as View, bridge.view(bridge.app.initial) as View];
  const missing = Object.fromEntries(Object.entries(kept).filter(([key]) => sameJson(now[key], initial[key])));
  await Promise.all(bridge.changes(now, { ...now, ...missing }).map(change => session.dispatch(change).kept));
  // It stays beside: nothing of a user's is deleted.
  await storage.setItem(`${name}.moved`, envelope);
  await storage.removeItem(name);
}

const noMigration = (from: unknown, to: number): Error => new Error(`No migration from version ${String(from)} to ${to}.`);

/** zustand's own default. */
const plainStorage: PersistStorage<any> = {
  getItem(name) {
    try {
      return JSON.parse(localStorage.getItem(name) ?? 'null') as StorageValue<View> | null;
    } catch {
      return null;
    }
  },
  setItem: (name, value) => localStorage.setItem(name, JSON.stringify(value)),
  removeItem: name => localStorage.removeItem(name),
};
