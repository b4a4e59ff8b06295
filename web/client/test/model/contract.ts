import type { Keep } from '../../src/sync/keep.ts';
import type { Platform } from '../../src/sync/platform.ts';

/** One tab's side of a browser. */
export interface TabSide {
  platform: Platform;
  keep: Keep<unknown, { n: number }>;
}

/**
 * What sessions rely upon in a browser: checked of the fakes that the model tests run on, and of a real Chromium. Each is given
 * two tabs of one browser.
 */
export const contract: Readonly<Record<string, (one: TabSide, two: TabSide) => Promise<void>>> = {
  'a lock has one holder, and passes to the next when it is let go': async (one, two) => {
    const order: string[] = [];
    let release = () => {};
    const first = one.platform.locks!.request('contract-1', {}, () => {
      order.push('one');
      return new Promise<void>(resolve => (release = resolve));
    });
    await until(() => order.length === 1, one);
    const second = two.platform.locks!.request('contract-1', {}, async () => void order.push('two'));
    await pause(one, 50);
    same(order, ['one']);
    release();
    await first;
    await second;
    same(order, ['one', 'two']);
  },

  'a stolen lock is taken from its holder, whose request is refused': async (one, two) => {
    let isHeld = false;
    const held = one.platform
      .locks!.request('contract-2', {}, () => {
        isHeld = true;
        return new Promise<void>(() => {});
      })
      .then(
        () => 'done',
        () => 'refused',
      );
    await until(() => isHeld, one);
    await two.platform.locks!.request('contract-2', { steal: true }, async () => undefined);
    same(await held, 'refused');
  },

  'a request that was given up is never granted': async (one, two) => {
    let release = () => {};
    let isHeld = false;
    const held = one.platform.locks!.request('contract-3', {}, () => {
      isHeld = true;
      return new Promise<void>(resolve => (release = resolve));
    });
    await until(() => isHeld, one);
    const giveUp = new AbortController();
    let granted = false;
    const asked = two.platform
      .locks!.request('contract-3', { signal: giveUp.signal }, async () => void (granted = true))
      .then(
        () => 'done',
        () => 'refused',
      );
    giveUp.abort();
    same(await asked, 'refused');
    release();
    await held;
    await pause(one, 50);
    same(granted, false);
  },

  'a channel brings a copy to the other tabs in order, and nothing to its own': async (one, two) => {
    const [here, there] = [one.platform.channel!('contract'), two.platform.channel!('contract')];
    const own: unknown[] = [];
    const other: unknown[] = [];
    here.listen(message => own.push(message));
    there.listen(message => other.push(message));
    const message = { n: [1] };
    here.post(message);
    message.n.push(2);
    here.post({ n: [3] });
    await until(() => other.length === 2, one);
    // The fake may bring them in another order: sessions bear that.
    same(JSON.stringify(other[0]) === '{"n":[1]}' || JSON.stringify(other[1]) === '{"n":[1]}', true);
    same(own, []);
    here.close();
    there.close();
  },

  'a keep that tabs share has one client, and never gives a sequence twice': async (one, two) => {
    const [first, second] = [await one.keep.open(), await two.keep.open()];
    same(first.client, second.client);
    const given = (await Promise.all([...Array(10).keys()].map(n => (n % 2 ? one : two).keep.append([{ n }, { n }])))).flat();
    same(new Set(given).size, 20);
    same((await one.keep.after(0)).length - first.rows.length, 20);
    await two.keep.remove(given);
    same((await one.keep.after(first.last)).length, 0);
    const [next] = await one.keep.append([{ n: 100 }]);
    same(next! > Math.max(...given), true);
    await one.keep.remove([next!]);
  },

  'a clock calls later, not before, and not once it was cancelled': async one => {
    const { clock } = one.platform;
    const called: string[] = [];
    const started = clock.now();
    clock.later(20, () => called.push('later'));
    clock.later(10, () => called.push('cancelled'))();
    await until(() => called.length > 0, one);
    same(called, ['later']);
    same(clock.now() - started >= 19, true);
  },
};

const pause = ({ platform }: TabSide, milliseconds: number): Promise<void> =>
  new Promise(resolve => void platform.clock.later(milliseconds, resolve));

async function until(holds: () => boolean, tab: TabSide): Promise<void> {
  for (let round = 0; round < 200; round++) {
    if (holds()) return;
    await pause(tab, 10);
  }
  throw new Error(`It never came to hold: ${holds}`);
}

function same(value: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(value), JSON.stringify(expected)];
  if (is !== should) throw new Error(`must be ${should}, was ${is}`);
}
