import { inject } from 'vitest';
import type { Page } from 'playwright-core';
import type { PersistenceStatus } from '@chatterbox/store';
import { Chromium } from '../src/chromium.ts';
import { eventually } from '../src/eventually.ts';
import { Proxy } from '../src/proxy.ts';
import { Silo } from '../src/silo.ts';

let users = 0;

/** A silo, proxies before it, and browsers: all ended together. */
export class World {
  readonly silo: Silo;
  private readonly ending: (() => Promise<void>)[] = [];

  private constructor(silo: Silo) {
    this.silo = silo;
    this.ending.push(() => silo.stop());
  }

  static async start(settings: Record<string, string> = {}): Promise<World> {
    const origin = `http://127.0.0.1:${inject('page')}`;
    return new World(await Silo.start({ Web__Origins: origin, ...settings }));
  }

  /** One whose silo serves its own page, to nobody else's. */
  static async ofItsPage(): Promise<World> {
    return new World(await Silo.start());
  }

  /** A user of this test alone. */
  user(): string {
    return `user-${++users}`;
  }

  async browser(...flags: string[]): Promise<Chromium> {
    const browser = await Chromium.start(...flags);
    this.ending.unshift(() => browser.stop());
    return browser;
  }

  async proxy(): Promise<Proxy> {
    const proxy = await Proxy.before(() => this.silo.port);
    this.ending.unshift(() => proxy.stop());
    return proxy;
  }

  address(user: string, url: string, more: Record<string, string> = {}): string {
    return `http://127.0.0.1:${inject('page')}/?${new URLSearchParams({ user, url, ...more })}`;
  }

  async end(): Promise<void> {
    for (const end of this.ending) await end();
  }
}

export const statusOf = (page: Page): Promise<PersistenceStatus> => page.evaluate(() => window.store.persist.getStatus());

export const live = (page: Page): Promise<PersistenceStatus> =>
  eventually(
    () => statusOf(page),
    status => status.isLive,
  );

export const saved = (page: Page): Promise<PersistenceStatus> =>
  eventually(
    () => statusOf(page),
    status => status.pending === 0 && status.saving === 'saved' && status.isLive,
  );

/** The ids of the chunks that a page shows. */
export const chunksOf = (page: Page): Promise<string[]> =>
  page.evaluate(() => window.store.getState().chunks.map(chunk => chunk.id));
