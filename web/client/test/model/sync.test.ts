import { describe, expect, it } from 'vitest';
import { document, type DocumentChange, type DocumentState } from '../../src/document/document.ts';
import { Session } from '../../src/sync/session.ts';
import { Random } from '../random.ts';
import { FakeSilo } from './silo.ts';
import { FakeBrowser, FakeClock, turn, type Tab } from './world.ts';

const first = Number(process.env['CHATTERBOX_SEED'] ?? 1);
const runs = Number(process.env['CHATTERBOX_RUNS'] ?? 150);
/** Seeds that found a fault once. */
const found = [64, 67, 75, 86, 147, 237, 297, 413, 422, 595, 734, 939, 1059];
const seeds = [...new Set([...Array.from({ length: runs }, (_, index) => first + index), ...found])];

interface Open {
  browser: FakeBrowser<DocumentState, DocumentChange>;
  tab: Tab;
  session: Session<DocumentState, DocumentChange>;
}

describe('[W5] tabs × devices × silo crashes', () => {
  it.each(seeds)('end equal, nothing lost, nothing twice (seed %i)', async seed => {
    const world = new World(seed);
    for (let step = 0; step < 120; step++) await world.step();
    await world.calm();
    world.check();
  });
});

class World {
  private readonly random: Random;
  private readonly clock = new FakeClock();
  private readonly silo: FakeSilo<DocumentState, DocumentChange>;
  private readonly browsers: FakeBrowser<DocumentState, DocumentChange>[];
  private open: Open[] = [];
  /** Keys of changes whose page was told that they are kept: these may not be lost, whatever ends. */
  private readonly promised = new Set<string>();
  private readonly durable = new Set<string>();
  private edits = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.silo = new FakeSilo(document, this.clock, this.random);
    this.browsers = ['a', 'b'].map(client => new FakeBrowser(this.clock, this.random, client));
  }

  async step(): Promise<void> {
    const action = this.random.next(30);
    const one = this.open.length > 0 ? this.random.pick(this.open) : undefined;
    if (action < 3 && this.open.length < 6) this.openTab();
    else if (action < 14 && one && !one.tab.isFrozen) this.edit(one);
    else if (action === 14 && one) this.kill(one);
    else if (action === 15 && one && !one.tab.isFrozen) this.closeTab(one);
    else if (action === 16 && one) one.tab.isFrozen = true;
    else if (action === 17) this.open.forEach(({ tab }) => tab.thaw());
    else if (action === 18 && one) this.hide(one, !one.tab.isHidden);
    else if (action === 19) this.silo.cut();
    else if (action === 20) this.silo.crash();
    else if (action < 23) this.silo.restart();
    else if (action < 26) this.silo.save();
    await this.clock.advance(this.random.pick([0, 1, 5, 20, 300, 3000]));
  }

  /** All wake, the silo is there, everything is saved. */
  async calm(): Promise<void> {
    this.silo.restart();
    for (const { tab } of this.open) {
      tab.isHidden = false;
      tab.thaw();
    }
    for (const browser of this.browsers) if (![...this.open].some(each => each.browser === browser)) this.openTab(browser);
    for (let round = 0; round < 30; round++) {
      await this.clock.advance(5_000);
      this.silo.save();
    }
    await this.clock.advance(20_000);
    await turn();
  }

  check(): void {
    for (const { session } of this.open) {
      expect(session.state).toEqual(this.silo.state);
      expect(session.status).toMatchObject({ hasHydrated: true, isLive: true, connection: 'live', pending: 0, saving: 'saved' });
    }
    for (const browser of this.browsers) {
      expect(browser.outbox).toEqual([]);
      expect(this.open.filter(each => each.browser === browser && each.session.status.isLeader)).toHaveLength(1);
    }
    expect([...this.promised].filter(key => !(key in this.silo.state))).toEqual([]);
    expect([...this.durable].filter(key => !(key in this.silo.state))).toEqual([]);
    expect([...this.silo.taken].filter(([, count]) => count !== 1)).toEqual([]);
  }

  private openTab(browser = this.random.pick(this.browsers)): void {
    const { tab, platform, keep } = browser.open();
    const transport = this.silo.transport(tab);
    const session = new Session({ app: document, transport, keep, platform, name: 'session' });
    void session.start();
    this.open.push({ browser, tab, session });
  }

  private edit({ session, tab }: Open): void {
    const key = `k${this.edits++}`;
    const own = session.dispatch({ type: 'setKey', key, value: this.edits });
    session.dispatch({ type: 'mergeKey', key: 'shared', patch: { [this.random.pick(['x', 'y', 'z'])]: this.edits } });
    expect(key in session.state).toBe(true);
    void own.kept.then(() => tab.isDead || this.promised.add(key));
    void own.durable.then(() => tab.isDead || this.durable.add(key));
  }

  private kill(one: Open): void {
    one.browser.kill(one.tab);
    this.silo.cut(one.tab);
    this.open = this.open.filter(each => each !== one);
  }

  private closeTab(one: Open): void {
    one.session.close();
    this.kill(one);
  }

  private hide({ tab }: Open, isHidden: boolean): void {
    tab.isHidden = isHidden;
    tab.wake();
  }
}
