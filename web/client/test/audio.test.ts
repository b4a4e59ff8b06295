import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Audio } from '../src/server/audio.ts';
import { Http } from '../src/server/http.ts';
import { sha256 } from '../src/server/sha256.ts';
import { Tokens } from '../src/server/tokens.ts';
import { browserPlatform } from '../src/sync/platform.ts';

afterEach(() => vi.unstubAllGlobals());

describe('[W3] audio', () => {
  it.each([0, 1, 55, 56, 63, 64, 65, 1000, 100_000])(
    '%i bytes have the hash that others give them, without crypto.subtle',
    length => {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
      expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    },
  );

  it('a piece that was cut is sent again, those that arrived are not, and progress only grows', async () => {
    const piece = 4;
    const stored = new Set<number>();
    const puts: number[] = [];
    let cut = true;
    vi.stubGlobal('fetch', async (url: string, { method }: RequestInit) => {
      const index = Number(/pieces\/(\d+)$/.exec(url)?.[1] ?? NaN);
      if (method === 'PUT') {
        puts.push(index);
        if (index === 2 && cut) {
          cut = false;
          throw new TypeError('Failed to fetch');
        }
        stored.add(index);
        return new Response(null, { status: 204 });
      }
      const missing = [0, 1, 2].filter(each => !stored.has(each));
      const audio = url.endsWith('/complete') && missing.length === 0 ? { hash: 'h', length: 10 } : undefined;
      return Response.json({ pieceBytes: piece, missing, audio });
    });
    const platform = browserPlatform();
    const clock = { now: () => 0, later: (_: number, call: () => void) => (queueMicrotask(call), () => {}) };
    const tokens = new Tokens(async () => 'token', { ...clock, later: () => () => {} }, platform.random);
    const audio = new Audio(new Http('http://silo.test', tokens), 'app-state', clock);
    const progress: number[] = [];
    const ref = await audio.upload(new Blob(['0123456789']), { onProgress: part => progress.push(part) });
    expect(ref).toMatchObject({ hash: 'h' });
    expect(puts.filter(index => index === 2)).toHaveLength(2);
    expect(puts.filter(index => index === 0)).toHaveLength(1);
    expect(progress).toEqual([...progress].sort((one, other) => one - other));
    expect(progress.at(-1)).toBe(1);
  });
});
