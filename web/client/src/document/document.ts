import type { App, Bridge, Reduced } from '../app.ts';
import { rejectText, type Rejection } from '../rejection.ts';
import { diff, mergePatch, sameValue, type Json } from './mergePatch.ts';

/** A document: top-level keys with JSON values. */
export type DocumentState = { readonly [key: string]: Json };

export type DocumentChange =
  | { type: 'setKey'; key: string; value: Json }
  | { type: 'mergeKey'; key: string; patch: Json }
  | { type: 'removeKey'; key: string };

/** C#'s DocumentLimits. */
const keyLength = 1024;
const mostKeys = 10_000;
const valueBytes = 1024 * 1024;
const parts = 32;

/** The row that a key is in, as in C#'s DocumentApp: FNV-1a of its UTF-16 code units, low byte first. */
export function sliceOfKey(key: string): string {
  let hash = 2166136261;
  for (let index = 0; index < key.length; index++) {
    const unit = key.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), 16777619);
    hash = Math.imul(hash ^ (unit >> 8), 16777619);
  }
  return `keys-${(hash >>> 0) % parts}`;
}

function reduce(state: DocumentState, change: DocumentChange): Reduced<DocumentState> {
  const rejection = check(state, change);
  if (rejection) return { state, rejection };
  const before = Object.hasOwn(state, change.key) ? state[change.key] : undefined;
  switch (change.type) {
    case 'setKey':
      return { state: set(state, change.key, before, change.value) };
    case 'mergeKey':
      return { state: set(state, change.key, before, mergePatch(before, change.patch)) };
    case 'removeKey': {
      if (before === undefined) return { state };
      return { state: Object.fromEntries(Object.entries(state).filter(([key]) => key !== change.key)) };
    }
  }
}

function check(state: DocumentState, change: DocumentChange): Rejection | undefined {
  const { key } = change ?? {};
  if (typeof key !== 'string' || !key.isWellFormed()) return rejectText('key', key, 'valid Unicode');
  if (key.length > keyLength) return rejectText('key', key, `at most ${keyLength} characters`);
  if (change.type === 'removeKey') return undefined;
  const [field, value] = change.type === 'setKey' ? ['value', change.value] : ['patch', change.patch];
  if (value === undefined) return rejectText(field, null, 'JSON');
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
  if (bytes > valueBytes) return { field, value: `${bytes} bytes`, allowed: `at most ${valueBytes} bytes` };
  const count = Object.keys(state).length;
  if (count < mostKeys || Object.hasOwn(state, key)) return undefined;
  return { field: 'keys', value: `${count + 1}`, allowed: `at most ${mostKeys}` };
}

const set = (state: DocumentState, key: string, before: Json | undefined, value: Json): DocumentState =>
  before !== undefined && sameValue(before, value) ? state : Object.fromEntries([...Object.entries(state), [key, value]]);

/** JSON documents of any shape: edits of different fields merge. */
export const document: App<DocumentState, DocumentChange> = {
  name: 'document',
  initial: {},
  reduce,
  sliceOf: ({ type, key }) => (type === 'setKey' || type === 'mergeKey' || type === 'removeKey' ? sliceOfKey(key) : undefined),
  hydrate: state => state as DocumentState,
  normalize: change => JSON.parse(JSON.stringify(change)) as DocumentChange,
};

/**
 * The changes that turn one document into another: a patch where both values are objects, so that edits of
 * different fields merge.
 * Values are compared by reference first: what a store did not touch costs nothing.
 */
export function documentChanges(before: DocumentState, after: DocumentState): DocumentChange[] {
  const changes: DocumentChange[] = [];
  const has = (key: string) => Object.hasOwn(after, key) && after[key] !== undefined;
  for (const key of Object.keys(before)) if (!has(key)) changes.push({ type: 'removeKey', key });
  for (const [key, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (value === undefined || old === value) continue;
    const plain = JSON.parse(JSON.stringify(value)) as Json;
    if (old !== undefined && sameValue(old, plain)) continue;
    const patch = diff(old, plain);
    changes.push(patch === undefined ? { type: 'setKey', key, value: plain } : { type: 'mergeKey', key, patch });
  }
  return changes;
}

/** Any store as a document: its members are the keys. */
export const documentBridge: Bridge<DocumentState, DocumentChange, DocumentState> = {
  app: document,
  view: state => state,
  changes: documentChanges,
};
