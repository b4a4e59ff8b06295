export type * from './protocol.ts';
export { ChangeRejectedError } from './rejection.ts';
export { limits, parameterSpecs } from './protocol.ts';
export { defaultsFor } from './tts/parameters.ts';
export { tts } from './tts/reducer.ts';
export { document, type DocumentChange, type DocumentState } from './document/document.ts';
