import { describe, expect, it } from 'vitest';
import type { AppStateChange } from '../src/protocol.ts';
import { document, type DocumentChange, type DocumentState } from '../src/document/document.ts';
import { ChangeRejectedError } from '../src/rejection.ts';
import { Session } from '../src/sync/session.ts';
import type { SessionOptions } from '../src/sync/status.ts';
import { TransportError, type Transport } from '../src/sync/transport.ts';
import { tts } from '../src/tts/reducer.ts';
import { FakeSilo } from './model/silo.ts';
import { FakeBrowser, FakeClock } from './model/world.ts';
import { Random } from './random.ts';

type Options = Partial<SessionOptions<DocumentState, DocumentChange>>;

const set = (key: string, value: number): DocumentChange => ({ type: 'setKey', key, value });

class Setting {
  readonly clock = new FakeClock();
  private readonly random = new Random(1);
  readonly silo = new FakeSilo(document, this.clock, this.random);
  readonly browser = new FakeBrowser<DocumentState, DocumentChange>(this.clock, this.random, 'a');

  open(options: (given: ReturnType<typeof this.browser.open>) => Options = () => ({})) {
    const given = this.browser.open();
    const { tab, platform, keep } = given;
    const session = new Session({
      app: document,
      transport: this.silo.transport(tab),
      keep,
      platform,
      name: 's',
      ...options(given),
    });
    void session.start();
    return { session, ...given };
  }
}

describe('[C2] a session in the browser', () => {
  it('shows a change at once, and tells its lights in order: shown, kept, applied, durable', async () => {
    const { clock, silo, open } = bound(new Setting());
    const { session } = open();
    await clock.advance(100);
    const lights: string[] = [];
    session.onLight(({ light }) => lights.push(light));
    const own = session.dispatch(set('k', 1));
    expect(session.state).toEqual({ k: 1 });
    expect(session.status).toMatchObject({ pending: 1, saving: 'saving', kept: false });
    await clock.advance(100);
    expect(session.status).toMatchObject({ pending: 1, kept: true });
    silo.save();
    await clock.advance(100);
    await own.durable;
    expect(lights).toEqual(['shown', 'kept', 'applied', 'durable']);
    expect(session.status).toMatchObject({ pending: 0, saving: 'saved', isLive: true, isLeader: true });
  });

  it('[C4] changes made before hydration go on top of what was stored', async () => {
    const { clock, silo, open } = bound(new Setting());
    silo.state = { stored: 1, k: 1 };
    silo.revision = 5;
    const { session } = open();
    session.dispatch(set('k', 2));
    expect(session.status.hasHydrated).toBe(false);
    await clock.advance(200);
    expect(session.state).toEqual({ stored: 1, k: 2 });
    expect(session.status.hasHydrated).toBe(true);
  });

  it('refuses a change that is not allowed at once, and shows nothing of it', async () => {
    const { clock, open } = bound(new Setting());
    const { session } = open();
    await clock.advance(100);
    await expect(session.dispatch(set('x'.repeat(2000), 1)).applied).rejects.toBeInstanceOf(ChangeRejectedError);
    expect(session.state).toEqual({});
    expect(session.status.pending).toBe(0);
  });

  it('[W6] a database that fails for a while stops no edit, and loses none', async () => {
    const { clock, silo, open } = bound(new Setting());
    let fails = true;
    const { session } = open(({ keep }) => ({
      keep: { ...keep, append: changes => (fails ? Promise.reject(new Error('The database is closed.')) : keep.append(changes)) },
    }));
    await clock.advance(100);
    session.dispatch(set('k', 1));
    await clock.advance(3000);
    expect(session.state).toEqual({ k: 1 });
    expect(session.status).toMatchObject({ kept: false, storageReason: 'The database is closed.' });
    fails = false;
    await clock.advance(3000);
    expect(silo.state).toEqual({ k: 1 });
    expect(session.status).toMatchObject({ kept: true, storageReason: undefined });
  });

  it('needs-auth is told apart from offline; edits are kept, and sent after a sign-in', async () => {
    const { clock, silo, open } = bound(new Setting());
    let signedIn = false;
    const { session } = open(({ tab }) => {
      const real = silo.transport(tab);
      const transport: Transport<DocumentChange> = {
        open: on => (signedIn ? real.open(on) : Promise.reject(new TransportError('needs-auth', 'The token has expired.'))),
      };
      return { transport };
    });
    session.dispatch(set('k', 1));
    await clock.advance(1000);
    expect(session.status).toMatchObject({ connection: 'needs-auth', reason: 'The token has expired.', pending: 1, kept: true });
    signedIn = true;
    session.retry();
    await clock.advance(200);
    expect(session.status.connection).toBe('live');
    expect(silo.state).toEqual({ k: 1 });
  });

  it("never sends one user's changes for another", async () => {
    const { clock, silo, open } = bound(new Setting());
    const { session } = open(({ tab }) => {
      const real = silo.transport(tab);
      return { user: 'alice', transport: { open: async on => ({ ...(await real.open(on)), user: 'bob' }) } };
    });
    session.dispatch(set('k', 1));
    await clock.advance(5000);
    expect(session.status.connection).toBe('needs-auth');
    expect(silo.state).toEqual({});
  });

  it('a hanging connection is given up and tried again', async () => {
    const { clock, silo, open } = bound(new Setting());
    let opened = 0;
    const { session } = open(({ tab }) => {
      const real = silo.transport(tab);
      return { transport: { open: on => (opened++ === 0 ? new Promise(() => {}) : real.open(on)) } };
    });
    await clock.advance(14_000);
    expect(session.status.isLive).toBe(false);
    await clock.advance(3_000);
    expect(session.status.isLive).toBe(true);
  });

  it('[C5] a change of an unknown type stops the session and says so', async () => {
    const { clock, silo, open } = bound(new Setting());
    const { session } = open();
    await clock.advance(100);
    const unknown = { type: 'renameKey', key: 'k' } as unknown as DocumentChange;
    silo.announce(unknown);
    await clock.advance(100);
    expect(session.status).toMatchObject({ connection: 'refused', isLive: false });
    expect(session.status.reason).toContain('renameKey');
  });

  it('[W5] a hidden leader hands over to a visible tab, a frozen one is deposed, and its return is harmless', async () => {
    const { clock, open } = bound(new Setting());
    const one = open();
    await clock.advance(500);
    const two = open();
    await clock.advance(500);
    expect([one.session.status.isLeader, two.session.status.isLeader]).toEqual([true, false]);
    one.tab.isHidden = true;
    one.tab.wake();
    two.tab.wake();
    await clock.advance(500);
    expect([one.session.status.isLeader, two.session.status.isLeader]).toEqual([false, true]);
    one.tab.isHidden = false;
    two.tab.isFrozen = true;
    one.session.dispatch(set('k', 1));
    await clock.advance(5_000);
    expect(one.session.status).toMatchObject({ isLeader: true, isLive: true });
    two.tab.thaw();
    await clock.advance(15_000);
    expect([one.session.status.isLeader, two.session.status.isLeader]).toEqual([true, false]);
    expect(two.session.state).toEqual({ k: 1 });
  });

  it('a connection that a new token replaces is not seen, also not by the calls that it takes with it', async () => {
    const { clock, silo, open } = bound(new Setting());
    let replace: (() => void) | undefined;
    const { session } = open(({ tab }) => {
      const real = silo.transport(tab);
      let opened = 0;
      const transport: Transport<DocumentChange> = {
        open: async on => {
          const connection = await real.open(on);
          if (opened++ > 0) return connection;
          const apply = () =>
            new Promise<never>((_, reject) => {
              replace = () => {
                on.closed('expired');
                reject(new TransportError('gone', 'The connection has ended.'));
              };
            });
          return { ...connection, apply };
        },
      };
      return { transport };
    });
    await clock.advance(200);
    const seen = new Set<string>();
    session.subscribe(() => seen.add(session.status.connection));
    session.dispatch(set('k', 1));
    await clock.advance(50);
    replace!();
    await clock.advance(100);
    expect([...seen]).toEqual(['live']);
    expect(silo.state).toEqual({ k: 1 });
  });

  it('[F5] who is there is known, also where the event overtakes the answer to the attach', async () => {
    const { clock, silo, open } = bound(new Setting());
    const clients = [{ client: 'b', device: 'phone', since: '2026-01-01T00:00:00Z' }];
    const { session } = open(({ tab }) => {
      const real = silo.transport(tab);
      const transport: Transport<DocumentChange> = {
        open: async on => {
          const connection = await real.open(on);
          return {
            ...connection,
            attach: request => {
              on.events({ epoch: silo.epoch, events: [{ type: 'presence', clients }] });
              return connection.attach(request);
            },
          };
        },
      };
      return { transport };
    });
    await clock.advance(500);
    expect(session.status).toMatchObject({ isLive: true, clients });
  });

  it('what a reducer does not know is refused, not thrown', () => {
    const { rejection } = tts.reduce(tts.initial, { type: 'somethingNew' } as unknown as AppStateChange);
    expect(rejection).toMatchObject({ field: 'change', value: "'somethingNew'" });
  });
});

const bound = (setting: Setting) => ({ clock: setting.clock, silo: setting.silo, open: setting.open.bind(setting) });
