import { preventUnsavedChanges } from '@chatterbox/store';
import { createHooks } from '@chatterbox/store/react';
import { createTtsStore } from '@chatterbox/store/tts';

const user = new URLSearchParams(location.search).get('user') ?? 'alice';

// In Development a silo gives anybody a token. Yours comes from where your users sign in; null when nobody is signed in.
async function token(): Promise<string | null> {
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user }),
  });
  if (!response.ok) throw new Error(`No token: ${response.status}`);
  return ((await response.json()) as { token: string }).token;
}

export const store = createTtsStore({ server: { url: '/', token, device: 'sample' } });
export const { useStore, usePersistence, useRecovery, useChunks, useParameters } = createHooks(store);

preventUnsavedChanges(store);
