import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { document, type DocumentChange, type DocumentState } from '../src/document/document.ts';
import { Http, HttpError } from '../src/server/http.ts';
import { Remote } from '../src/server/remote.ts';
import { Tokens } from '../src/server/tokens.ts';
import { FakeClock } from './model/world.ts';
import { Setting } from './setting.ts';

const tokenOf = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

beforeEach(() => void vi.stubGlobal('indexedDB', new IDBFactory()));

afterEach(() => vi.unstubAllGlobals());

describe('[W6] whose changes are kept', () => {
  async function stored(token: () => Promise<string | null>, more: object = {}) {
    const setting = new Setting<DocumentState, DocumentChange>(document);
    const { platform, transport } = setting.tab();
    const remote = new Remote({
      url: 'http://silo.test',
      token,
      store: 's',
      app: document,
      seams: { platform, transport },
      ...more,
    });
    void remote.session.start();
    for (let round = 0; round < 20; round++) await setting.clock.advance(50);
    return { remote, setting };
  }

  it("the name of the database has the server, the store and the token's user", async () => {
    const { remote } = await stored(async () => tokenOf({ sub: 'ali/ce', iss: 'https://login.test' }));
    expect(remote.session.status).toMatchObject({ isLive: true, storage: 'indexedDB' });
    const names = (await indexedDB.databases()).map(({ name }) => name);
    expect(names).toContain('chatterbox%2F1/http%3A%2F%2Fsilo.test/s/https%3A%2F%2Flogin.test%7Cali%2Fce');
  });

  it('offline, it is the user of last time; with nobody signed in it is nobody, and nothing shows', async () => {
    const first = await stored(async () => tokenOf({ sub: 'alice' }));
    await first.remote.session.dispatch({ type: 'setKey', key: 'k', value: 'secret' }).kept;
    first.remote.session.close();
    const offline = await stored(() => Promise.reject(new Error('Failed to fetch')));
    expect(offline.remote.session.state).toMatchObject({ k: 'secret' });
    offline.remote.session.close();
    const nobody = await stored(async () => null);
    expect(nobody.remote.session.status).toMatchObject({ connection: 'needs-auth', reason: 'Nobody is signed in.' });
    expect(nobody.remote.session.state).toEqual({});
  });

  it('changes made before a sign-in show, are kept once it is known whose they are, and arrive', async () => {
    let user: string | undefined;
    const { remote, setting } = await stored(async () => (user === undefined ? null : tokenOf({ sub: user })));
    const own = remote.session.dispatch({ type: 'setKey', key: 'k', value: 1 });
    expect(remote.session.status).toMatchObject({ pending: 1, kept: false });
    user = 'alice';
    remote.session.retry();
    for (let round = 0; round < 20; round++) await setting.clock.advance(50);
    await own.kept;
    expect(setting.silo.state).toEqual({ k: 1 });
  });

  it('a token that is no JWT needs the user beside it', async () => {
    const opaque = await stored(async () => 'opaque');
    expect(opaque.remote.session.status.reason).toContain('server.user');
    const named = await stored(async () => 'opaque', { user: 'alice' });
    expect(named.remote.session.status.isLive).toBe(true);
  });
});

describe('[W3] HTTP', () => {
  const http = () => {
    let count = 0;
    const tokens = new Tokens(
      async () => `token-${++count}`,
      new FakeClock(),
      () => 0,
    );
    return new Http('http://silo.test/', tokens);
  };

  it.each([
    [401, 'needs-auth'],
    [422, 'invalid'],
    [429, 'limited'],
    [503, 'unavailable'],
  ])('a status of %i is %s', async (status, trouble) => {
    vi.stubGlobal('fetch', async () => Response.json({ title: 'No', status, detail: 'field: must be a, was b' }, { status }));
    const failure = await http()
      .json('/x')
      .catch(error => error as HttpError);
    expect(failure).toBeInstanceOf(HttpError);
    expect(failure).toMatchObject({ trouble, message: 'field: must be a, was b' });
  });

  it('no answer is a connection that is gone, and a token that was not taken is replaced once', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(http().json('/x')).rejects.toMatchObject({ trouble: 'gone' });
    const asked: unknown[] = [];
    vi.stubGlobal('fetch', async (url: string, { headers }: { headers: Record<string, string> }) => {
      asked.push([url, headers['authorization']]);
      return asked.length === 1 ? new Response(null, { status: 401 }) : Response.json({ good: true });
    });
    expect(await http().json('/x')).toEqual({ good: true });
    expect(asked).toEqual([
      ['http://silo.test/x', 'Bearer token-1'],
      ['http://silo.test/x', 'Bearer token-2'],
    ]);
  });
});
