import type { Persisted } from '../persist/persist.ts';
import type { ConnectionState, SessionStatus } from '../sync/status.ts';
import type { RecoveryReport } from '../protocol.ts';
import type { StoreApi } from './store.ts';

/** How things stand with a store: where it is kept, whether it is in step with its session, and what is not stored yet. */
export interface PersistenceStatus extends Omit<SessionStatus, 'connection'> {
  /** `none` for a store without a server. */
  connection: ConnectionState | 'none';
}

/** What a store takes of its browser, and of its session. */
export interface StorageUse {
  /** Bytes of this store in the browser. */
  readonly bytes: number;
  /** What the browser uses and grants for the whole origin, where it says so. */
  readonly usage?: number | undefined;
  readonly quota?: number | undefined;
  readonly storage: PersistenceStatus['storage'];
}

/** zustand's `persist` of a store, and what it does not have. */
export interface Persistence<T> extends Omit<Persisted<T, any>, 'rehydrate'> {
  /** Loads what is stored again: from the browser, or from the session. */
  rehydrate(): Promise<void>;
  /** The same reference until something changes. */
  getStatus(): PersistenceStatus;
  onStatus(listener: () => void): () => void;
  /** Back to the initial state, here and in the session. The session keeps the state from before in its history. */
  clearPersistedState(): Promise<void>;
  getStorageInfo(): Promise<StorageUse>;
  /** Tries to connect now: after a sign-in, or when the user asks. */
  retry(): void;
  /** Ends connection, timers and channels. What is kept stays kept. */
  close(): void;
}

export interface PersistedStore<T> extends StoreApi<T> {
  readonly persist: Persistence<T>;
}

/** Work that a tab, a device or a silo left unfinished. What it was is in the status, as `crash`. */
export interface Recovery {
  /** Makes the interrupted work ready to run again. */
  recoverFromCrash(): Promise<RecoveryReport>;
  /** Discards it. */
  clearRecoveryState(): Promise<RecoveryReport>;
}

/** The status before anything was loaded: what a server renders. */
export const initialStatus: PersistenceStatus = {
  hasHydrated: false,
  isLive: false,
  connection: 'connecting',
  saving: 'saved',
  pending: 0,
  kept: true,
  storage: 'memory',
  isLeader: false,
  clients: [],
  notices: [],
};
