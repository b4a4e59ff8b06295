import type { Platform } from '../sync/platform.ts';

const beatEvery = 10_000;
/** Without a beat for so long, a tab has ended. */
const lapsesAfter = 120_000;

export interface Claim {
  client: string;
  end: () => void;
}

/**
 * A client id for this tab alone, where tabs cannot share one. The id of a tab that ended, and with it the changes it left, is
 * taken over: by a lock where there are locks, else once its beat has lapsed or the page said that it ends.
 */
export async function claimClient(platform: Platform, name: string, storage: Storage): Promise<Claim> {
  const prefix = `${name}/tab/`;
  const known = Object.keys(storage).flatMap(key => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
  for (const client of known) {
    const end = platform.locks
      ? await tryLock(platform, `${prefix}${client}`)
      : hasLapsed(storage, `${prefix}${client}`) && (() => {});
    if (end) return { client, end: beat(platform, storage, `${prefix}${client}`, end) };
  }
  const client = platform.newId();
  const end = platform.locks ? await tryLock(platform, `${prefix}${client}`) : undefined;
  return { client, end: beat(platform, storage, `${prefix}${client}`, end ?? (() => {})) };
}

function beat(platform: Platform, storage: Storage, key: string, release: () => void): () => void {
  let cancel = () => {};
  const mark = (at: number) => {
    try {
      storage.setItem(key, `${at}`);
    } catch {
      // Full: what is there already says enough.
    }
  };
  const again = () => {
    mark(Date.now());
    cancel = platform.clock.later(beatEvery, again);
  };
  const ends = () => mark(0);
  again();
  globalThis.addEventListener?.('pagehide', ends);
  return () => {
    cancel();
    release();
    ends();
    globalThis.removeEventListener?.('pagehide', ends);
  };
}

const hasLapsed = (storage: Storage, key: string): boolean => Math.abs(Date.now() - Number(storage.getItem(key))) > lapsesAfter;

function tryLock(platform: Platform, name: string): Promise<(() => void) | undefined> {
  return new Promise(resolve => {
    const tooLate = new AbortController();
    const cancel = platform.clock.later(200, () => (tooLate.abort(), resolve(undefined)));
    platform
      .locks!.request(name, { signal: tooLate.signal }, () => {
        cancel();
        return new Promise<void>(release => resolve(release));
      })
      .catch(() => resolve(undefined));
  });
}
