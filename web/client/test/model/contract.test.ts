import { describe, it } from 'vitest';
import { Random } from '../random.ts';
import { contract, type TabSide } from './contract.ts';
import { FakeBrowser, FakeClock } from './world.ts';

describe('[W5] the browser that the model tests run on keeps the contract of a real one', () => {
  it.each(Object.entries(contract))('%s', async (_, holds) => {
    const clock = new FakeClock();
    const browser = new FakeBrowser<unknown, { n: number }>(clock, new Random(1), 'a');
    const [one, two]: TabSide[] = [browser.open(), browser.open()];
    let isOver = false;
    const checked = holds(one!, two!).finally(() => (isOver = true));
    checked.catch(() => undefined);
    for (let round = 0; round < 500 && !isOver; round++) await clock.advance(10);
    await checked;
  });
});
