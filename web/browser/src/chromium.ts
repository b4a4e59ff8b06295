import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { eventually } from './eventually.ts';

/** Debian's. */
export const chromiumProgram = [process.env['CHATTERBOX_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  path => path !== undefined && existsSync(path),
);

/** A browser as a user has one: a process with a profile, which outlives the process. */
export class Chromium {
  private readonly profile: string;
  private readonly flags: readonly string[];
  private process: ChildProcess | undefined;
  private browser: Browser | undefined;
  /** What pages wrote to their consoles, and errors that nobody caught. */
  readonly console: string[] = [];

  private constructor(profile: string, flags: readonly string[]) {
    [this.profile, this.flags] = [profile, flags];
  }

  static async start(...flags: string[]): Promise<Chromium> {
    const browser = new Chromium(await mkdtemp(join(tmpdir(), 'chatterbox-profile-')), flags);
    await browser.startAgain();
    return browser;
  }

  /** With the same profile. */
  async startAgain(): Promise<void> {
    const portFile = join(this.profile, 'DevToolsActivePort');
    await rm(portFile, { force: true });
    this.process = spawn(
      chromiumProgram!,
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
        '--no-default-browser-check',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--remote-debugging-port=0',
        `--user-data-dir=${this.profile}`,
        ...this.flags,
        'about:blank',
      ],
      { stdio: 'ignore', detached: true },
    );
    const text = await eventually(
      () => readFile(portFile, 'utf8'),
      found => found.includes('\n'),
    );
    this.browser = await chromium.connectOverCDP(`http://127.0.0.1:${text.split('\n')[0]}`);
  }

  async open(url: string, prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
    const page = await this.context.newPage();
    page.on('console', message => this.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', error => this.console.push(`uncaught: ${error.message}`));
    await prepare?.(page);
    await page.goto(url);
    return page;
  }

  /** The whole browser at once: no page gets to say anything. */
  async kill(): Promise<void> {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    // Its children, too: it is the leader of a group of its own.
    process.kill(-this.process.pid!, 'SIGKILL');
    await exited;
    await this.browser?.close().catch(() => undefined);
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  private get context(): BrowserContext {
    return this.browser!.contexts()[0]!;
  }
}

/**
 * Freezes a page: its script stands still, and it holds what it held, locks above all. `setWebLifecycleState` would not do: it
 * leaves a page alone that a headless browser takes for visible. Gives what thaws it.
 */
export async function freeze(page: Page): Promise<() => Promise<void>> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Debugger.enable');
  const paused = new Promise(resolve => cdp.once('Debugger.paused', resolve));
  await cdp.send('Debugger.pause');
  await paused;
  return async () => {
    await cdp.send('Debugger.resume');
    await cdp.detach();
  };
}

/** Ends the process of a page: nothing in it runs any more. */
export async function crash(page: Page): Promise<void> {
  const crashed = new Promise(resolve => page.once('crash', resolve));
  void page.goto('chrome://crash').catch(() => undefined);
  await crashed;
  await page.close().catch(() => undefined);
}
