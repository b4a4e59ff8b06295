import { contract, type TabSide } from '../../client/test/model/contract.ts';
import { IndexedDbKeep } from '../../client/src/storage/indexedDbKeep.ts';
import { browserPlatform } from '@chatterbox/store/session';

declare global {
  interface Window {
    contract: Record<string, () => Promise<void>>;
  }
}

// Two sides in one page: locks and channels of a browser make no difference between two pages and two of these.
const side = (): TabSide => {
  const platform = browserPlatform();
  return { platform, keep: new IndexedDbKeep('contract', platform.newId(), true) };
};

window.contract = Object.fromEntries(Object.entries(contract).map(([name, holds]) => [name, () => holds(side(), side())]));
