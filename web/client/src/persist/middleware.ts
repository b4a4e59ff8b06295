import { persist as persistLocally, type PersistConfig } from './persist.ts';
import { persistRemotely, type ServerConfig } from './persistRemotely.ts';

type Middleware<T> = (set: (...args: any[]) => void, get: () => T | undefined, api: any) => T;

/**
 * zustand's `persist`. With `server` the state lives in a session, which tabs and devices share: that is the one line by which a
 * store moves.
 */
export function persist<T extends object, U = T>(
  initializer: (set: any, get: () => T, api: any) => T,
  config: PersistConfig<T, U> | ServerConfig<T, U>,
): Middleware<T> {
  return 'server' in config ? persistRemotely<T, U>(initializer, config) : persistLocally<T, U>(initializer, config);
}
