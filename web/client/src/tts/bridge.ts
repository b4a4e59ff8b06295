import type { Bridge } from '../app.ts';
import { initialState, type AppState, type AppStateChange } from '../protocol.ts';
import { ttsChanges } from './changes.ts';
import { tts } from './reducer.ts';
import { viewOf, type TtsView } from './view.ts';

/** For a Zustand store whose persisted members are those of a {@link TtsView}. */
export const ttsBridge: Bridge<AppState, AppStateChange, TtsView> = {
  app: tts,
  view: viewOf,
  changes: (before, after) => {
    const initial = viewOf(initialState);
    const foreign = Object.keys(after).find(name => !Object.hasOwn(initial, name));
    if (foreign !== undefined)
      throw new TypeError(`${foreign}: must be a member of the text-to-speech state; leave it out in partialize`);
    return ttsChanges({ ...initial, ...before }, { ...initial, ...before, ...after });
  },
};
