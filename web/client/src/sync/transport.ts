import type { ApplyReply, AttachReply, AttachRequest, CatchUp, ChangeBatch, SessionEvents } from './messages.ts';

/** How a session is reached. One connection at a time; nothing is kept of one that closed. */
export interface Transport<C> {
  /** Connects and says hello. Rejects with a {@link TransportError}. */
  open(on: ConnectionEvents<C>): Promise<Connection<C>>;
}

export interface Connection<C> {
  /** The user whose sessions this connection opens, where the other side says so. */
  readonly user?: string | undefined;
  attach(request: AttachRequest): Promise<AttachReply<C>>;
  apply(batch: ChangeBatch<C>): Promise<ApplyReply>;
  since(epoch: number, revision: number): Promise<CatchUp<C>>;
  /** The state as it stands, for when it is too large for an answer. */
  snapshot(slices?: readonly string[]): Promise<Snapshot>;
  close(): void;
}

export interface Snapshot {
  epoch: number;
  revision: number;
  durableRevision: number;
  state: unknown;
}

export interface ConnectionEvents<C> {
  events(events: SessionEvents<C>): void;
  /** Events were left out: ask. */
  behind(epoch: number, revision: number): void;
  closed(why: ClosedBecause): void;
}

/** gone: cut off; expired: the token; superseded: another connection has this client; stopping: the silo is. */
export type ClosedBecause = 'gone' | 'expired' | 'superseded' | 'stopping';

/**
 * unavailable and limited: later; gone: connect again; invalid: never again; needs-auth: sign in; refused: this version is not
 * served.
 */
export type Trouble = 'unavailable' | 'limited' | 'gone' | 'invalid' | 'needs-auth' | 'refused';

export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly trouble: Trouble;

  constructor(trouble: Trouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}
