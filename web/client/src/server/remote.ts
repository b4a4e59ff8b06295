import type { App } from '../app.ts';
import { BrowserKeep } from '../storage/browserKeep.ts';
import { Database } from '../storage/database.ts';
import { browserPlatform, type Platform } from '../sync/platform.ts';
import { Session } from '../sync/session.ts';
import { TransportError } from '../sync/transport.ts';
import type { SessionOptions } from '../sync/status.ts';
import type { PersistenceStatus, StorageUse } from '../store/persistence.ts';
import type { Gateway } from './gateway.ts';
import { claimsOf, Tokens, type TokenProvider } from './tokens.ts';

/** The format of what is kept in the browser: part of its name, so that a later one stands beside it. */
const format = 'chatterbox/1';

/** Where a store's session is. */
export interface ServerOptions {
  /** The address of the gateway; relative to the page's own. */
  url: string;
  /** Asked whenever a token is needed. Null: nobody is signed in. Rejecting: it cannot tell now, and is asked again. */
  token: TokenProvider;
  /** Who is signed in. By default the `sub` of the token. What is kept in the browser is kept for each user apart. */
  user?: string;
  /** The store's name on the server. */
  store?: string;
  /** Shown to the user's other devices. By default `browser`. */
  device?: string;
  /** Only these slices are kept in sync. */
  slices?: readonly string[];
}

export interface RemoteOptions<S, C> extends ServerOptions {
  app: App<S, C>;
  store: string;
  /** For tests: others than the browser's own. */
  seams?: Seams<S, C> | undefined;
}

export type Seams<S, C> = Partial<Pick<SessionOptions<S, C>, 'platform' | 'keep' | 'transport'>>;

/** A session on a server, as a store has it. */
export class Remote<S, C> {
  readonly session: Session<S, C>;

  private readonly options: RemoteOptions<S, C>;
  private readonly platform: Platform;
  private readonly tokens: Tokens;
  private readonly url: string;
  private loading: Promise<Gateway<C>> | undefined;
  private user: string | undefined;
  private status: { of: object; value: PersistenceStatus } | undefined;

  constructor(options: RemoteOptions<S, C>) {
    this.options = options;
    const { seams = {} } = options;
    this.platform = seams.platform ?? browserPlatform();
    this.url = new URL(options.url, globalThis.location?.href).href.replace(/\/$/, '');
    this.tokens = new Tokens(options.token, this.platform.clock, this.platform.random);
    this.session = new Session<S, C>({
      app: options.app,
      transport: seams.transport ?? { open: async on => (await this.gateway()).transport.open(on) },
      keep: seams.keep ?? new BrowserKeep<S, C>(this.platform, () => this.identify()),
      platform: this.platform,
      ...(options.device !== undefined && { device: options.device }),
      ...(options.slices && { slices: options.slices }),
    });
  }

  /** What is asked of the gateway now and then: audio, history, backup. */
  gateway(): Promise<Gateway<C>> {
    this.loading ??= import('./gateway.ts').then(
      ({ Gateway }) => new Gateway<C>(this.url, this.options.store, this.tokens, this.platform.clock, token => this.check(token)),
    );
    // Loaded again where that failed.
    this.loading.catch(() => (this.loading = undefined));
    return this.loading;
  }

  getStatus = (): PersistenceStatus => {
    const { status } = this.session;
    if (this.status?.of !== status) this.status = { of: status, value: status };
    return this.status.value;
  };

  onStatus = (listener: () => void): (() => void) => this.session.subscribe(listener);

  async storageUse(): Promise<StorageUse> {
    const { usage, quota } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
    const bytes = JSON.stringify(this.session.confirmed).length;
    return { storage: this.session.status.storage, bytes, usage, quota };
  }

  /** The name of what is kept: rejects while it is not known whose it is. */
  private async identify(): Promise<string> {
    this.user = this.options.user;
    try {
      const token = await this.tokens.get();
      this.user ??= identityOf(token);
      await remembered(this.url, this.user);
    } catch (failure) {
      // Nobody can have signed in while the issuer cannot be reached: it is the user of last time.
      if (!(failure instanceof TransportError) || failure.trouble !== 'gone') throw failure;
      this.user ??= await remembered(this.url);
      if (this.user === undefined) throw failure;
    }
    return [format, this.url, this.options.store, this.user].map(encodeURIComponent).join('/');
  }

  /** Changes are never sent for another user than the one who made them. */
  private check(token: string): void {
    const of = identityOf(token);
    if (this.options.user !== undefined || of === this.user) return;
    throw new TransportError('needs-auth', `The token is of another user than ${this.user}, whose changes these are.`);
  }
}

function identityOf(token: string): string {
  const { sub, iss } = claimsOf(token);
  if (!sub) throw new TransportError('refused', 'server.user: must be given where the token is no JWT, was missing');
  return iss ? `${iss}|${sub}` : sub;
}

/** The user of last time, by address: in IndexedDB, since a browser that is killed loses the last of localStorage. */
async function remembered(url: string, user?: string): Promise<string | undefined> {
  try {
    const database = new Database(`${format}/users`, { users: {} }, indexedDB);
    const known = await database.run(user === undefined ? 'readonly' : 'readwrite', store => {
      const users = store('users');
      const asked = user === undefined ? (users.get(url) as IDBRequest<string | undefined>) : users.put(user, url);
      return () => user ?? (asked.result as string | undefined);
    });
    database.close();
    return known;
  } catch {
    // Where it is refused, localStorage has to do.
    return remembersIn(() => localStorage, `${format}/user/${url}`, user);
  }
}

function remembersIn(storage: () => Storage, name: string, value: string | undefined): string | undefined {
  try {
    if (value !== undefined) storage().setItem(name, value);
    return storage().getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}
