import { preventUnsavedChanges } from '@chatterbox/store';
import { createTtsStore, type TtsStore } from '@chatterbox/store/tts';

declare global {
  interface Window {
    store: TtsStore;
    lights: string[];
    /** Makes a chunk; its text is its id. */
    add(id: string): { kept: Promise<void>; applied: Promise<number>; durable: Promise<void> };
    zustand: import('./zustand.ts').Own;
    doc: import('@chatterbox/store').PersistedStore<Record<string, unknown>>;
    isSignedOut?: boolean;
    /** The state that is kept here as it was confirmed. */
    copy(): Promise<{ state: { chunks: { id: string }[] } } | undefined>;
  }
}

const query = new URLSearchParams(location.search);
const url = query.get('url')!;
const user = query.get('user')!;
const seconds = Number(query.get('seconds') ?? 900);

async function token(): Promise<string | null> {
  if (window.isSignedOut) return null;
  const response = await fetch(`${url}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, seconds }),
  });
  if (!response.ok) throw new Error(`No token: ${response.status}`);
  return ((await response.json()) as { token: string }).token;
}

window.store = createTtsStore({ server: { url, token, device: query.get('device') ?? 'page' } });
window.lights = [];
window.store.onLight(({ light }) => window.lights.push(light));
window.add = id =>
  window.store.getState().saveChunk({
    id,
    text: id,
    status: 'pending',
    engine: 'chatterbox',
    parameters: {},
    createdAt: '2026-01-01T00:00:00+00:00',
  });
window.copy = async () => {
  const { name } = (await indexedDB.databases()).find(each => each.name!.endsWith(`app-state/${user}`))!;
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name!);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const asked = request.result.transaction('meta').objectStore('meta').get('copy');
      asked.onsuccess = () => {
        request.result.close();
        resolve(asked.result);
      };
    };
  });
};
preventUnsavedChanges(window.store);

if (query.has('zustand')) {
  const { makeZustand, makeDocument } = await import('./zustand.ts');
  if (query.get('zustand') === 'document') window.doc = makeDocument({ url, token });
  else window.zustand = makeZustand({ url, token });
}
if (query.has('contract')) await import('./contract.ts');
