import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { IndexedDbKeep } from '../src/storage/indexedDbKeep.ts';
import { LocalStorageKeep } from '../src/storage/localStorageKeep.ts';
import { MemoryKeep, type Keep } from '../src/sync/keep.ts';
import { FakeStorage } from './fakeStorage.ts';

type Change = { n: number };
type State = { list: number[] };

const ways: [string, () => (client: string) => Keep<State, Change>][] = [
  [
    'IndexedDB',
    () => {
      const factory = new IDBFactory();
      return client => new IndexedDbKeep('k', client, true, factory);
    },
  ],
  [
    'IndexedDB of one tab',
    () => {
      const factory = new IDBFactory();
      return client => new IndexedDbKeep('k', client, false, factory);
    },
  ],
  [
    'localStorage',
    () => {
      const storage = new FakeStorage();
      return client => new LocalStorageKeep('k', client, storage);
    },
  ],
];

describe.each(ways)('[W6] a keep in %s', (_, browser) => {
  it('gives back changes in order under growing sequences, the copy, and the last sequence given', async () => {
    const open = browser();
    const keep = open('a');
    expect(await keep.open()).toEqual({ client: 'a', copy: undefined, rows: [], last: 0 });
    expect(await keep.append([{ n: 1 }, { n: 2 }])).toEqual([1, 2]);
    expect(await keep.append([{ n: 3 }])).toEqual([3]);
    await keep.save({ epoch: 5, revision: 7, state: { list: [1] } });
    keep.close();
    const again = open('a');
    const { last, ...kept } = await again.open();
    expect(kept).toEqual({
      client: 'a',
      copy: { epoch: 5, revision: 7, state: { list: [1] } },
      rows: [1, 2, 3].map(n => ({ sequence: n, change: { n } })),
    });
    expect(last).toBeGreaterThanOrEqual(3);
    expect(await again.after(1)).toEqual([2, 3].map(n => ({ sequence: n, change: { n } })));
  });

  it('never gives a sequence twice, also once all rows were removed', async () => {
    const open = browser();
    const keep = open('a');
    await keep.open();
    await keep.remove(await keep.append([{ n: 1 }, { n: 2 }]));
    keep.close();
    const again = open('a');
    const { rows, last } = await again.open();
    expect([rows, last >= 2]).toEqual([[], true]);
    expect((await again.append([{ n: 3 }]))[0]).toBeGreaterThan(last);
  });
});

describe('[W6] IndexedDB', () => {
  it('shared by tabs: one client id, and no sequence twice', async () => {
    const factory = new IDBFactory();
    const tabs = ['x', 'y'].map(client => new IndexedDbKeep<State, Change>('k', client, true, factory));
    const opened = await Promise.all(tabs.map(tab => tab.open()));
    expect(opened[0]!.client).toBe(opened[1]!.client);
    const given = await Promise.all(Array.from({ length: 20 }, (_, n) => tabs[n % 2]!.append([{ n }, { n }])));
    const all = given.flat().sort((one, other) => one - other);
    expect(all).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect((await tabs[0]!.after(0)).map(row => row.sequence)).toEqual(all);
  });

  it('of tabs that share nothing, each sees its own rows', async () => {
    const factory = new IDBFactory();
    const [one, two] = ['x', 'y'].map(client => new IndexedDbKeep<State, Change>('k', client, false, factory));
    await one!.append([{ n: 1 }]);
    await two!.append([{ n: 2 }]);
    expect((await one!.after(0)).map(row => row.change.n)).toEqual([1]);
    expect((await two!.after(0)).map(row => row.change.n)).toEqual([2]);
  });

  it('a handle that the browser closed is opened again, without a word', async () => {
    const factory = new IDBFactory();
    const handles: IDBDatabase[] = [];
    const open = factory.open.bind(factory);
    factory.open = (...args) => {
      const request = open(...args);
      request.addEventListener('success', () => handles.push(request.result));
      return request;
    };
    const keep = new IndexedDbKeep<State, Change>('k', 'a', true, factory);
    await keep.open();
    handles.forEach(handle => handle.close());
    expect(await keep.append([{ n: 1 }])).toEqual([1]);
    expect(handles).toHaveLength(2);
  });

  it('a database that was deleted under the page goes on with its client id and its sequences', async () => {
    const factory = new IDBFactory();
    const keep = new IndexedDbKeep<State, Change>('k', 'a', true, factory);
    await keep.open();
    await keep.append([{ n: 1 }, { n: 2 }]);
    await new Promise((resolve, reject) => {
      const request = factory.deleteDatabase('k');
      request.onsuccess = resolve;
      request.onerror = reject;
    });
    expect(await keep.append([{ n: 3 }])).toEqual([3]);
    expect(await new IndexedDbKeep<State, Change>('k', 'b', true, factory).open()).toMatchObject({ client: 'a', last: 3 });
  });

  it('a full disk: changes get their sequences and are not kept, and the kind says so', async () => {
    const keep = new IndexedDbKeep<State, Change>('k', 'a', true, new IDBFactory());
    await keep.open();
    await keep.save({ epoch: 1, revision: 1, state: { list: [] } });
    const add = IDBObjectStore.prototype.add;
    try {
      IDBObjectStore.prototype.add = function (value, key) {
        if (value !== null) throw new DOMException('The disk is full.', 'QuotaExceededError');
        return add.call(this, value, key);
      };
      expect(await keep.append([{ n: 1 }, { n: 2 }])).toEqual([1, 2]);
    } finally {
      IDBObjectStore.prototype.add = add;
    }
    expect([keep.kind, keep.reason]).toEqual(['memory', expect.stringContaining('full')]);
    expect(await keep.append([{ n: 3 }])).toEqual([3]);
    expect((await keep.after(0)).map(row => row.change.n)).toEqual([1, 2, 3]);
    await keep.remove([1, 2]);
    expect(keep.kind).toBe('indexedDB');
  });
});

describe('[W6] localStorage', () => {
  it('full: the copy gives way to a change, and what does not fit stays in memory', async () => {
    const storage = new FakeStorage();
    const keep = new LocalStorageKeep<State, Change>('k', 'a', storage);
    await keep.open();
    await keep.save({ epoch: 1, revision: 1, state: { list: Array.from({ length: 100 }, () => 1) } });
    storage.limit(230);
    await keep.append(Array.from({ length: 20 }, (_, n) => ({ n })));
    expect(await new LocalStorageKeep<State, Change>('k', 'a', storage).open()).toMatchObject({ copy: undefined });
    storage.limit(20);
    await keep.append([{ n: 100 }]);
    expect(keep.kind).toBe('memory');
    expect((await keep.after(0)).at(-1)!.change).toEqual({ n: 100 });
  });

  it('a row that is damaged is left out, and the others stay', async () => {
    const storage = new FakeStorage();
    const keep = new LocalStorageKeep<State, Change>('k', 'a', storage);
    await keep.append([{ n: 1 }, { n: 2 }]);
    storage.setItem('k/a/1', '{"n"');
    expect((await keep.after(0)).map(row => row.change.n)).toEqual([2]);
  });
});

describe('[W6] memory', () => {
  it('gives sequences and rows like the others', async () => {
    const keep = new MemoryKeep<State, Change>('a');
    expect(await keep.append([{ n: 1 }])).toEqual([1]);
    expect(await keep.after(0)).toHaveLength(1);
  });
});
