import type { PersistenceStatus } from './persistence.ts';

/**
 * Asks before a page is left while changes would be lost with it: those that are neither stored nor kept in the browser. Returns
 * what ends that.
 */
export function preventUnsavedChanges({ persist }: { persist: { getStatus(): PersistenceStatus } }): () => void {
  const ask = (event: BeforeUnloadEvent) => {
    const { pending, kept } = persist.getStatus();
    if (pending > 0 && !kept) event.preventDefault();
  };
  window.addEventListener('beforeunload', ask);
  return () => window.removeEventListener('beforeunload', ask);
}
