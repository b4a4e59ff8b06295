import type { StorageManager, StorageManagerOptions } from './manager.ts';

/** The best storage that this browser has. Its code is loaded when it is first asked for. */
export const createStorageManager = async (options?: StorageManagerOptions): Promise<StorageManager> =>
  (await import('./manager.ts')).openStorage(options);
