import { createTtsStore, type TtsStore } from '@chatterbox/store/tts';
import { createContext, useContext } from 'react';
import { Lights } from './lights.ts';
import { tokenFor, type Visitor } from './signIn.ts';

/** A visitor's session on this page. */
export interface Opened {
  visitor: Visitor;
  store: TtsStore;
  lights: Lights;
}

export function open(visitor: Visitor): Opened {
  const { user, device } = visitor;
  const store = createTtsStore({
    server: {
      url: '/',
      token: () => tokenFor(user),
      device: device ?? 'browser',
      // What is kept is kept apart for each device that this browser plays.
      ...(device !== undefined && { user: `${user}#${device}` }),
    },
  });
  return { visitor, store, lights: new Lights(store) };
}

export const OpenedContext = createContext<Opened | undefined>(undefined);

export const useOpened = (): Opened => useContext(OpenedContext)!;
