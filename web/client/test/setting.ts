import type { App } from '../src/app.ts';
import type { Seams } from '../src/server/remote.ts';
import { FakeSilo } from './model/silo.ts';
import { FakeBrowser, FakeClock } from './model/world.ts';
import { Random } from './random.ts';

/** A silo and a browser, on a clock that is told to move. */
export class Setting<S, C> {
  readonly clock = new FakeClock();
  readonly silo: FakeSilo<S, C>;
  private readonly random = new Random(1);
  private readonly browser: FakeBrowser<S, C>;

  constructor(app: App<S, C>, client = 'a') {
    this.silo = new FakeSilo(app, this.clock, this.random);
    this.browser = new FakeBrowser(this.clock, this.random, client);
  }

  /** Another tab of the browser. */
  tab(): Seams<S, C> & { opened: () => number } {
    const { tab, platform, keep } = this.browser.open();
    const transport = this.silo.transport(tab);
    let opened = 0;
    return { platform, keep, transport: { open: on => (opened++, transport.open(on)) }, opened: () => opened };
  }
}

export const server = { url: 'http://silo.test', token: () => Promise.reject(new Error('No token is needed here.')) };
