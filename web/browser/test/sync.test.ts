import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumProgram, crash, type Chromium } from '../src/chromium.ts';
import { eventually } from '../src/eventually.ts';
import { siloProgram } from '../src/silo.ts';
import { partOf } from '../../client/src/document/document.ts';
import { chunksOf, live, saved, statusOf, World } from './world.ts';

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe.skipIf(!chromiumProgram || !siloProgram)('a real browser and a real silo', () => {
  let world: World;
  let [here, there]: Chromium[] = [];

  beforeAll(async () => {
    world = await World.start();
    [here, there] = [await world.browser(), await world.browser()];
  });

  afterAll(() => world?.end());

  it('[W3] two profiles of one user are in step, and each sees that the other is there', async () => {
    const user = world.user();
    const one = await here!.open(world.address(user, world.silo.url, { device: 'desk' }));
    const two = await there!.open(world.address(user, world.silo.url, { device: 'phone' }));
    await Promise.all([live(one), live(two)]);
    await one.evaluate(() => void window.store.getState().updateParameters({ temperature: 0.9 }));
    await two.evaluate(() => void window.store.getState().updateParameters({ topP: 0.5 }));
    for (const page of [one, two]) {
      await eventually(
        () => page.evaluate(() => window.store.getState().parameters),
        ({ temperature, topP }) => temperature === 0.9 && topP === 0.5,
      );
      await eventually(
        () => statusOf(page),
        ({ clients }) => ['desk', 'phone'].every(device => clients.some(client => client.device === device)),
      );
    }
    expect((await saved(one)).storage).toBe('indexedDB');
    expect(await one.evaluate(() => window.lights)).toEqual(['shown', 'kept', 'applied', 'durable']);
    await Promise.all([one.close(), two.close()]);
  });

  it('[W5] a tab whose process dies in the middle of its edits loses none that it was told are kept', async () => {
    const user = world.user();
    const proxy = await world.proxy();
    const page = await here!.open(world.address(user, proxy.url));
    await live(page);
    // What it sends arrives nowhere: only what is kept here can be there later.
    await proxy.cut();
    expect(proxy.closed).toBeGreaterThan(0);
    const kept = await page.evaluate(() =>
      Promise.all(Array.from({ length: 30 }, (_, index) => window.add(`k${index}`).kept.then(() => `k${index}`))),
    );
    await crash(page);
    proxy.heal();
    const again = await here!.open(world.address(user, proxy.url));
    await saved(again);
    expect(await chunksOf(again)).toEqual(expect.arrayContaining(kept));
    expect((await world.silo.state(user)).chunks.map((chunk: { id: string }) => chunk.id).sort()).toEqual([...kept].sort());
    await again.close();
  });

  it('[C5][W6] edits made offline survive the end of the browser, show at once when it is back, and arrive once', async () => {
    const user = world.user();
    const browser = await world.browser();
    const proxy = await world.proxy();
    const page = await browser.open(world.address(user, proxy.url));
    await page.evaluate(() => window.add('before').durable);
    await eventually(
      () => page.evaluate(async () => (await window.copy())?.state.chunks.map(({ id }) => id)),
      ids => ids?.join() === 'before',
    );
    await proxy.cut();
    await eventually(
      () => statusOf(page),
      status => status.connection === 'offline',
    );
    await page.evaluate(() => Promise.all(['x', 'y', 'z'].map(id => window.add(id).kept)));
    expect(await statusOf(page)).toMatchObject({ pending: 3, kept: true, saving: 'saving' });
    const before = await world.silo.status(user);
    await browser.kill();
    await browser.startAgain();

    const offline = await browser.open(world.address(user, proxy.url));
    await eventually(
      () => chunksOf(offline),
      ids => ids.join() === 'before,x,y,z',
    );
    expect(await statusOf(offline)).toMatchObject({ hasHydrated: true, isLive: false, pending: 3 });
    proxy.heal();
    await offline.evaluate(() => window.store.persist.retry());
    await saved(offline);
    expect(await chunksOf(offline)).toEqual(['before', 'x', 'y', 'z']);
    expect((await world.silo.status(user)).revision).toBe(before.revision + 3);
  });

  it('[C3] kill -9 of the silo between applied and durable: each of 200 changes is in once', async () => {
    const user = world.user();
    const page = await here!.open(world.address(user, world.silo.url));
    await live(page);
    await page.evaluate(async () => {
      await window.add('first').durable;
      await Promise.all(Array.from({ length: 200 }, (_, index) => window.add(`n${index}`).applied));
    });
    await world.silo.kill();
    await eventually(
      () => statusOf(page),
      status => status.connection === 'offline',
    );
    await world.silo.startAgain();
    await page.evaluate(() => window.store.persist.retry());
    await saved(page);
    const expected = ['first', ...names('n', 200)];
    expect((await world.silo.state(user)).chunks.map((chunk: { id: string }) => chunk.id)).toEqual(expected);
    expect(await chunksOf(page)).toEqual(expected);
    expect((await world.silo.status(user)).revision).toBeGreaterThanOrEqual(201);
    await page.close();
  });

  it('[C3] a silo that stops in good order says bye: what is made meanwhile is kept, and arrives at the next one', async () => {
    const user = world.user();
    const page = await here!.open(world.address(user, world.silo.url));
    await page.evaluate(() => window.add('before').durable);
    await world.silo.end();
    await eventually(
      () => statusOf(page),
      status => status.connection === 'offline',
    );
    await page.evaluate(() => window.add('between').kept);
    await world.silo.startAgain();
    await saved(page);
    expect((await world.silo.state(user)).chunks.map((chunk: { id: string }) => chunk.id)).toEqual(['before', 'between']);
    await page.close();
  });

  it('the plug pulled: edits go on and are counted; put back, they arrive once', async () => {
    const user = world.user();
    const page = await here!.open(world.address(user, world.silo.url));
    await page.evaluate(() => window.add('before').durable);
    await page.evaluate(() => {
      window.store.plug(false);
      return Promise.all(Array.from({ length: 20 }, (_, index) => window.add(`p${index}`).kept));
    });
    expect(await statusOf(page)).toMatchObject({ connection: 'offline', pending: 20, kept: true });
    expect((await world.silo.status(user)).revision).toBe(1);
    await page.evaluate(() => window.store.plug(true));
    await saved(page);
    expect((await world.silo.status(user)).revision).toBe(21);
    await page.close();
  });

  it('[W2] a page that closes before it heard "durable" sends nothing over what another did since', async () => {
    const user = world.user();
    const proxy = await world.proxy();
    const page = await here!.open(world.address(user, proxy.url));
    await page.evaluate(() => window.add('c').durable);
    proxy.hold();
    await page.evaluate(() => window.store.getState().setChunkStatus('c', 'generating').kept);
    await eventually(
      async () => (await world.silo.state(user)).chunks[0].status,
      status => status === 'generating',
    );
    await crash(page);
    await proxy.cut();
    proxy.release();
    proxy.heal();
    const other = await there!.open(world.address(user, world.silo.url));
    await live(other);
    await other.evaluate(() => window.store.getState().setChunkStatus('c', 'error').durable);
    const again = await here!.open(world.address(user, proxy.url));
    await saved(again);
    expect((await world.silo.state(user)).chunks[0].status).toBe('error');
    await Promise.all([other.close(), again.close()]);
  });

  it('[W3] an upload of 20 MB that is cut goes on where it was, and is the same clip on another device', async () => {
    const user = world.user();
    const proxy = await world.proxy();
    const page = await here!.open(world.address(user, proxy.url));
    await live(page);
    proxy.cutOnceUp(8 * 1024 * 1024);
    const upload = page.evaluate(async () => {
      const bytes = new Uint8Array(20 * 1024 * 1024);
      for (let index = 0; index < bytes.length; index += 997) bytes[index] = index % 251;
      const { audio } = await window.store.gateway();
      const progress: number[] = [];
      const ref = await audio.upload(new Blob([bytes], { type: 'audio/mpeg' }), { onProgress: part => progress.push(part) });
      return { ref, progress };
    });
    await eventually(
      () => proxy.closed,
      closed => closed > 1,
    );
    const sent = proxy.up;
    proxy.heal();
    const { ref, progress } = await upload;
    expect(ref.length).toBe(20 * 1024 * 1024);
    expect(progress.at(-1)).toBe(1);
    // What had arrived was not sent again.
    expect(proxy.up - sent).toBeLessThan(14 * 1024 * 1024);
    const other = await there!.open(world.address(user, world.silo.url));
    const size = await other.evaluate(async hash => (await (await window.store.gateway()).audio.download(hash)).size, ref.hash);
    expect(size).toBe(20 * 1024 * 1024);
    await Promise.all([page.close(), other.close()]);
  });

  it('[W3] a change of more than 64 KiB and a state of megabytes go by HTTP', async () => {
    const user = world.user();
    const page = await here!.open(world.address(user, world.silo.url));
    await live(page);
    await page.evaluate(async () => {
      const ids = Array.from({ length: 2000 }, (_, index) => `${index}-${'ü'.repeat(60)}`);
      for (let index = 0; index < 20; index++) {
        window.store.getState().saveSession({
          id: `s${index}`,
          name: `s${index}`,
          createdAt: '2026-01-01T00:00:00+00:00',
          updatedAt: `2026-01-01T00:00:${10 + index}+00:00`,
          engine: 'chatterbox',
          chunkIds: ids,
        });
      }
    });
    await saved(page);
    const other = await there!.open(world.address(user, world.silo.url));
    await live(other);
    const sessions = await other.evaluate(() =>
      window.store.getState().sessions.map(({ id, chunkIds }) => [id, chunkIds.length]),
    );
    expect(sessions.length).toBeGreaterThanOrEqual(10);
    expect(sessions.at(-1)).toEqual(['s19', 2000]);
    await Promise.all([page.close(), other.close()]);
  });

  it('tokens of five seconds are renewed for 15 seconds without a visible gap, and nothing is lost', async () => {
    const user = world.user();
    const page = await here!.open(world.address(user, world.silo.url, { seconds: '5' }));
    await live(page);
    const seen = await page.evaluate(async () => {
      const connections = new Set<string>();
      window.store.persist.onStatus(() => connections.add(window.store.persist.getStatus().connection));
      for (let index = 0; index < 60; index++) {
        window.add(`t${index}`);
        await new Promise(resolve => setTimeout(resolve, 250));
      }
      return [...connections];
    });
    expect(seen).toEqual(['live']);
    await saved(page);
    expect((await world.silo.state(user)).chunks).toHaveLength(60);
    await page.close();
  });

  it('nobody signed in is told apart from offline: edits are kept, and are sent after a sign-in', async () => {
    const user = world.user();
    const page = await here!.open(world.address(user, world.silo.url, { seconds: '4' }));
    await live(page);
    await page.evaluate(() => void (window.isSignedOut = true));
    await eventually(
      () => statusOf(page),
      status => status.connection === 'needs-auth',
    );
    await page.evaluate(() => window.add('signed-out').kept);
    expect(await statusOf(page)).toMatchObject({ pending: 1, kept: true });
    expect((await world.silo.state(user)).chunks).toEqual([]);
    await page.evaluate(() => {
      window.isSignedOut = false;
      window.store.persist.retry();
    });
    await saved(page);
    expect((await world.silo.state(user)).chunks).toHaveLength(1);
    await page.close();
  });

  it('[W3] thousands of chunks come over a slow line, once', async () => {
    const user = world.user();
    const page = await here!.open(world.address(user, world.silo.url));
    await live(page);
    await page.evaluate(async () => {
      for (let index = 0; index < 3000; index++) window.add(`${index}-${Math.random().toString(36).repeat(4)}`);
      await window.store.persist.flush();
    });
    const proxy = await world.proxy();
    proxy.throttle(32 * 1024);
    const slow = await there!.open(world.address(user, proxy.url));
    await eventually(
      () => statusOf(slow),
      status => status.isLive,
      60_000,
    );
    expect(await chunksOf(slow)).toHaveLength(3000);
    expect(
      await slow.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /app-state$/.test(name)).length),
    ).toBe(1);
    await Promise.all([page.close(), slow.close()]);
  });

  it("[W4] zustand's own store with one line more: a stale tab loses nothing of others; foreign members are told", async () => {
    const user = world.user();
    const proxy = await world.proxy();
    const pages = [
      await here!.open(world.address(user, proxy.url, { zustand: '' })),
      await there!.open(world.address(user, world.silo.url, { zustand: '' })),
    ];
    const hydrated = () =>
      Promise.all(
        pages.map(page =>
          eventually(
            () => page.evaluate(() => window.zustand.persist.getStatus().isLive),
            isLive => isLive,
          ),
        ),
      );
    await hydrated();
    // The first hears nothing for a while, and writes the whole of a member, made of what it has.
    proxy.hold();
    await pages[1]!.evaluate(() => {
      const { parameters } = window.zustand.getState();
      window.zustand.setState({ parameters: { ...parameters, topP: 0.3 }, useStreaming: true, own: 7 });
    });
    await eventually(
      async () => (await world.silo.state(user)).preferences.useStreaming,
      useStreaming => useStreaming,
    );
    const stale = await pages[0]!.evaluate(() => {
      const { parameters } = window.zustand.getState();
      window.zustand.setState({ parameters: { ...parameters, temperature: 0.5 } });
      return parameters.topP;
    });
    expect(stale).toBe(1);
    proxy.release();
    await eventually(
      async () => (await world.silo.state(user)).preferences,
      ({ parameters, useStreaming }) => parameters.temperature === 0.5 && parameters.topP === 0.3 && useStreaming,
    );
    for (const page of pages) {
      await eventually(
        () => page.evaluate(() => window.zustand.getState()),
        ({ parameters, useStreaming }) => parameters.temperature === 0.5 && parameters.topP === 0.3 && useStreaming,
      );
    }
    const before = there!.console.length;
    await pages[1]!.evaluate(() => window.zustand.setState({ foreign: 1 }));
    expect(there!.console.slice(before).filter(line => line.includes('foreign: must be a member'))).toHaveLength(1);
    await Promise.all(pages.map(page => page.close()));
  });

  it('[G2] a store of any shape is a document: browsers merge, in the same rows, and kill -9 loses nothing', async () => {
    const user = world.user();
    const address = world.address(user, world.silo.url, { zustand: 'document' });
    const [one, two] = [await here!.open(address), await there!.open(address)];
    for (const page of [one, two]) {
      await eventually(
        () => page.evaluate(() => window.doc.persist.getStatus().isLive),
        isLive => isLive,
      );
    }
    const keys = [...names('k', 40), '', '__proto__x', 'über 🎙'];
    await one.evaluate(all => all.forEach((key, index) => window.doc.setState({ [key]: { n: index } })), keys);
    await two.evaluate(() => window.doc.setState({ other: [1, { deep: null }] }));
    await world.silo.kill();
    await world.silo.startAgain();
    for (const page of [one, two]) {
      await eventually(
        () => page.evaluate(() => [window.doc.persist.getStatus().pending, Object.keys(window.doc.getState()).length] as const),
        ([pending, count]) => pending === 0 && count === keys.length + 1,
      );
    }
    const { state } = await world.silo.get<{ state: Record<string, unknown> }>(user, '', 'document');
    expect(state).toEqual({ ...Object.fromEntries(keys.map((key, n) => [key, { n }])), other: [1, { deep: null }] });
    const { slices } = await world.silo.get<{ slices: { slice: string; items: number }[] }>(user, '/status', 'document');
    const stored = slices.filter(({ items }) => items > 0).map(({ slice }) => slice);
    expect([...stored].sort()).toEqual([...new Set([...keys, 'other'].map(key => `keys-${partOf(key)}`))].sort());
    await Promise.all([one.close(), two.close()]);
  });

  it('no page wrote an error or a token to its console', () => {
    for (const line of [...here!.console, ...there!.console]) {
      expect(line).not.toMatch(/^uncaught|access_token|eyJ/);
    }
  });
});
