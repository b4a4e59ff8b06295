import { within, type Clock } from '../sync/platform.ts';
import { TransportError } from '../sync/transport.ts';

/** Gives the token of the user who is signed in, or null when nobody is. Rejects when it cannot tell at present. */
export type TokenProvider = () => Promise<string | null>;

const patience = 10_000;
const earlyBy = 60_000;
/** Of the life of a short token. */
const earlyPart = 0.6;

interface Known {
  token: string;
  since: number;
  /** Milliseconds from the moment it was given; undefined where the token does not say. */
  life: number | undefined;
}

/** Asks for tokens: one request at a time, with a time-out, and again before a token expires. */
export class Tokens {
  private readonly provider: TokenProvider;
  private readonly clock: Clock;
  private readonly random: () => number;
  private known: Known | undefined;
  private asking: Promise<string> | undefined;

  constructor(provider: TokenProvider, clock: Clock, random: () => number) {
    [this.provider, this.clock, this.random] = [provider, clock, random];
  }

  /** A token that is valid for a while. Rejects with {@link TransportError}. */
  async get(): Promise<string> {
    return this.known && this.left(this.known) > 0 ? this.known.token : this.renew();
  }

  renew(): Promise<string> {
    return (this.asking ??= this.ask().finally(() => (this.asking = undefined)));
  }

  /** The token was not taken. */
  drop(token: string): void {
    if (this.known?.token === token) this.known = undefined;
  }

  /** Milliseconds until the token should be renewed; undefined where it does not say. */
  get renewIn(): number | undefined {
    return this.known?.life === undefined ? undefined : Math.max(0, this.left(this.known));
  }

  private async ask(): Promise<string> {
    let token: string | null;
    try {
      token = await within(this.clock, patience, 'Asking for a token', Promise.resolve(this.provider()));
    } catch (failure) {
      // That it cannot be reached does not mean that nobody is signed in.
      if (failure instanceof TransportError) throw failure;
      throw new TransportError('gone', `No token could be had: ${(failure as Error)?.message ?? failure}`);
    }
    if (!token) throw new TransportError('needs-auth', 'Nobody is signed in.');
    const { exp, iat } = claimsOf(token);
    // By the token's own span: the browser's clock may be wrong.
    const life = exp === undefined ? undefined : (exp - (iat ?? Date.now() / 1000)) * 1000;
    this.known = { token, since: this.clock.now(), life };
    return token;
  }

  private left({ since, life }: Known): number {
    if (life === undefined) return Infinity;
    const early = Math.min(earlyBy, life * (1 - earlyPart)) * (1 + this.random() / 4);
    return since + life - early - this.clock.now();
  }
}

export interface Claims {
  sub?: string;
  iss?: string;
  exp?: number;
  iat?: number;
}

/** What a token says of itself; nothing where it is no JWT. It is the server that checks it. */
export function claimsOf(token: string): Claims {
  try {
    const part = token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(part), character => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as Claims;
  } catch {
    return {};
  }
}
