export type * from './protocol.ts';
export { ChangeRejectedError } from './rejection.ts';
export { limits, parameterSpecs } from './protocol.ts';
export { defaultsFor } from './tts/parameters.ts';
export { tts } from './tts/reducer.ts';
export { document, type DocumentChange, type DocumentState } from './document/document.ts';
export {
  persist,
  quarantineOf,
  type Persisted,
  type PersistConfig,
  type PersistStorage,
  type StorageValue,
} from './persist/persist.ts';
export { Session } from './sync/session.ts';
export type { ConnectionState, Light, Pending, SessionOptions, SessionStatus } from './sync/status.ts';
export { MemoryKeep, type Keep } from './sync/keep.ts';
export { browserPlatform, type Platform } from './sync/platform.ts';
export { TransportError, type Connection, type Transport } from './sync/transport.ts';
