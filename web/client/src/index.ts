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
export type { ServerOptions } from './server/remote.ts';
export type { TokenProvider } from './server/tokens.ts';
export type { ConnectionState, Light, Pending, SessionStatus } from './sync/status.ts';
export type { StorageKind } from './sync/keep.ts';
export type { Platform } from './sync/platform.ts';
export { TransportError } from './sync/transport.ts';
