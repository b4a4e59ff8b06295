import type { PersistConfig } from './persist.ts';
import type { Chunk } from '../protocol.ts';
import type { TtsView } from '../tts/view.ts';

/** A configuration without a storage: `createPersistedStore` takes the best that the browser has. */
export type PersistPreset<T, U = Partial<T>> = Omit<PersistConfig<T, U>, 'storage'> & {
  /** Compresses what is large. */
  compress?: boolean;
};

type Part = Partial<TtsView>;

const mostSessions = 10;

/** The whole app: the last ten work sessions, chunks that have their audio or are not done, voices, batches and preferences. */
export const persistConfig: PersistPreset<TtsView, Part> = {
  name: 'chatterbox-app-state',
  version: 1,
  writeDelay: 300,
  compress: true,
  partialize: state => ({
    ...preferencesOf(state),
    sessions: state.sessions.slice(-mostSessions),
    savedVoices: state.savedVoices,
    chunks: state.chunks,
    batchItems: state.batchItems,
  }),
};

/** Preferences only. */
export const minimalPersistConfig: PersistPreset<TtsView, Part> = {
  name: 'chatterbox-minimal',
  version: 1,
  writeDelay: 300,
  partialize: preferencesOf,
};

/** Work in progress. */
export const sessionPersistConfig: PersistPreset<TtsView, Part> = {
  name: 'chatterbox-session',
  version: 1,
  writeDelay: 300,
  compress: true,
  partialize: ({ chunks, batchItems, currentSessionId }) => ({ chunks, batchItems, currentSessionId }),
};

/** Only work that is not completed, to recover it after a crash. */
export const recoveryPersistConfig: PersistPreset<TtsView, Part> = {
  name: 'chatterbox-recovery',
  version: 1,
  writeDelay: 300,
  partialize: ({ chunks, batchItems }) => ({
    chunks: chunks.filter(isUnfinished),
    batchItems: batchItems.filter(item => item.status !== 'completed'),
  }),
};

/** The default configuration with some of it changed. */
export function createCustomPersistConfig<T extends object = TtsView, U = Partial<T>>(
  changed: Partial<PersistPreset<T, U>>,
): PersistPreset<T, U> {
  return { ...(persistConfig as unknown as PersistPreset<T, U>), ...changed };
}

const isUnfinished = ({ status }: Chunk): boolean => status !== 'completed';

function preferencesOf({ parameters, ttsEngine, otherEngines, useStreaming, currentSessionId, syncedSlices }: TtsView): Part {
  return { parameters, ttsEngine, otherEngines, useStreaming, currentSessionId, syncedSlices };
}
