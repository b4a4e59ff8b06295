export type * from '../protocol.ts';
export { limits, parameterSpecs } from '../protocol.ts';
export { createTtsStore, defaultStore, type TtsState, type TtsStore, type TtsStoreOptions } from './store.ts';
export type { TtsActions } from './actions.ts';
export { viewOf, type TtsView } from './view.ts';
export { ttsChanges } from './changes.ts';
export { checkParameters, defaultsFor } from './parameters.ts';
export { tts } from './reducer.ts';
export { ttsBridge } from './bridge.ts';
