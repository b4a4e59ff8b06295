// What a session and its clients say to each other, whatever the app.

import type { Rejection } from '../rejection.ts';

/** A change as the session took it, under its client's own number. */
export interface AppliedChange<C> {
  revision: number;
  client: string;
  sequence: number;
  change: C;
}

/** What brings a client up to date: the changes where they are at hand, else the whole state. */
export interface CatchUp<C> {
  epoch: number;
  revision: number;
  durableRevision: number;
  /** Too large for an answer: load the snapshot, then attach again. */
  fetch?: boolean;
  snapshot?: unknown;
  changes: readonly AppliedChange<C>[];
}

export interface SaveStatus {
  state: 'saved' | 'saving' | 'failing';
  failingSince?: string;
  failure?: string;
}

/** Work in progress as a client or its silo died. */
export interface CrashInfo {
  chunks: readonly string[];
  batchItems: readonly string[];
  wasGenerating: boolean;
}

export interface AttachRequest {
  /** The app whose state the client expects. */
  app: string;
  client: string;
  device: string;
  slices?: readonly string[];
  /** The highest revision seen, so that the session's revisions only grow, and its epoch; 0 for none. */
  seenRevision: number;
  epoch: number;
  /** The sequence of the first change that will be sent: the oldest not known to be durable. */
  nextSequence: number;
}

export interface AttachReply<C> {
  refused?: Rejection;
  state: CatchUp<C>;
  /** Per slice, the highest of this client's sequences that the state already holds. */
  applied: readonly { slice: string; sequence: number }[];
  save: SaveStatus;
  notices: readonly string[];
  readOnly?: string;
  crash?: CrashInfo;
}

export interface SequencedChange<C> {
  sequence: number;
  change: C;
}

/** @property after The sequence sent before the first of these: should it not have arrived, the batch is told of the gap. */
export interface ChangeBatch<C> {
  client: string;
  epoch: number;
  after: number;
  changes: readonly SequencedChange<C>[];
}

/** superseded: another connection has this client. */
export type ApplyResult = 'done' | 'otherEpoch' | 'gap' | 'refused' | 'superseded';

export interface ApplyReply {
  result: ApplyResult;
  epoch: number;
  durableRevision: number;
  outcomes: readonly { revision: number; rejection?: Rejection }[];
  refused?: Rejection;
}

export interface HeartbeatReply {
  attached: boolean;
  epoch: number;
  revision: number;
  durableRevision: number;
  save: SaveStatus;
}

export interface AttachedClient {
  client: string;
  device: string;
  since: string;
}

export type SessionEvent<C> =
  | { type: 'changes'; fromRevision: number; toRevision: number; changes: readonly AppliedChange<C>[] }
  | { type: 'durable'; revision: number }
  | { type: 'status'; status: SaveStatus }
  | { type: 'presence'; clients: readonly AttachedClient[] }
  | { type: 'reset'; reason: string }
  | { type: 'cleanedUp' };

export interface SessionEvents<C> {
  epoch: number;
  events: readonly SessionEvent<C>[];
}
