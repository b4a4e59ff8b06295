import type { Clock } from '../sync/platform.ts';
import { SessionApi } from './api.ts';
import { Audio } from './audio.ts';
import { Http } from './http.ts';
import { HubTransport } from './hub.ts';
import type { Tokens } from './tokens.ts';

/** All that a page can ask of a gateway. Loaded when it is first needed. */
export class Gateway<C = unknown> {
  readonly transport: HubTransport<C>;
  /** The session: history, backup, recovery, storage. */
  readonly api: SessionApi;
  readonly audio: Audio;
  readonly http: Http;
  private readonly store: string;

  constructor(url: string, store: string, tokens: Tokens, clock: Clock, check: (token: string) => void) {
    this.store = store;
    this.http = new Http(url, tokens);
    this.transport = new HubTransport(store, this.http, tokens, clock, check);
    this.api = new SessionApi(this.http, store);
    this.audio = new Audio(this.http, store, clock);
  }

  /** Another user's session, or another store's. For another user, the token must be an operator's. */
  session({ user, store = this.store }: { user?: string; store?: string }): SessionApi {
    return new SessionApi(this.http, store, user);
  }
}
