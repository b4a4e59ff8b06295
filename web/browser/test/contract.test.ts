import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Page } from 'playwright-core';
import { contract } from '../../client/test/model/contract.ts';
import { Chromium, chromiumProgram } from '../src/chromium.ts';

describe.skipIf(!chromiumProgram)('[W5] a real Chromium keeps the contract that the model tests are run on', () => {
  let browser: Chromium;
  let page: Page;

  beforeAll(async () => {
    browser = await Chromium.start();
    // Nothing is reached: the contract needs no server.
    page = await browser.open(`http://127.0.0.1:${inject('page')}/?contract&user=nobody&url=http://127.0.0.1:9`);
    await page.waitForFunction(() => window.contract !== undefined);
  });

  afterAll(() => browser?.stop());

  it.each(Object.keys(contract))('%s', async name => {
    expect(await page.evaluate(claim => window.contract[claim]!().then(() => 'holds'), name)).toBe('holds');
  });
});
