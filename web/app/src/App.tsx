import { CrashBanner } from './sections/CrashBanner.tsx';
import { Backup } from './sections/Backup.tsx';
import { Batches } from './sections/Batches.tsx';
import { Browser } from './sections/Browser.tsx';
import { Changes } from './sections/Changes.tsx';
import { Chunks } from './sections/Chunks.tsx';
import { Engine } from './sections/Engine.tsx';
import { Header } from './sections/Header.tsx';
import { History } from './sections/History.tsx';
import { Sessions } from './sections/Sessions.tsx';
import { Storage } from './sections/Storage.tsx';
import { Voices } from './sections/Voices.tsx';
import { ServerProvider } from './server.tsx';
import { usePersistence } from '@chatterbox/store/react';

export function App() {
  const { hasHydrated, connection } = usePersistence();
  return (
    <ServerProvider>
      <a className="skip" href="#work">
        Skip to the session
      </a>
      <Header />
      <main id="work" tabIndex={-1}>
        <CrashBanner />
        {hasHydrated ? (
          <div className="columns">
            <div className="column">
              <Engine />
              <Voices />
            </div>
            <div className="column">
              <Changes />
              <Sessions />
              <Chunks />
              <Batches />
            </div>
            <div className="column">
              <Storage />
              <Browser />
              <History />
              <Backup />
            </div>
          </div>
        ) : (
          <p className="loading" role="status">
            {connection === 'offline'
              ? 'The silo cannot be reached, and nothing of this session is kept here yet.'
              : 'Loading the session…'}
          </p>
        )}
      </main>
    </ServerProvider>
  );
}
