import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumProgram, type Chromium } from '../src/chromium.ts';
import { eventually } from '../src/eventually.ts';
import { siloProgram } from '../src/silo.ts';
import { chunksOf, live, saved, statusOf, World } from './world.ts';

const withoutIndexedDb = (page: Page) =>
  page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('IndexedDB is refused here.', 'SecurityError');
    };
  });

const withoutLocalStorage = (page: Page) =>
  page.addInitScript(() =>
    Object.defineProperty(window, 'localStorage', {
      get: () => {
        throw new DOMException('localStorage is refused here.', 'SecurityError');
      },
    }),
  );

describe.skipIf(!chromiumProgram || !siloProgram)('[W6] what a real browser keeps', () => {
  let world: World;
  let browser: Chromium;

  beforeAll(async () => {
    world = await World.start();
    browser = await world.browser();
  });

  afterAll(() => world?.end());

  it('IndexedDB refused: localStorage takes what is offline over a reload, and the status says why', async () => {
    const user = world.user();
    const proxy = await world.proxy();
    const page = await browser.open(world.address(user, proxy.url), withoutIndexedDb);
    expect(await live(page)).toMatchObject({
      storage: 'localStorage',
      storageReason: expect.stringContaining('IndexedDB is refused'),
    });
    await proxy.cut();
    await page.evaluate(() => window.add('offline').kept);
    await page.reload();
    await eventually(
      () => chunksOf(page),
      ids => ids.join() === 'offline',
    );
    proxy.heal();
    await page.evaluate(() => window.store.persist.retry());
    await saved(page);
    expect((await world.silo.state(user)).chunks).toHaveLength(1);
    await page.close();
  });

  it('both refused: memory, edits go on, and leaving asks only while something would be lost', async () => {
    const user = world.user();
    const proxy = await world.proxy();
    const page = await browser.open(world.address(user, proxy.url), async opened => {
      await withoutIndexedDb(opened);
      await withoutLocalStorage(opened);
    });
    expect(await live(page)).toMatchObject({ storage: 'memory', storageReason: expect.stringContaining('localStorage') });
    const asks = () => page.evaluate(() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true })));
    expect(await asks()).toBe(false);
    await proxy.cut();
    await page.evaluate(() => void window.add('memory'));
    await eventually(asks, isAsking => isAsking);
    proxy.heal();
    await page.evaluate(() => window.store.persist.retry());
    await saved(page);
    expect(await asks()).toBe(false);
    expect((await world.silo.state(user)).chunks).toHaveLength(1);
    await page.close();
  });

  it('another user who signs in on the same browser sees nothing of the first, and sends nothing of theirs', async () => {
    const [first, second] = [world.user(), world.user()];
    const proxy = await world.proxy();
    const page = await browser.open(world.address(first, proxy.url));
    await page.evaluate(() => window.add('stored').durable);
    // From here on only tokens can be had: the silo is not reached, and all that shows comes from the browser.
    await proxy.cut();
    await page.evaluate(() => window.add('secret').kept);
    await page.close();
    proxy.heal();
    const other = await browser.open(world.address(second, proxy.url));
    await live(other);
    expect(await chunksOf(other)).toEqual([]);
    await other.evaluate(() => window.add('mine').durable);
    expect((await world.silo.state(first)).chunks).toHaveLength(1);
    await other.close();
    const again = await browser.open(world.address(first, proxy.url));
    await saved(again);
    expect(await chunksOf(again)).toEqual(['stored', 'secret']);
    await again.close();
  });

  it('a database that the browser closes under the page is opened again: the next change is kept', async () => {
    const user = world.user();
    const page = await browser.open(world.address(user, world.silo.url), opened =>
      opened.addInitScript(() => {
        const open = IDBFactory.prototype.open;
        const handles: IDBDatabase[] = [];
        Object.assign(window, { handles });
        IDBFactory.prototype.open = function (...args) {
          const request = open.apply(this, args);
          request.addEventListener('success', () => handles.push(request.result));
          return request;
        };
      }),
    );
    await live(page);
    const count = () => page.evaluate(() => (window as unknown as { handles: IDBDatabase[] }).handles.length);
    const before = await count();
    // As a browser does: the handle is dead, and nobody is told.
    await page.evaluate(() => (window as unknown as { handles: IDBDatabase[] }).handles.forEach(handle => handle.close()));
    await page.evaluate(() => window.add('after').kept);
    expect(await count()).toBeGreaterThan(before);
    await saved(page);
    await page.close();
  });

  it('a tab of another version deletes or changes the database without waiting for this one', async () => {
    const user = world.user();
    const page = await browser.open(world.address(user, world.silo.url));
    await live(page);
    const deleted = await page.evaluate(async () => {
      const names = (await indexedDB.databases()).map(({ name }) => name!).filter(name => name.includes('app-state'));
      const started = performance.now();
      for (const name of names) {
        await new Promise<void>((resolve, reject) => {
          const request = indexedDB.deleteDatabase(name);
          request.onsuccess = () => resolve();
          request.onerror = () => reject(request.error);
        });
      }
      return { count: names.length, took: performance.now() - started };
    });
    expect(deleted.count).toBeGreaterThan(0);
    expect(deleted.took).toBeLessThan(3000);
    // The numbers of changes go on: from 1 again, the session would take them for old.
    await page.evaluate(() => window.add('next').durable);
    expect((await world.silo.state(user)).chunks.map((chunk: { id: string }) => chunk.id)).toContain('next');
    await page.close();
  });

  it('a full disk stops no edit: they are sent all the same, and the status says that they are not kept', async () => {
    const user = world.user();
    const page = await browser.open(world.address(user, world.silo.url));
    await page.evaluate(() => window.add('before').durable);
    await page.evaluate(() => {
      const add = IDBObjectStore.prototype.add;
      IDBObjectStore.prototype.add = function (value, key) {
        if (value !== null) throw new DOMException('The disk is full.', 'QuotaExceededError');
        return add.call(this, value, key);
      };
    });
    await page.evaluate(() => window.add('after').durable);
    expect((await world.silo.state(user)).chunks).toHaveLength(2);
    expect((await statusOf(page)).pending).toBe(0);
    await page.close();
  });
});
