import { usePersistence } from '@chatterbox/store/react';
import type { StorageUse } from '@chatterbox/store';
import { useEffect, useState } from 'react';
import { bytes, clock } from '../format.ts';
import { Section } from '../parts.tsx';

export function Browser() {
  const { storage, storageReason, isLeader, kept, clients, connection, pending, getStorageInfo } = usePersistence();
  const [use, setUse] = useState<StorageUse>();
  useEffect(() => {
    if (pending === 0) void getStorageInfo().then(setUse);
  }, [getStorageInfo, storage, pending]);
  const hasLocks = 'locks' in navigator;
  return (
    <Section title="Devices and this browser">
      <ul className="legend" aria-label="Devices present">
        {clients.map(({ client, device, since }) => (
          <li key={client}>
            <svg viewBox="0 0 10 10" aria-hidden="true">
              <circle cx="5" cy="5" r="4" className={connection === 'live' ? 'present' : 'track'} />
            </svg>
            <span className="grow">{device}</span>
            <span>since {clock(since)}</span>
          </li>
        ))}
      </ul>
      <dl className="facts">
        <div>
          <dt>Kept in</dt>
          <dd data-test="storage">{{ indexedDB: 'IndexedDB', localStorage: 'localStorage', memory: 'Memory' }[storage]}</dd>
        </div>
        <div>
          <dt>This tab</dt>
          <dd>{!hasLocks ? 'Not shared' : isLeader ? 'Leads' : 'Follows'}</dd>
        </div>
        <div>
          <dt>Copy kept here</dt>
          <dd>{use ? bytes(use.bytes) : '–'}</dd>
        </div>
        <div>
          <dt>Granted</dt>
          <dd>{use?.quota ? bytes(use.quota) : '–'}</dd>
        </div>
      </dl>
      {storageReason !== undefined && <p className="note">Not better, since: {storageReason}</p>}
      {!hasLocks && <p className="note">This page is neither https nor localhost: each tab has a connection of its own.</p>}
      {!kept && <p className="problem">Some changes would not survive the end of this page.</p>}
    </Section>
  );
}
