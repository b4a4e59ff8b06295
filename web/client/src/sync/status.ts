import type { App } from '../app.ts';
import type { Rejection } from '../rejection.ts';
import type { Keep, StorageKind } from './keep.ts';
import type { AttachedClient, CrashInfo } from './messages.ts';
import type { Platform } from './platform.ts';
import type { Transport } from './transport.ts';

export type ConnectionState = 'connecting' | 'live' | 'offline' | 'needs-auth' | 'refused';

/** How things stand with a session. */
export interface SessionStatus {
  /** The state stands on what is stored: on the copy kept here, or on the session's own. */
  hasHydrated: boolean;
  /** The state is the session's own, and kept in step with it. */
  isLive: boolean;
  connection: ConnectionState;
  /** Why the session cannot be reached or takes no changes. */
  reason?: string | undefined;
  saving: 'saved' | 'saving' | 'failing';
  /** Own changes that are not stored by the session yet. */
  pending: number;
  /** All of them survive the end of this page. */
  kept: boolean;
  storage: StorageKind;
  /** Why it is not a better one. */
  storageReason?: string | undefined;
  isLeader: boolean;
  clients: readonly AttachedClient[];
  crash?: CrashInfo | undefined;
  notices: readonly string[];
}

/** A change that shows already, and what becomes of it. */
export interface Pending {
  /** It survives the end of this page. */
  readonly kept: Promise<void>;
  /** It is in the session's state, at this revision. Rejects with {@link ChangeRejectedError} when it was refused. */
  readonly applied: Promise<number>;
  /** It is stored. */
  readonly durable: Promise<void>;
}

export interface SessionOptions<S, C> {
  app: App<S, C>;
  transport: Transport<C>;
  keep: Keep<S, C>;
  platform: Platform;
  /** Names the browser's copy of the session: the same for all its tabs. By default the keep's own name. */
  name?: string;
  /** Shown to the user's other clients. */
  device?: string;
  slices?: readonly string[];
  /** The user that this copy belongs to: changes are never sent for another. */
  user?: string | undefined;
  callTimeout?: number;
}

/** A step of a change's way. */
export interface Light<C> {
  change: C;
  /** Grows with each change of this page. */
  id: number;
  light: 'shown' | 'kept' | 'applied' | 'durable' | 'rejected';
  rejection?: Rejection;
}
