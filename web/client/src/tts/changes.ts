import { sameJson } from '../equality.ts';
import type { AppStateChange, TtsParameters } from '../protocol.ts';
import { parameterNames } from './parameters.ts';
import type { TtsView } from './view.ts';

/**
 * The changes that turn one view into another: typed and small, so that a store that writes whole states writes nothing over what
 * others changed meanwhile. Values are compared by reference first.
 */
export function ttsChanges(before: TtsView, after: TtsView): AppStateChange[] {
  const changes: AppStateChange[] = [];
  const differs = (...names: (keyof TtsView)[]) => names.some(name => !sameJson(before[name], after[name]));
  if (differs('ttsEngine')) changes.push({ type: 'selectEngine', engine: after.ttsEngine });
  if (differs('parameters')) {
    const base = before.ttsEngine === after.ttsEngine ? before.parameters : {};
    changes.push({ type: 'updateParameters', engine: after.ttsEngine, patch: patchOf(base, after.parameters) });
  }
  if (differs('useStreaming')) changes.push({ type: 'setStreaming', useStreaming: after.useStreaming });
  changes.push(
    ...items(before.sessions, after.sessions, workSession => ({ type: 'upsertWorkSession', workSession }), 'removeWorkSession'),
    ...items(before.savedVoices, after.savedVoices, voice => ({ type: 'upsertVoice', voice }), 'removeVoice'),
    ...items(before.chunks, after.chunks, chunk => ({ type: 'upsertChunk', chunk }), 'removeChunk'),
    ...items(before.batchItems, after.batchItems, item => ({ type: 'upsertBatchItem', item }), 'removeBatchItem'),
    ...items(before.errors, after.errors, error => ({ type: 'reportError', error }), 'dismissError'),
  );
  // After the work session itself.
  if (differs('currentSessionId')) changes.push(withGiven({ type: 'selectWorkSession' }, 'id', after.currentSessionId));
  if (differs('syncedSlices')) changes.push(withGiven({ type: 'setSyncedSlices' }, 'slices', after.syncedSlices));
  if (differs('isGenerating', 'currentGeneratingId')) {
    const { isGenerating, currentGeneratingId } = after;
    changes.push(withGiven({ type: 'setGenerating', isGenerating }, 'currentGeneratingId', currentGeneratingId));
  }
  if (differs('systemStatus')) changes.push(withGiven({ type: 'setSystemStatus' }, 'status', after.systemStatus));
  if (differs('voiceUpload')) changes.push(withGiven({ type: 'setVoiceUpload' }, 'name', after.voiceUpload));
  return changes;
}

type Removal = Extract<AppStateChange, { id: string }>['type'];

function items<T extends { id: string }>(
  before: readonly T[],
  after: readonly T[],
  upsert: (item: T) => AppStateChange,
  remove: Removal,
): AppStateChange[] {
  if (before === after) return [];
  const [old, now] = [new Map(before.map(item => [item.id, item])), new Set(after.map(item => item.id))];
  return [
    ...after.filter(item => !sameJson(old.get(item.id), item)).map(upsert),
    ...before.filter(item => !now.has(item.id)).map(item => ({ type: remove, id: item.id }) as AppStateChange),
  ];
}

const patchOf = (before: TtsParameters, after: TtsParameters): TtsParameters =>
  Object.fromEntries(parameterNames.filter(name => before[name] !== after[name]).map(name => [name, after[name]]));

// A member of no value is left out.
const withGiven = <C extends AppStateChange>(change: C, name: string, value: unknown): C =>
  value === undefined ? change : { ...change, [name]: value };
