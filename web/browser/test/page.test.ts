import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page, WebSocket } from 'playwright-core';
import { chromiumProgram, type Chromium } from '../src/chromium.ts';
import { eventually } from '../src/eventually.ts';
import { siloProgram } from '../src/silo.ts';
import { addChunk, connectionOf, savingOf, showsLive, showsSaved, slider, textsOf } from './page.ts';
import { World } from './world.ts';

declare global {
  interface Window {
    axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] }> };
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const budget = 150_000;
/** Where a run leaves pictures of the page, when it is asked to. */
const pictures = process.env['CHATTERBOX_SCREENSHOTS'];

describe.skipIf(!chromiumProgram || !siloProgram)('the page of a real silo in a real browser', () => {
  let world: World;
  let [here, there]: Chromium[] = [];

  beforeAll(async () => {
    world = await World.ofItsPage();
    [here, there] = [await world.browser(), await world.browser()];
  });

  afterAll(() => world?.end());

  const open = (browser: Chromium, user: string, base = world.silo.url) => browser.open(`${base}/?user=${user}`);

  it('[C1] an edit on one device shows on the other, which is listed as present', async () => {
    const user = world.user();
    const [one, two] = [await open(here!, user), await there!.open(`${world.silo.url}/?user=${user}&device=phone`)];
    await Promise.all([showsLive(one), showsLive(two)]);
    await slider(one, 'Temperature').press('End');
    await eventually(
      () => slider(two, 'Temperature').inputValue(),
      value => value === '5',
    );
    await addChunk(two, 'Said on the phone');
    await eventually(
      () => textsOf(one),
      texts => texts.join() === 'Said on the phone',
    );
    await one.getByRole('list', { name: 'Devices present' }).getByText('phone').waitFor();
    // The three lights of the change.
    await one.locator('.strip li[data-durable]').first().waitFor();
    await Promise.all([one.close(), two.close()]);
  });

  it('[C1] a second device in the same browser has a copy and a connection of its own', async () => {
    const user = world.user();
    const one = await open(here!, user);
    await showsLive(one);
    const [two] = await Promise.all([
      one.context().waitForEvent('page'),
      one.getByRole('link', { name: 'Open as a second device' }).click(),
    ]);
    await showsLive(two!);
    await eventually(
      () => world.silo.status(user),
      ({ clients }) => new Set(clients.map(each => each.client)).size === 2,
    );
    await Promise.all([one.close(), two!.close()]);
  });

  it('[C5] with the plug pulled edits go on and are counted, and arrive when it is plugged again', async () => {
    const user = world.user();
    const sockets: WebSocket[] = [];
    const page = await here!.open(
      `${world.silo.url}/?user=${user}`,
      async opened => void opened.on('websocket', each => sockets.push(each)),
    );
    await showsSaved(page);
    await page.getByRole('switch', { name: 'Pull the plug' }).click();
    await connectionOf(page).filter({ hasText: 'Unplugged' }).waitFor();
    // The socket itself: the silo lists a client for as long as its lease runs.
    await eventually(
      () => sockets.map(each => each.isClosed()),
      closed => closed.length > 0 && closed.every(Boolean),
    );
    for (const text of ['one', 'two', 'three']) await addChunk(page, text);
    await savingOf(page).filter({ hasText: '3 changes kept here' }).waitFor();
    expect((await world.silo.state(user)).chunks).toEqual([]);
    await page.getByRole('switch', { name: 'Pull the plug' }).click();
    await showsSaved(page);
    expect((await world.silo.state(user)).chunks.map((chunk: { text: string }) => chunk.text)).toEqual(['one', 'two', 'three']);
    await page.close();
  });

  it('[C5] edits made while the connection is cut arrive, and the page says how many wait', async () => {
    const user = world.user();
    const proxy = await world.proxy();
    const page = await open(here!, user, proxy.url);
    await showsSaved(page);
    await proxy.cut();
    expect(proxy.closed).toBeGreaterThan(0);
    await connectionOf(page).filter({ hasText: 'Offline' }).waitFor();
    await addChunk(page, 'while offline');
    await savingOf(page).filter({ hasText: '1 change kept here' }).waitFor();
    proxy.heal();
    await showsSaved(page);
    expect((await world.silo.state(user)).chunks).toHaveLength(1);
    await page.close();
  });

  it('[C3] kill -9 of the silo loses nothing that the page shows', async () => {
    const user = world.user();
    const page = await open(here!, user);
    await showsSaved(page);
    const texts = Array.from({ length: 12 }, (_, index) => `before ${index}`);
    for (const text of texts) await addChunk(page, text);
    await world.silo.kill();
    await connectionOf(page).filter({ hasText: 'Offline' }).waitFor();
    await addChunk(page, 'after');
    await world.silo.startAgain();
    await showsSaved(page);
    expect((await world.silo.state(user)).chunks.map((chunk: { text: string }) => chunk.text)).toEqual([...texts, 'after']);
    expect((await textsOf(page)).reverse()).toEqual([...texts, 'after']);
    await page.close();
  });

  it('[P11] a cleared session is looked at in the history, and restored from it', async () => {
    const user = world.user();
    const page = await open(here!, user);
    await showsSaved(page);
    await addChunk(page, 'to be restored');
    await showsSaved(page);
    await page.getByRole('button', { name: 'Clear the session' }).click();
    await eventually(
      () => textsOf(page),
      texts => texts.length === 0,
    );
    await page
      .getByRole('button', { name: /^Look at Before clear/ })
      .first()
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('summary', { hasText: 'Chunks' }).waitFor();
    expect(await dialog.textContent()).toContain('"text": "to be restored"');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page
      .getByRole('button', { name: /^Restore Before clear/ })
      .first()
      .click();
    await eventually(
      () => textsOf(page),
      texts => texts.join() === 'to be restored',
    );
    await page.close();
  });

  it('[X1] a name is asked for where there is none', async () => {
    const page = await here!.open(world.silo.url);
    await page.getByLabel('Your name').fill('a/b');
    await page.getByText('must have no /').waitFor();
    const user = world.user();
    await page.getByLabel('Your name').fill(user);
    await page.getByRole('button', { name: 'Open my session' }).click();
    await showsLive(page);
    expect(new URL(page.url()).search).toBe(`?user=${user}`);
    await page.close();
  });

  it('[C6] audio is uploaded to a chunk and heard, and what an old store left in the browser is taken over after a dry run', async () => {
    const user = world.user();
    const page = await open(here!, user);
    await showsSaved(page);
    await addChunk(page, 'Good morning');
    await page.getByRole('button', { name: 'Speak' }).click();
    await page.getByText('Completed', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^Listen/ }).click();
    await page.getByRole('img', { name: /^Waveform/ }).waitFor();
    await eventually(
      () => page.locator('audio').evaluate(audio => (audio as HTMLAudioElement).duration),
      duration => duration > 1,
    );
    await page.evaluate(() =>
      localStorage.setItem(
        'chatterbox-app-state',
        JSON.stringify({ state: { ttsEngine: 'turbo', useStreaming: true }, version: 1 }),
      ),
    );
    await page.reload();
    await showsLive(page);
    await page.getByRole('button', { name: 'Take over what my browser holds' }).click();
    await page.getByText('Dry run.').waitFor();
    expect((await world.silo.state(user)).preferences.engine).toBe('chatterbox');
    await page.getByRole('button', { name: 'Replace the session' }).click();
    await eventually(
      () => page.getByRole('radio', { name: 'Turbo' }).isChecked(),
      isChecked => isChecked,
    );
    await page.evaluate(() => localStorage.removeItem('chatterbox-app-state'));
    await page.close();
  });

  it('[W3] axe has no serious finding at 360 and 1280 px, light and dark, and nothing is wider than the screen', async () => {
    const user = world.user();
    const page = await open(here!, user);
    await showsLive(page);
    await furnish(page);
    for (const width of [360, 1280]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        const found = await findings(page);
        expect(found, `${width} px, ${colorScheme}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        if (pictures) {
          mkdirSync(pictures, { recursive: true });
          await page.evaluate(() => scrollTo(0, 0));
          await page.screenshot({ path: `${pictures}/page-${width}-${colorScheme}.png` });
        }
      }
    }
    await page.close();
  });

  it('[W3] the first load is within its budget, and asks no other host', async () => {
    const loaded = new Map<string, number>();
    const page = await here!.open('about:blank');
    page.on('request', request => loaded.set(request.url(), 0));
    page.on('response', async response => {
      if (!['document', 'script', 'stylesheet'].includes(response.request().resourceType())) return;
      loaded.set(response.url(), gzipSync(await response.body(), { level: 9 }).length);
    });
    await page.goto(`${world.silo.url}/?user=${world.user()}`);
    await showsLive(page);
    const hosts = [...loaded.keys()]
      .filter(url => !url.startsWith('data:') && !url.startsWith('blob:'))
      .map(url => new URL(url).origin);
    expect([...new Set(hosts)]).toEqual([world.silo.url]);
    const bytes = [...loaded.values()].reduce((sum, each) => sum + each, 0);
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThan(budget);
    await page.close();
  });

  it('[W3] the console of all these pages has no error of theirs', () => {
    // A silo that is killed or cut off is a failed request: the browser says so by itself.
    const own = [...here!.console, ...there!.console].filter(
      line =>
        /^(error|warning|uncaught)/.test(line) &&
        !/net::ERR_(CONNECTION|EMPTY|SOCKET|ABORTED)|WebSocket connection to/.test(line),
    );
    expect(own).toEqual([]);
  });

  async function findings(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(node => `${node.html.slice(0, 160)} ${node.failureSummary}`).join(' | ')}`);
  }

  /** Something of everything. */
  async function furnish(page: Page): Promise<void> {
    await page.getByLabel('Name of a new work session').fill('Audiobook, chapter 3');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByLabel('Name of a voice').fill('Narrator');
    await page.getByRole('button', { name: 'Save voice' }).click();
    for (const text of ['The rain had stopped before she reached the harbour.', '“You are late,” said the ferryman, and smiled.'])
      await addChunk(page, text);
    await page.getByRole('button', { name: 'Speak' }).first().click();
    await page.getByText('Completed', { exact: true }).waitFor();
    await page
      .getByRole('button', { name: /^Listen/ })
      .first()
      .click();
    await page.getByRole('img', { name: /^Waveform/ }).waitFor();
    await page.getByLabel('Name of a batch of the chunks above').fill('Chapter 3');
    await page.getByRole('button', { name: 'Add batch' }).click();
    for (let step = 0; step < 9; step++) await slider(page, 'Temperature').press('ArrowRight');
    for (let step = 0; step < 4; step++) await slider(page, 'Exaggeration').press('ArrowLeft');
    await page.locator('svg.chart').first().waitFor();
    await showsSaved(page);
  }
});
