import { usePersistence } from '@chatterbox/store/react';
import { useState } from 'react';
import { useOpened } from '../app.ts';
import { addressOf, issuesTokens, paste } from '../signIn.ts';
import { useServer } from '../server.tsx';
import { time } from '../format.ts';

const connections = {
  connecting: 'Connecting',
  live: 'Live',
  offline: 'Offline',
  'needs-auth': 'Not signed in',
  refused: 'Refused',
  none: 'No server',
};

export function Header() {
  const { visitor, store } = useOpened();
  const { connection, reason, saving, pending, kept, notices, retry } = usePersistence();
  const { status } = useServer();
  const [isPlugged, setPlugged] = useState(true);
  const failing = saving === 'failing' && status?.save.failingSince;
  const state = !isPlugged ? 'Unplugged' : connections[connection];
  const pendingText = pending === 1 ? '1 change' : `${pending} changes`;
  const savingText =
    saving === 'failing'
      ? `Saving fails${failing ? ` since ${time(failing)}` : ''}: ${pendingText} waiting`
      : pending > 0
        ? `${pendingText} ${connection === 'live' ? 'on the way' : kept ? 'kept here' : 'not kept yet'}`
        : saving === 'saving'
          ? 'Saving'
          : 'Saved';
  return (
    <header className="top">
      <h1>
        <span className="brand">Chatterbox</span> <span className="user">{visitor.user}</span>
        {visitor.device && <span className="tag">{visitor.device}</span>}
      </h1>
      <p className="badges" role="status">
        <span
          className="badge"
          data-tone={connection === 'live' ? 'good' : connection === 'connecting' ? 'plain' : 'bad'}
          data-test="connection"
        >
          {state}
        </span>
        <span className="badge" data-tone={saving === 'failing' ? 'bad' : pending > 0 ? 'wait' : 'good'} data-test="saving">
          {savingText}
        </span>
      </p>
      <div className="tools">
        <label className="switch">
          <input
            type="checkbox"
            role="switch"
            checked={!isPlugged}
            onChange={event => {
              setPlugged(!event.target.checked);
              store.plug(!event.target.checked);
            }}
          />
          <span>Pull the plug</span>
        </label>
        <a
          className="button"
          href={addressOf({ user: visitor.user, device: visitor.device === undefined ? 'second device' : undefined })}
          target="_blank"
          rel="noreferrer"
        >
          Open as a second device
        </a>
      </div>
      {reason !== undefined && isPlugged && connection !== 'live' && <p className="line note">{reason}</p>}
      {notices.map(notice => (
        <p className="line note" key={notice}>
          {notice}
        </p>
      ))}
      {connection === 'needs-auth' && !issuesTokens() && (
        <form
          className="line add"
          onSubmit={event => {
            event.preventDefault();
            paste(String(new FormData(event.currentTarget).get('token')).trim());
            retry();
          }}
        >
          <label htmlFor="token">This silo issues no tokens. Paste the one that your issuer gave you:</label>
          <input id="token" name="token" type="password" autoComplete="off" required />
          <button className="primary">Sign in</button>
        </form>
      )}
    </header>
  );
}
