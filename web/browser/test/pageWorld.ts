import type { Page } from 'playwright-core';
import { Chromium } from '../src/chromium.ts';
import { Proxy } from '../src/proxy.ts';
import { Silo } from '../src/silo.ts';

let users = 0;

/** A silo that serves its own page, proxies before it, and browsers: all ended together. */
export class PageWorld {
  readonly silo: Silo;
  private readonly ending: (() => Promise<void>)[] = [];

  private constructor(silo: Silo) {
    this.silo = silo;
    this.ending.push(() => silo.stop());
  }

  static async start(): Promise<PageWorld> {
    return new PageWorld(await Silo.start());
  }

  user(): string {
    return `visitor-${++users}`;
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

  async end(): Promise<void> {
    for (const end of this.ending) await end();
  }
}

export const connectionOf = (page: Page) => page.locator('[data-test=connection]');
export const savingOf = (page: Page) => page.locator('[data-test=saving]');

/** Waits until the page says so itself. */
export async function showsLive(page: Page): Promise<void> {
  await connectionOf(page)
    .filter({ hasText: /^Live$/ })
    .waitFor();
}

export async function showsSaved(page: Page): Promise<void> {
  await showsLive(page);
  await savingOf(page)
    .filter({ hasText: /^Saved$/ })
    .waitFor();
}

/** Sets a slider as a user does by keyboard: to its end, then some steps back. */
export const slider = (page: Page, name: string) => page.getByRole('slider', { name, exact: true });

export async function addChunk(page: Page, text: string): Promise<void> {
  await page.getByLabel(/^Text to speak/).fill(text);
  await page.getByRole('button', { name: 'Add chunk' }).click();
}

export const textsOf = (page: Page): Promise<string[]> => page.locator('[data-area=chunks] .text').allTextContents();
