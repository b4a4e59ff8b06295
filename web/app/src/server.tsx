import { usePersistence } from '@chatterbox/store/react';
import type { SessionStatus, StorageInfo } from '@chatterbox/store/tts';
import type { Gateway } from '@chatterbox/store';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { useOpened } from './app.ts';

type HistoryItem = Awaited<ReturnType<Gateway['api']['history']>>[number];

/** What the silo says of the session, asked for again each time that something was saved. */
export interface OfServer {
  info: StorageInfo | undefined;
  status: SessionStatus | undefined;
  history: readonly HistoryItem[];
  refresh(): void;
}

const Context = createContext<OfServer>({ info: undefined, status: undefined, history: [], refresh: () => undefined });

/** No oftener than this while changes are made. */
const pause = 1_000;
/** Other devices save, too. */
const again = 10_000;

export function ServerProvider({ children }: { children: ReactNode }) {
  const { store } = useOpened();
  const { isLive, saving, pending } = usePersistence();
  const [found, setFound] = useState<Omit<OfServer, 'refresh'>>({ info: undefined, status: undefined, history: [] });
  const [asked, setAsked] = useState(0);
  const isSaved = saving === 'saved' && pending === 0;

  useEffect(() => {
    if (!isLive) return;
    let isOver = false;
    const ask = async () => {
      if (document.hidden) return;
      const { api } = await store.gateway();
      const [info, status, history] = await Promise.all([api.info(), api.status(), api.history()]);
      if (!isOver) setFound({ info, status, history });
    };
    // What cannot be had now stays as it was; the connection's own state says why.
    const quietly = () => void ask().catch(() => undefined);
    const soon = setTimeout(quietly, asked === 0 ? 0 : pause);
    const timer = setInterval(quietly, again);
    return () => {
      isOver = true;
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, [store, isLive, asked]);

  useEffect(() => {
    if (isSaved) setAsked(count => count + 1);
  }, [isSaved]);

  const value = useMemo(() => ({ ...found, refresh: () => setAsked(count => count + 1) }), [found]);
  return <Context value={value}>{children}</Context>;
}

export const useServer = (): OfServer => useContext(Context);
