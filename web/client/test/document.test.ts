import { describe, expect, it } from 'vitest';
import { document, documentChanges, type DocumentState } from '../src/document/document.ts';
import { diff, mergePatch, sameValue, type Json } from '../src/document/mergePatch.ts';
import { Random } from './random.ts';

// RFC 7396, appendix A: the original, the patch, the result.
const examples: [Json, Json, Json][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

describe('[G2] documents', () => {
  it.each(examples)('RFC 7396: %j patched by %j is %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  it('a patch that changes nothing returns the same reference, at every depth', () => {
    const target = { a: { b: [1, { c: 2 }] }, d: null };
    expect(mergePatch(target, { a: { b: [1, { c: 2 }] }, x: null })).toBe(target);
    const { state } = document.reduce({ k: target }, { type: 'mergeKey', key: 'k', patch: { d: 3 } });
    expect((state.k as typeof target).a).toBe(target.a);
  });

  it('what a diff says turns one value into the other, for 20,000 random pairs (seed 16)', () => {
    const random = new Random(16);
    let patches = 0;
    for (let run = 0; run < 20_000; run++) {
      const [before, after] = [value(random, 3), value(random, 3)];
      const patch = diff(before, after);
      if (patch === undefined) continue;
      patches++;
      expect(sameValue(mergePatch(before, patch), after), JSON.stringify({ before, after, patch })).toBe(true);
    }
    expect(patches).toBeGreaterThan(1000);
  });

  it('the changes between two documents turn one into the other, nulls and member names of any kind included (seed 17)', () => {
    const random = new Random(17);
    for (let run = 0; run < 5_000; run++) {
      const [before, after] = [doc(random), doc(random)];
      const changed = documentChanges(before, after).reduce((state, change) => document.reduce(state, change).state, before);
      expect(sameValue(changed, after), JSON.stringify({ before, after })).toBe(true);
    }
  });

  it('a value of the same reference costs no comparison, and one that is equal makes no change', () => {
    const shared = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('looked into');
        },
      },
    ) as Json;
    expect(documentChanges({ shared, list: [1] }, { shared, list: [1] })).toEqual([]);
  });

  it('edits of different fields of one key merge, whichever arrives first', () => {
    const start: DocumentState = { settings: { theme: 'light', size: 1 } };
    const a = documentChanges(start, { settings: { theme: 'dark', size: 1 } });
    const b = documentChanges(start, { settings: { theme: 'light', size: 2 } });
    const apply = (changes: typeof a) => changes.reduce((state, change) => document.reduce(state, change).state, start);
    for (const order of [
      [...a, ...b],
      [...b, ...a],
    ])
      expect(apply(order)).toEqual({ settings: { theme: 'dark', size: 2 } });
  });

  it('a key that is no text or too long, and a missing value, are refused', () => {
    for (const change of [
      { type: 'setKey', value: 1 },
      { type: 'setKey', key: '\ud800', value: 1 },
      { type: 'setKey', key: 'k'.repeat(1025), value: 1 },
      { type: 'setKey', key: 'k', value: 'v'.repeat(1024 * 1024) },
      { type: 'setKey', key: 'k' },
    ]) {
      expect(document.reduce({}, change as never).rejection).toBeDefined();
    }
  });
});

const names = ['a', 'b', 'c', '__proto__', ''];

function value(random: Random, depth: number): Json {
  switch (random.next(depth > 0 ? 8 : 4)) {
    case 0:
      return null;
    case 1:
      return random.next(3);
    case 2:
      return random.next(2) === 0;
    case 3:
      return names[random.next(3)]!;
    case 4:
      return Array.from({ length: random.next(3) }, () => value(random, depth - 1));
    default:
      return doc(random, depth - 1);
  }
}

function doc(random: Random, depth = 3): DocumentState {
  return Object.fromEntries(
    names.filter(name => (depth < 3 || name !== '') && random.next(2) === 0).map(name => [name, value(random, depth)]),
  );
}
