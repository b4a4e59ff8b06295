import type { Rejection } from './rejection.ts';

/** What became of a change: the state after it, or the state before it and why it was refused. */
export interface Reduced<S> {
  state: S;
  rejection?: Rejection;
}

/**
 * An app: the state of a session and the changes that can happen to it. `reduce` is pure and returns the same reference where
 * nothing changes; it must agree with the session's own reducer, or copies differ.
 */
export interface App<S, C> {
  readonly name: string;
  readonly initial: S;
  /** @param slices The slices that the state is a copy of; absent for all. What the others hold is not asked for. */
  reduce(state: S, change: C, slices?: readonly string[]): Reduced<S>;
  /** The one slice that a change touches; undefined for a change that this version does not know. */
  sliceOf(change: C): string | undefined;
  /** The slice that is never stored, if there is one. */
  readonly runtime?: string;
  /** A state as the session sent it: members that JSON leaves out get their defaults. */
  hydrate(state: unknown): S;
  /** A change as it is sent: defaults filled in, members of no value left out. */
  normalize(change: C): C;
}

/** How a store's persisted members are an app's state. */
export interface Bridge<S, C, V extends object> {
  readonly app: App<S, C>;
  /** Members keep their reference where nothing changed. */
  view(state: S): V;
  /** The changes that turn one view into another: of what differs, and of nothing else. */
  changes(before: V, after: V): C[];
}
