import {
  initialState,
  limits,
  type AppState,
  type AppStateChange,
  type OtherEngines,
  type Preferences,
  type RuntimeState,
  type Slice,
  type TransientError,
  type TtsEngine,
  type TtsParameters,
} from '../protocol.ts';
import type { App, Reduced } from '../app.ts';
import { rejectText } from '../rejection.ts';
import { sameItem, sameJson } from '../equality.ts';
import { defaultsFor, parameterNames, patchParameters } from './parameters.ts';
import { check, members } from './validation.ts';

type Item = { id: string };

/** The reducer of the text-to-speech app: C#'s AppStateReducer in TypeScript, held to it by vectors. */
export function reduce(state: AppState, change: AppStateChange, slices?: readonly string[]): Reduced<AppState> {
  try {
    const rejection = check(state, change, slices);
    return rejection ? { state, rejection } : { state: apply(state, change) };
  } catch (failure) {
    // A change that cannot be applied must not stop the changes behind it.
    const kind = (failure as Error)?.name ?? 'Error';
    return {
      state,
      rejection: rejectText('change', (change as { type?: string })?.type, `a change that can be applied (${kind})`),
    };
  }
}

function apply(state: AppState, change: AppStateChange): AppState {
  const { preferences, runtime } = state;
  switch (change.type) {
    case 'selectEngine':
      return setPreferences(state, switchEngine(preferences, change.engine));
    case 'updateParameters':
      return setPreferences(state, patch(preferences, change.engine, change.patch));
    case 'setStreaming':
      return setPreferences(state, { ...preferences, useStreaming: change.useStreaming });
    case 'selectWorkSession':
      return setPreferences(state, withMember(preferences, 'currentSessionId', change.id));
    case 'setSyncedSlices':
      return setPreferences(state, withMember(preferences, 'syncedSlices', change.slices));
    case 'upsertWorkSession':
      return setList(state, 'workSessions', upsert(state.workSessions, change.workSession));
    case 'removeWorkSession':
      return setList(state, 'workSessions', remove(state.workSessions, change.id));
    case 'upsertVoice':
      return setList(state, 'savedVoices', upsert(state.savedVoices, change.voice));
    case 'removeVoice':
      return setList(state, 'savedVoices', remove(state.savedVoices, change.id));
    case 'upsertChunk':
      return setList(state, 'chunks', upsert(state.chunks, change.chunk));
    case 'removeChunk':
      return setList(state, 'chunks', remove(state.chunks, change.id));
    case 'setChunkStatus': {
      const { audio: _, ...chunk } = find(state.chunks, change.id);
      return setList(state, 'chunks', upsert(state.chunks, { ...chunk, status: change.status }));
    }
    case 'completeChunk': {
      const chunk = find(state.chunks, change.id);
      return setList(state, 'chunks', upsert(state.chunks, { ...chunk, status: 'completed', audio: change.audio }));
    }
    case 'upsertBatchItem':
      return setList(state, 'batchItems', upsert(state.batchItems, change.item));
    case 'removeBatchItem':
      return setList(state, 'batchItems', remove(state.batchItems, change.id));
    case 'setBatchItemStatus': {
      const item = find(state.batchItems, change.id);
      return setList(state, 'batchItems', upsert(state.batchItems, { ...item, status: change.status }));
    }
    case 'setGenerating':
      return setRuntime(
        state,
        withMember({ ...runtime, isGenerating: change.isGenerating }, 'currentGeneratingId', change.currentGeneratingId),
      );
    case 'setSystemStatus':
      return setRuntime(state, withMember(runtime, 'systemStatus', change.status));
    case 'reportError':
      return setRuntime(state, { ...runtime, errors: addError(runtime.errors, change.error) });
    case 'dismissError':
      return setRuntime(state, { ...runtime, errors: remove(runtime.errors, change.id) });
    case 'setVoiceUpload':
      return setRuntime(state, withMember(runtime, 'voiceUpload', change.name));
  }
}

/** The parameters that an engine is set to. */
export const parametersOf = (preferences: Preferences, engine: TtsEngine): TtsParameters =>
  engine === preferences.engine ? preferences.parameters : (preferences.otherEngines[engine] ?? defaultsFor(engine));

const switchEngine = (preferences: Preferences, engine: TtsEngine): Preferences => ({
  ...preferences,
  engine,
  parameters: parametersOf(preferences, engine),
  otherEngines: withMember<OtherEngines, TtsEngine>(
    { ...preferences.otherEngines, [preferences.engine]: preferences.parameters },
    engine,
    undefined,
  ),
});

function patch(preferences: Preferences, engine: TtsEngine, change: TtsParameters): Preferences {
  const before = parametersOf(preferences, engine);
  const after = patchParameters(before, change);
  if (sameJson(after, before)) return preferences;
  return engine === preferences.engine
    ? { ...preferences, parameters: after }
    : { ...preferences, otherEngines: { ...preferences.otherEngines, [engine]: after } };
}

// The oldest give way: an app that keeps failing does not fill the session.
function addError(errors: readonly TransientError[], error: TransientError): readonly TransientError[] {
  const added = upsert(errors, error);
  return added.length > limits.transientErrors ? added.slice(1) : added;
}

// A checked id is there.
const find = <T extends Item>(list: readonly T[], id: string): T => list.find(item => item.id === id)!;

const remove = <T extends Item>(list: readonly T[], id: string): readonly T[] => list.filter(item => item.id !== id);

function upsert<T extends Item>(list: readonly T[], item: T): readonly T[] {
  const index = list.findIndex(each => each.id === item.id);
  if (index < 0) return [...list, item];
  return sameItem(list[index]!, item) ? list : list.with(index, item);
}

// A member of no value is left out, as in C#'s JSON.
function withMember<T extends object, K extends keyof T>(item: T, name: K, value: T[K] | null | undefined): T {
  const { [name]: _, ...rest } = item;
  return (value == null ? rest : { ...item, [name]: value }) as T;
}

// Each keeps the reference where the value is the same: "nothing changed" is then one comparison everywhere.
const setPreferences = (state: AppState, preferences: Preferences) =>
  sameJson(preferences, state.preferences) ? state : { ...state, preferences };

const setRuntime = (state: AppState, runtime: RuntimeState) => (sameJson(runtime, state.runtime) ? state : { ...state, runtime });

const setList = <K extends keyof AppState>(state: AppState, name: K, list: AppState[K]) =>
  list === state[name] ? state : { ...state, [name]: list };

const sliceOfType: Record<AppStateChange['type'], Slice> = {
  selectEngine: 'preferences',
  updateParameters: 'preferences',
  setStreaming: 'preferences',
  selectWorkSession: 'preferences',
  setSyncedSlices: 'preferences',
  upsertWorkSession: 'workSessions',
  removeWorkSession: 'workSessions',
  upsertVoice: 'savedVoices',
  removeVoice: 'savedVoices',
  upsertChunk: 'chunks',
  removeChunk: 'chunks',
  setChunkStatus: 'chunks',
  completeChunk: 'chunks',
  upsertBatchItem: 'batchItems',
  removeBatchItem: 'batchItems',
  setBatchItemStatus: 'batchItems',
  setGenerating: 'runtime',
  setSystemStatus: 'runtime',
  reportError: 'runtime',
  dismissError: 'runtime',
  setVoiceUpload: 'runtime',
};

const never = '0001-01-01T00:00:00+00:00';

/** What C# fills in where a member is left out. */
const defaults: Record<string, object> = {
  workSession: { createdAt: never, updatedAt: never, chunkIds: [], engine: 'chatterbox' },
  voice: { engine: 'chatterbox', createdAt: never },
  chunk: { status: 'pending', engine: 'chatterbox', createdAt: never },
  item: { chunkIds: [], status: 'pending' },
  audio: { length: 0, mediaType: 'audio/wav', sampleRate: 0, duration: 0 },
};

const membersOf: Record<string, readonly string[]> = {
  ...members,
  item: members.batchItem,
  prompt: members.audio,
  patch: parameterNames,
  parameters: parameterNames,
  error: ['id', 'message'],
};

/** Fills in what C# would, and leaves out known members of no value, so that both sides hold the same. */
const normalize = (change: AppStateChange) => whole('change', change) as AppStateChange;

function whole(name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const known = Object.hasOwn(membersOf, name) ? membersOf[name] : undefined;
  const isKnown = (member: string) => name === 'change' || known?.includes(member);
  const members = Object.entries(value).filter(([member, each]) => each !== undefined && !(each === null && isKnown(member)));
  return {
    ...defaults[name === 'prompt' ? 'audio' : name],
    ...Object.fromEntries(members.map(([member, each]) => [member, isKnown(member) ? whole(member, each) : each])),
  };
}

export const tts: App<AppState, AppStateChange> = {
  name: 'tts',
  initial: initialState,
  reduce,
  normalize,
  runtime: 'runtime',
  sliceOf: change => sliceOfType[change.type],
  hydrate: state => ({ ...initialState, ...(state as Partial<AppState>) }),
};
