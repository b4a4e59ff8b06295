import { describe, expect, it } from 'vitest';
import { claimsOf, Tokens, type TokenProvider } from '../src/server/tokens.ts';
import { FakeClock } from './model/world.ts';

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

const jwt = (claims: object) => `${encode({ alg: 'none' })}.${encode(claims)}.x`;

function made(provider: TokenProvider) {
  const clock = new FakeClock();
  return { clock, tokens: new Tokens(provider, clock, () => 0) };
}

describe('tokens', () => {
  it('one request is under way at a time, and a token is asked for again before it expires, by its own span', async () => {
    let asked = 0;
    // The browser's clock may be hours off: only the difference counts.
    const { clock, tokens } = made(async () => jwt({ sub: 'a', iat: 1000, exp: 1900, n: ++asked }));
    const [one, two] = await Promise.all([tokens.get(), tokens.get()]);
    expect([one === two, asked]).toEqual([true, 1]);
    await clock.advance(839_000);
    await tokens.get();
    expect(asked).toBe(1);
    await clock.advance(2_000);
    await tokens.get();
    expect(asked).toBe(2);
  });

  it('a short token is renewed within its life', async () => {
    const { tokens } = made(async () => jwt({ sub: 'a', iat: 1000, exp: 1005 }));
    await tokens.get();
    expect(tokens.renewIn).toBe(3000);
  });

  it('a provider that hangs is given up, one that fails is no sign-out, and null is one', async () => {
    const ways: (() => Promise<string | null>)[] = [
      () => new Promise(() => {}),
      () => Promise.reject(new Error('Failed to fetch')),
      () => Promise.resolve(null),
      async () => jwt({ sub: 'a' }),
    ];
    const { clock, tokens } = made(() => ways.shift()!());
    const hanging = tokens.get();
    const told = expect(hanging).rejects.toMatchObject({ trouble: 'gone' });
    await clock.advance(10_001);
    await told;
    await expect(tokens.get()).rejects.toMatchObject({ trouble: 'gone' });
    await expect(tokens.get()).rejects.toMatchObject({ trouble: 'needs-auth' });
    expect(claimsOf(await tokens.get()).sub).toBe('a');
  });

  it('a token that was not taken is not used again', async () => {
    let asked = 0;
    const { tokens } = made(async () => jwt({ sub: 'a', n: ++asked }));
    tokens.drop(await tokens.get());
    await tokens.get();
    expect(asked).toBe(2);
  });

  it('reads claims that are not ASCII, and nothing of what is no JWT', () => {
    expect(claimsOf(jwt({ sub: 'jürgen 🎙' })).sub).toBe('jürgen 🎙');
    expect(claimsOf('opaque')).toEqual({});
  });
});
