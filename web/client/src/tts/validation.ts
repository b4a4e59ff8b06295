import {
  limits,
  type AppState,
  type AppStateChange,
  type AudioRef,
  type BatchItem,
  type Chunk,
  type SavedVoice,
  type Slice,
  type TtsParameters,
  type WorkSession,
  type WorkStatus,
} from '../protocol.ts';
import { rejectText, type Rejection } from '../rejection.ts';
import { checkParameters, engines, parameterNames } from './parameters.ts';
import { checkId, checkMediaType, checkName, checkText, isWellFormed, showNumber } from './text.ts';

type Found = Rejection | undefined;
type Item = { id: string };

export const slices: readonly Slice[] = ['preferences', 'workSessions', 'savedVoices', 'chunks', 'batchItems', 'runtime'];
const statuses: readonly WorkStatus[] = ['pending', 'generating', 'completed', 'error', 'interrupted'];

/** The members that this version knows. */
export const members = {
  workSession: ['id', 'name', 'createdAt', 'updatedAt', 'chunkIds', 'engine', 'parameters'],
  voice: ['id', 'name', 'engine', 'parameters', 'createdAt', 'prompt'],
  chunk: ['id', 'text', 'status', 'engine', 'parameters', 'audio', 'createdAt'],
  batchItem: ['id', 'name', 'chunkIds', 'status', 'createdAt'],
  audio: ['hash', 'length', 'mediaType', 'sampleRate', 'duration'],
} as const;

/** Checks a change against the state it is about to be applied to, as the session does. */
export function check(state: AppState, change: AppStateChange, only?: readonly string[]): Found {
  switch (change?.type) {
    case 'selectEngine':
      return checkEngine(change.engine);
    case 'updateParameters':
      return parametersOf('parameters', change.engine, change.patch);
    case 'setStreaming':
      return undefined;
    case 'selectWorkSession':
      return change.id == null
        ? undefined
        : only && !only.includes('workSessions')
          ? checkId('workSession.id', change.id)
          : checkKnown('workSession.id', state.workSessions, change.id);
    case 'setSyncedSlices':
      return change.slices == null ? undefined : checkSlices(change.slices);
    case 'upsertWorkSession':
      return (
        checkWorkSession(change.workSession) ??
        checkRoom('workSessions', state.workSessions, change.workSession, limits.workSessions)
      );
    case 'removeWorkSession':
      return checkKnown('workSession.id', state.workSessions, change.id);
    case 'upsertVoice':
      return checkVoice(change.voice) ?? checkRoom('savedVoices', state.savedVoices, change.voice, limits.savedVoices);
    case 'removeVoice':
      return checkKnown('voice.id', state.savedVoices, change.id);
    case 'upsertChunk':
      return checkChunk(change.chunk) ?? checkRoom('chunks', state.chunks, change.chunk, limits.chunks);
    case 'removeChunk':
      return checkKnown('chunk.id', state.chunks, change.id);
    case 'setChunkStatus':
      return checkKnown('chunk.id', state.chunks, change.id) ?? checkOpenStatus('chunk.status', change.status);
    case 'completeChunk':
      return checkKnown('chunk.id', state.chunks, change.id) ?? checkAudio('chunk.audio', change.audio);
    case 'upsertBatchItem':
      return checkBatchItem(change.item) ?? checkRoom('batchItems', state.batchItems, change.item, limits.batchItems);
    case 'removeBatchItem':
      return checkKnown('batchItem.id', state.batchItems, change.id);
    case 'setBatchItemStatus':
      return checkKnown('batchItem.id', state.batchItems, change.id) ?? checkStatus('batchItem.status', change.status);
    case 'setGenerating':
      return change.currentGeneratingId == null ? undefined : checkId('currentGeneratingId', change.currentGeneratingId);
    case 'setSystemStatus':
      return change.status == null ? undefined : checkText('systemStatus', change.status, 0, limits.messageLength);
    case 'reportError':
      return change.error == null
        ? rejectText('error', null, 'an error')
        : (checkId('error.id', change.error.id) ?? checkText('error.message', change.error.message, 1, limits.messageLength));
    case 'dismissError':
      return checkKnown('error.id', state.runtime.errors, change.id);
    case 'setVoiceUpload':
      return change.name == null ? undefined : checkName('voiceUpload', change.name);
    case undefined:
      return rejectText('change', null, 'a change');
    default:
      return rejectText('change', (change as { type: string }).type, 'a change that this version knows');
  }
}

const checkWorkSession = (item: WorkSession): Found =>
  item == null
    ? rejectText('workSession', null, 'a work session')
    : (checkId('workSession.id', item.id) ??
      checkName('workSession.name', item.name) ??
      checkIds('workSession.chunkIds', item.chunkIds) ??
      checkEngine(item.engine) ??
      (item.parameters == null ? undefined : parametersOf('workSession.parameters', item.engine, item.parameters)) ??
      checkUnknown('workSession', item, members.workSession));

const checkVoice = (item: SavedVoice): Found =>
  item == null
    ? rejectText('voice', null, 'a voice')
    : (checkId('voice.id', item.id) ??
      checkName('voice.name', item.name) ??
      parametersOf('voice.parameters', item.engine, item.parameters) ??
      (item.prompt == null ? undefined : checkAudio('voice.prompt', item.prompt)) ??
      checkUnknown('voice', item, members.voice));

const checkChunk = (item: Chunk): Found =>
  item == null
    ? rejectText('chunk', null, 'a chunk')
    : (checkId('chunk.id', item.id) ??
      checkText('chunk.text', item.text, 1, limits.chunkTextLength) ??
      checkStatus('chunk.status', item.status) ??
      parametersOf('chunk.parameters', item.engine, item.parameters) ??
      checkChunkAudio(item) ??
      checkUnknown('chunk', item, members.chunk));

const checkBatchItem = (item: BatchItem): Found =>
  item == null
    ? rejectText('batchItem', null, 'a batch item')
    : (checkId('batchItem.id', item.id) ??
      checkName('batchItem.name', item.name) ??
      checkIds('batchItem.chunkIds', item.chunkIds) ??
      checkStatus('batchItem.status', item.status) ??
      checkUnknown('batchItem', item, members.batchItem));

function checkChunkAudio({ status, audio }: Chunk): Found {
  if (status !== 'completed') {
    return audio == null ? undefined : rejectText('chunk.status', status, 'completed, since the chunk has audio');
  }
  return audio == null
    ? rejectText('chunk.audio', null, 'an audio reference, since the chunk is completed')
    : checkAudio('chunk.audio', audio);
}

function checkAudio(field: string, audio: AudioRef): Found {
  if (audio == null) return rejectText(field, null, 'an audio reference');
  if (!/^[0-9a-f]{64}$/.test(audio.hash ?? ''))
    return rejectText(`${field}.hash`, audio.hash, '64 lower-case hexadecimal digits (SHA-256)');
  if (!(audio.length >= 1 && audio.length <= limits.clipBytes)) {
    return { field: `${field}.length`, value: `${audio.length}`, allowed: `1 to ${limits.clipBytes} bytes` };
  }
  if (!(audio.sampleRate >= 0 && audio.sampleRate <= 768000)) {
    return { field: `${field}.sampleRate`, value: `${audio.sampleRate}`, allowed: '0 to 768000 Hz' };
  }
  if (!(audio.duration >= 0 && audio.duration <= 86400)) {
    return { field: `${field}.duration`, value: showNumber(audio.duration), allowed: '0 to 86400 s' };
  }
  return checkMediaType(`${field}.mediaType`, audio.mediaType) ?? checkUnknown(field, audio, members.audio);
}

// The engine first: what its parameters may be depends on it.
const parametersOf = (field: string, engine: AppState['preferences']['engine'], parameters: TtsParameters): Found =>
  parameters == null
    ? rejectText(field, null, 'parameters')
    : (checkParameters(engine, parameters) ?? checkUnknown(field, parameters, parameterNames));

// What is written must be read again: not in place of a member that is known, not deeper than a reader goes, and valid Unicode.
function checkUnknown(field: string, { unknown: json }: { unknown?: string }, known: readonly string[]): Found {
  if (json == null) return undefined;
  const where = `${field}.unknown`;
  const unknown = membersOf(json);
  if (!unknown) return rejectText(where, json, 'a JSON object, as text');
  const clash = unknown.find(([name]) => known.includes(name));
  if (clash) return rejectText(where, clash[0], 'members that this version does not know');
  if (unknown.some(([, value]) => depth(value) > limits.unknownDepth)) {
    const value = 'nested deeper or without a value';
    return { field: where, value, allowed: `JSON of at most ${limits.unknownDepth} levels` };
  }
  const broken = unknown.find(([name, value]) => !isWellFormed(name) || !hasWellFormedText(value));
  if (broken) return rejectText(where, broken[0], 'members with names and text of valid Unicode');
  const length = unknown.reduce((sum, [name, value]) => sum + name.length + JSON.stringify(value).length, 0);
  if (length <= limits.unknownBytes) return undefined;
  return { field: where, value: `${length}`, allowed: `at most ${limits.unknownBytes} bytes` };
}

function membersOf(json: string): [string, unknown][] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  } catch {
    return undefined;
  }
}

const valuesOf = (value: unknown): unknown[] => (typeof value === 'object' && value !== null ? Object.values(value) : []);

const depth = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + valuesOf(value).reduce<number>((most, each) => Math.max(most, depth(each)), 0)
    : 0;

const hasWellFormedText = (value: unknown): boolean =>
  typeof value === 'string'
    ? isWellFormed(value)
    : Array.isArray(value)
      ? value.every(hasWellFormedText)
      : Object.entries(value ?? {}).every(([name, each]) => isWellFormed(name) && hasWellFormedText(each));

const checkEngine = (engine: string): Found =>
  (engines as string[]).includes(engine) ? undefined : rejectText('engine', engine, 'chatterbox, multilingual or turbo');

const checkStatus = (field: string, status: WorkStatus): Found =>
  statuses.includes(status) ? undefined : rejectText(field, status, 'pending, generating, completed, error or interrupted');

const checkOpenStatus = (field: string, status: WorkStatus): Found =>
  status === 'completed'
    ? rejectText(field, status, 'pending, generating, error or interrupted, since a chunk is completed by its audio')
    : checkStatus(field, status);

const sliceNames = 'Preferences WorkSessions SavedVoices Chunks BatchItems Runtime';

function checkSlices(chosen: readonly Slice[]): Found {
  const wrong = chosen.find(slice => !slices.includes(slice));
  if (wrong !== undefined) return rejectText('syncedSlices', wrong, `of ${sliceNames}`);
  return chosen.length > slices.length
    ? { field: 'syncedSlices', value: `${chosen.length}`, allowed: `at most ${slices.length} slices` }
    : undefined;
}

function checkIds(field: string, ids: readonly string[]): Found {
  if (ids == null) return rejectText(field, null, 'a list of ids');
  if (ids.length > limits.chunkIdsPerItem) {
    return { field, value: `${ids.length}`, allowed: `at most ${limits.chunkIdsPerItem} ids` };
  }
  for (const id of ids) {
    const wrong = checkId(field, id);
    if (wrong) return wrong;
  }
  return undefined;
}

const checkKnown = (field: string, list: readonly Item[], id: string): Found =>
  list.some(item => item.id === id)
    ? undefined
    : rejectText(
        field,
        id,
        list.length === 0
          ? 'an existing id (there is none)'
          : list.length <= 5
            ? `an existing id (${list.map(item => item.id).join(', ')})`
            : `one of the ${list.length} existing ids`,
      );

const checkRoom = (field: string, list: readonly Item[], { id }: Item, most: number): Found =>
  list.length < most || list.some(item => item.id === id)
    ? undefined
    : { field, value: `${list.length + 1}`, allowed: `at most ${most} items` };
