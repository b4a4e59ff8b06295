// The messages of the hub, as C# writes them.

export type Slice = 'preferences' | 'workSessions' | 'savedVoices' | 'chunks' | 'batchItems' | 'runtime';
export type TtsEngine = 'chatterbox' | 'multilingual' | 'turbo';
export type WorkStatus = 'pending' | 'generating' | 'completed' | 'error' | 'interrupted';

export interface TtsParameters {
  exaggeration?: number;
  cfgWeight?: number;
  temperature?: number;
  minP?: number;
  topP?: number;
  topK?: number;
  repetitionPenalty?: number;
  normLoudness?: boolean;
  languageId?: string;
  seed?: number;
}

export interface AudioRef {
  hash: string;
  length: number;
  mediaType: string;
  sampleRate: number;
  duration: number;
}

export interface OtherEngines {
  chatterbox?: TtsParameters;
  multilingual?: TtsParameters;
  turbo?: TtsParameters;
}

export interface Preferences {
  engine: TtsEngine;
  parameters: TtsParameters;
  otherEngines: OtherEngines;
  useStreaming: boolean;
  currentSessionId?: string;
  syncedSlices?: Slice[];
}

export interface WorkSession {
  id: string;
  name: string;
  createdAt: string;
  updatedAt: string;
  chunkIds: string[];
  engine: TtsEngine;
  parameters?: TtsParameters;
}

export interface SavedVoice {
  id: string;
  name: string;
  engine: TtsEngine;
  parameters: TtsParameters;
  createdAt: string;
  prompt?: AudioRef;
}

export interface Chunk {
  id: string;
  text: string;
  status: WorkStatus;
  engine: TtsEngine;
  parameters: TtsParameters;
  audio?: AudioRef;
  createdAt: string;
}

export interface BatchItem {
  id: string;
  name: string;
  chunkIds: string[];
  status: WorkStatus;
  createdAt?: string;
}

export interface TransientError {
  id: string;
  message: string;
}

export interface RuntimeState {
  isGenerating: boolean;
  currentGeneratingId?: string;
  systemStatus?: string;
  errors: TransientError[];
  voiceUpload?: string;
}

export interface AppState {
  preferences: Preferences;
  workSessions: WorkSession[];
  savedVoices: SavedVoice[];
  chunks: Chunk[];
  batchItems: BatchItem[];
  runtime: RuntimeState;
}

export type AppStateChange =
  | { type: 'selectEngine'; engine: TtsEngine }
  | { type: 'updateParameters'; engine: TtsEngine; patch: TtsParameters }
  | { type: 'setStreaming'; useStreaming: boolean }
  | { type: 'selectWorkSession'; id?: string }
  | { type: 'setSyncedSlices'; slices?: Slice[] }
  | { type: 'upsertWorkSession'; workSession: WorkSession }
  | { type: 'removeWorkSession'; id: string }
  | { type: 'upsertVoice'; voice: SavedVoice }
  | { type: 'removeVoice'; id: string }
  | { type: 'upsertChunk'; chunk: Chunk }
  | { type: 'removeChunk'; id: string }
  | { type: 'setChunkStatus'; id: string; status: WorkStatus }
  | { type: 'completeChunk'; id: string; audio: AudioRef }
  | { type: 'upsertBatchItem'; item: BatchItem }
  | { type: 'removeBatchItem'; id: string }
  | { type: 'setBatchItemStatus'; id: string; status: WorkStatus }
  | { type: 'setGenerating'; isGenerating: boolean; currentGeneratingId?: string }
  | { type: 'setSystemStatus'; status?: string }
  | { type: 'reportError'; error: TransientError }
  | { type: 'dismissError'; id: string }
  | { type: 'setVoiceUpload'; name?: string };

export interface Rejection {
  field: string;
  value: string;
  allowed: string;
}
