import type { Page } from 'playwright-core';

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

/** A slider by its name. */
export const slider = (page: Page, name: string) => page.getByRole('slider', { name, exact: true });

export async function addChunk(page: Page, text: string): Promise<void> {
  await page.getByLabel(/^Text to speak/).fill(text);
  await page.getByRole('button', { name: 'Add chunk' }).click();
}

export const textsOf = (page: Page): Promise<string[]> => page.locator('[data-area=chunks] .text').allTextContents();
