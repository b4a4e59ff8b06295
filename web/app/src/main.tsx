import { StoreProvider } from '@chatterbox/store/react';
import { preventUnsavedChanges } from '@chatterbox/store';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { open, OpenedContext } from './app.ts';
import { SignIn } from './SignIn.tsx';
import { visitorOf } from './signIn.ts';
import './style.css';

const visitor = visitorOf(location.search);
const opened = visitor && open(visitor);
if (opened) {
  document.title = `${opened.visitor.user} · Chatterbox`;
  preventUnsavedChanges(opened.store);
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    {opened ? (
      <OpenedContext value={opened}>
        <StoreProvider store={opened.store}>
          <App />
        </StoreProvider>
      </OpenedContext>
    ) : (
      <SignIn />
    )}
  </StrictMode>,
);
