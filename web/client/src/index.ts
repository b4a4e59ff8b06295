export { createStore, type Initializer, type SetState, type StoreApi } from './store/store.ts';
export { createPersistedStore, type LocalConfig, type PersistedStoreConfig } from './store/createPersistedStore.ts';
export {
  initialStatus,
  type PersistedStore,
  type Persistence,
  type PersistenceStatus,
  type Recovery,
  type StorageUse,
} from './store/persistence.ts';
export { preventUnsavedChanges } from './store/preventUnsavedChanges.ts';
export {
  createCustomPersistConfig,
  minimalPersistConfig,
  persistConfig,
  recoveryPersistConfig,
  sessionPersistConfig,
  type PersistPreset,
} from './persist/configs.ts';
export { persist } from './persist/middleware.ts';
export { quarantineOf, type Persisted, type PersistConfig, type PersistStorage, type StorageValue } from './persist/persist.ts';
export type { ServerConfig } from './persist/persistRemotely.ts';
export { createStorageManager } from './storage/createStorageManager.ts';
export type { StorageAdapter, StorageManager, StorageManagerOptions } from './storage/manager.ts';
export type { App, Bridge, Reduced } from './app.ts';
export { document, documentBridge, documentChanges, type DocumentChange, type DocumentState } from './document/document.ts';
export { ChangeRejectedError, type Rejection } from './rejection.ts';
export type { Gateway } from './server/gateway.ts';
export { Remote, type RemoteOptions, type ServerOptions } from './server/remote.ts';
export type { TokenProvider } from './server/tokens.ts';
export { Session } from './sync/session.ts';
export type { ConnectionState, Light, Pending, SessionOptions, SessionStatus } from './sync/status.ts';
export { MemoryKeep, type Keep, type StorageKind } from './sync/keep.ts';
export { browserPlatform, type Platform } from './sync/platform.ts';
export { TransportError, type Connection, type Transport } from './sync/transport.ts';
