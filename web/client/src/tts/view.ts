import type {
  AppState,
  BatchItem,
  Chunk,
  OtherEngines,
  SavedVoice,
  Slice,
  TransientError,
  TtsEngine,
  TtsParameters,
  WorkSession,
} from '../protocol.ts';

/** A text-to-speech session as its components see it. */
export interface TtsView {
  readonly ttsEngine: TtsEngine;
  /** Of the selected engine. */
  readonly parameters: TtsParameters;
  readonly otherEngines: OtherEngines;
  readonly useStreaming: boolean;
  readonly currentSessionId: string | undefined;
  readonly syncedSlices: readonly Slice[] | undefined;
  readonly sessions: readonly WorkSession[];
  readonly savedVoices: readonly SavedVoice[];
  readonly chunks: readonly Chunk[];
  readonly batchItems: readonly BatchItem[];
  readonly isGenerating: boolean;
  readonly currentGeneratingId: string | undefined;
  readonly systemStatus: string | undefined;
  readonly errors: readonly TransientError[];
  readonly voiceUpload: string | undefined;
}

/** Members keep their reference where nothing changed. */
export const viewOf = ({ preferences, workSessions, savedVoices, chunks, batchItems, runtime }: AppState): TtsView => ({
  ttsEngine: preferences.engine,
  parameters: preferences.parameters,
  otherEngines: preferences.otherEngines,
  useStreaming: preferences.useStreaming,
  currentSessionId: preferences.currentSessionId,
  syncedSlices: preferences.syncedSlices,
  sessions: workSessions,
  savedVoices,
  chunks,
  batchItems,
  isGenerating: runtime.isGenerating,
  currentGeneratingId: runtime.currentGeneratingId,
  systemStatus: runtime.systemStatus,
  errors: runtime.errors,
  voiceUpload: runtime.voiceUpload,
});
