import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { chromiumProgram, crash, freeze, type Chromium } from '../src/chromium.ts';
import { eventually } from '../src/eventually.ts';
import { siloProgram } from '../src/silo.ts';
import { chunksOf, live, saved, statusOf, World } from './world.ts';

describe.skipIf(!chromiumProgram || !siloProgram)('[W5] tabs of a real browser', () => {
  let world: World;
  let [here, there]: Chromium[] = [];

  beforeAll(async () => {
    world = await World.start();
    [here, there] = [await world.browser(), await world.browser()];
  });

  afterAll(() => world?.end());

  const leaderOf = (pages: readonly Page[]): Promise<Page> =>
    eventually(
      async () => {
        const status = await Promise.all(pages.map(statusOf));
        return pages.filter((_, index) => status[index]!.isLeader);
      },
      leaders => leaders.length === 1,
    ).then(leaders => leaders[0]!);

  it('share one connection, and are in step without a network', async () => {
    const user = world.user();
    const proxy = await world.proxy();
    const pages = [await here!.open(world.address(user, proxy.url)), await here!.open(world.address(user, proxy.url))];
    await Promise.all(pages.map(live));
    await leaderOf(pages);
    expect((await world.silo.status(user)).clients).toHaveLength(1);
    await proxy.cut();
    await pages[0]!.evaluate(() => void window.add('a'));
    await pages[1]!.evaluate(() => void window.add('b'));
    for (const page of pages) {
      await eventually(
        () => chunksOf(page),
        ids => [...ids].sort().join() === 'a,b',
      );
    }
    proxy.heal();
    await Promise.all(pages.map(page => page.evaluate(() => window.store.persist.retry())));
    await Promise.all(pages.map(saved));
    expect((await world.silo.state(user)).chunks).toHaveLength(2);
    await Promise.all(pages.map(page => page.close()));
  });

  it('a frozen leader is replaced within seconds, and its return is harmless', async () => {
    const user = world.user();
    const pages = [await here!.open(world.address(user, world.silo.url)), await here!.open(world.address(user, world.silo.url))];
    const other = await there!.open(world.address(user, world.silo.url));
    await Promise.all([...pages, other].map(live));
    const leader = await leaderOf(pages);
    const follower = pages.find(page => page !== leader)!;
    await follower.bringToFront();
    const thaw = await freeze(leader);
    const started = performance.now();
    await follower.evaluate(() => void window.add('while-frozen'));
    await eventually(
      () => chunksOf(other),
      ids => ids.includes('while-frozen'),
      15_000,
    );
    expect(performance.now() - started).toBeLessThan(10_000);
    expect((await statusOf(follower)).isLeader).toBe(true);
    await thaw();
    await eventually(
      async () => [(await statusOf(leader)).isLeader, (await statusOf(follower)).isLeader],
      ([old, now]) => !old && now === true,
    );
    await Promise.all(pages.map(saved));
    expect(await chunksOf(leader)).toEqual(['while-frozen']);
    await Promise.all([...pages, other].map(page => page.close()));
  });

  it('a leader whose process dies, again and again, in the middle of a batch: nothing lost, nothing twice', async () => {
    const user = world.user();
    const open = () => here!.open(world.address(user, world.silo.url));
    const watcher = await open();
    await live(watcher);
    const kept: string[] = [];
    let pages = [watcher];
    for (let round = 0; round < 8; round++) {
      const page = await open();
      pages = [...pages, page];
      await live(page);
      const ids = await page.evaluate(async at => {
        const made = Array.from({ length: 20 }, (_, index) => `r${at}-${index}`);
        await Promise.all(made.map(id => window.add(id).kept));
        return made;
      }, round);
      kept.push(...ids);
      const dying = await leaderOf(pages);
      await crash(dying);
      pages = pages.filter(each => each !== dying);
    }
    await saved(pages[0]!);
    const chunks = (await world.silo.state(user)).chunks.map((chunk: { id: string }) => chunk.id);
    expect([...chunks].sort()).toEqual([...kept].sort());
    expect((await world.silo.status(user)).revision).toBe(kept.length);
    await Promise.all(pages.map(page => page.close()));
  });

  it('what other tabs do while one is loading is not missed, and it writes nothing over it', async () => {
    const user = world.user();
    const one = await here!.open(world.address(user, world.silo.url));
    await live(one);
    await one.evaluate(() => window.add('first').durable);
    const opening = here!.open(world.address(user, world.silo.url), page =>
      page.addInitScript(() => {
        const open = IDBFactory.prototype.open;
        IDBFactory.prototype.open = function (...args) {
          const request = open.apply(this, args);
          // The success comes two seconds late.
          Object.defineProperty(request, 'onsuccess', {
            set(listener: (event: Event) => void) {
              request.addEventListener('success', event => setTimeout(() => listener.call(request, event), 2000));
            },
          });
          return request;
        };
      }),
    );
    const two = await opening;
    await one.evaluate(() => window.add('meanwhile').durable);
    await eventually(
      () => chunksOf(two),
      ids => ids.join() === 'first,meanwhile',
    );
    expect(await chunksOf(one)).toEqual(['first', 'meanwhile']);
    await Promise.all([one.close(), two.close()]);
  });
});

describe.skipIf(!chromiumProgram || !siloProgram)('[W5] a page that is neither https nor localhost', () => {
  let world: World;

  afterAll(() => world?.end());

  it('has no Web Locks: each tab has a connection and a client id of its own, and nothing is lost', async () => {
    const origin = `http://chatterbox.test:${inject('page')}`;
    world = await World.start({ Web__Origins: origin });
    const user = world.user();
    const address = `${origin}/?${new URLSearchParams({ user, url: `http://chatterbox.test:${world.silo.port}` })}`;
    const browser = await world.browser('--host-resolver-rules=MAP chatterbox.test 127.0.0.1');
    const pages = [await browser.open(address), await browser.open(address)];
    await Promise.all(pages.map(live));
    expect(await pages[0]!.evaluate(() => [typeof navigator.locks, typeof crypto.subtle])).toEqual(['undefined', 'undefined']);
    expect((await world.silo.status(user)).clients).toHaveLength(2);
    await pages[0]!.evaluate(() => window.add('a').durable);
    await pages[1]!.evaluate(() => window.add('b').durable);
    for (const each of pages) {
      await eventually(
        () => chunksOf(each),
        ids => [...ids].sort().join() === 'a,b',
      );
      expect((await statusOf(each)).isLeader).toBe(true);
    }
  });
});
