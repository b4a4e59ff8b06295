// A session without a store above it: for apps of your own, and for other surroundings than a browser.
export type { App, Bridge, Reduced } from './app.ts';
export { Remote, type RemoteOptions, type Seams, type ServerOptions } from './server/remote.ts';
export { BrowserKeep } from './storage/browserKeep.ts';
export { Session } from './sync/session.ts';
export type { ConnectionState, Light, Pending, SessionOptions, SessionStatus } from './sync/status.ts';
export { MemoryKeep, type Copy, type Keep, type Kept, type StorageKind } from './sync/keep.ts';
export type * from './sync/messages.ts';
export { browserPlatform, type Channel, type Clock, type Locks, type Platform } from './sync/platform.ts';
export { TransportError, type Connection, type ConnectionEvents, type Snapshot, type Transport } from './sync/transport.ts';
