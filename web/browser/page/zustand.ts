import { persist, type PersistedStore, type ServerOptions } from '@chatterbox/store';
import { ttsBridge } from '@chatterbox/store/tts';
import { create } from 'zustand';

interface State {
  useStreaming: boolean;
  parameters: { temperature?: number; topP?: number };
  own: number;
  foreign?: number;
}

export type Own = PersistedStore<State>;

/** A store as an app has it: zustand's own, with one line more. */
export const makeZustand = (server: ServerOptions): Own =>
  create(
    persist<State>(() => ({ useStreaming: false, parameters: { temperature: 0.8, topP: 1 }, own: 0 }), {
      name: 'app-state',
      partialize: ({ own: _, ...state }: State) => state as State,
      server,
      bridge: ttsBridge,
    }) as never,
  ) as unknown as Own;

/** The same for a store of any shape. */
export const makeDocument = (server: ServerOptions): PersistedStore<Record<string, unknown>> =>
  create(persist<Record<string, unknown>>(() => ({}), { name: 'document', server }) as never) as never;
