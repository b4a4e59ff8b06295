import type {
  AppStateChange,
  AudioRef,
  BatchItem,
  Chunk,
  SavedVoice,
  Slice,
  TransientError,
  TtsEngine,
  TtsParameters,
  WorkSession,
  WorkStatus,
} from '../protocol.ts';
import type { Pending } from '../sync/status.ts';

/** What a user can do. Each shows at once; what it returns tells when it is kept, applied and stored, or why it was refused. */
export interface TtsActions {
  selectEngine(engine: TtsEngine): Pending;
  /** Sets the parameters that are given; the others stay. @param engine By default the selected one. */
  updateParameters(patch: TtsParameters, engine?: TtsEngine): Pending;
  setStreaming(useStreaming: boolean): Pending;
  selectSession(id: string | undefined): Pending;
  setSyncedSlices(slices: readonly Slice[] | undefined): Pending;
  saveSession(workSession: WorkSession): Pending;
  removeSession(id: string): Pending;
  saveVoice(voice: SavedVoice): Pending;
  removeVoice(id: string): Pending;
  saveChunk(chunk: Chunk): Pending;
  removeChunk(id: string): Pending;
  setChunkStatus(id: string, status: WorkStatus): Pending;
  completeChunk(id: string, audio: AudioRef): Pending;
  saveBatchItem(item: BatchItem): Pending;
  removeBatchItem(id: string): Pending;
  setBatchItemStatus(id: string, status: WorkStatus): Pending;
  setGenerating(isGenerating: boolean, chunkId?: string): Pending;
  setSystemStatus(status: string | undefined): Pending;
  reportError(error: TransientError): Pending;
  dismissError(id: string): Pending;
  setVoiceUpload(name: string | undefined): Pending;
}

export function actionsOf(dispatch: (change: AppStateChange) => Pending, selected: () => TtsEngine): TtsActions {
  return {
    selectEngine: engine => dispatch({ type: 'selectEngine', engine }),
    updateParameters: (patch, engine = selected()) => dispatch({ type: 'updateParameters', engine, patch }),
    setStreaming: useStreaming => dispatch({ type: 'setStreaming', useStreaming }),
    selectSession: id => dispatch({ type: 'selectWorkSession', ...given('id', id) }),
    setSyncedSlices: slices => dispatch({ type: 'setSyncedSlices', ...given('slices', slices) }),
    saveSession: workSession => dispatch({ type: 'upsertWorkSession', workSession }),
    removeSession: id => dispatch({ type: 'removeWorkSession', id }),
    saveVoice: voice => dispatch({ type: 'upsertVoice', voice }),
    removeVoice: id => dispatch({ type: 'removeVoice', id }),
    saveChunk: chunk => dispatch({ type: 'upsertChunk', chunk }),
    removeChunk: id => dispatch({ type: 'removeChunk', id }),
    setChunkStatus: (id, status) => dispatch({ type: 'setChunkStatus', id, status }),
    completeChunk: (id, audio) => dispatch({ type: 'completeChunk', id, audio }),
    saveBatchItem: item => dispatch({ type: 'upsertBatchItem', item }),
    removeBatchItem: id => dispatch({ type: 'removeBatchItem', id }),
    setBatchItemStatus: (id, status) => dispatch({ type: 'setBatchItemStatus', id, status }),
    setGenerating: (isGenerating, chunkId) =>
      dispatch({ type: 'setGenerating', isGenerating, ...given('currentGeneratingId', chunkId) }),
    setSystemStatus: status => dispatch({ type: 'setSystemStatus', ...given('status', status) }),
    reportError: error => dispatch({ type: 'reportError', error }),
    dismissError: id => dispatch({ type: 'dismissError', id }),
    setVoiceUpload: name => dispatch({ type: 'setVoiceUpload', ...given('name', name) }),
  };
}

// A member of no value is left out.
const given = <K extends string, V>(name: K, value: V | undefined): { [name in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { [name in K]?: V };
