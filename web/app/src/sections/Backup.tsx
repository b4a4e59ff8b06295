import type { ImportReport } from '@chatterbox/store/tts';
import { useState } from 'react';
import { useOpened } from '../app.ts';
import { bytes } from '../format.ts';
import { download, FilePicker, Section, useAttempt } from '../parts.tsx';
import { useServer } from '../server.tsx';
import { refused } from './History.tsx';

/** Where stores of before keep their state. */
const oldNames = ['chatterbox-app-state', 'persist:chatterbox-app-state'];

interface Planned {
  name: string;
  document: Blob | string;
  report: ImportReport;
}

export function Backup() {
  const { visitor, store } = useOpened();
  const { refresh } = useServer();
  const { attempt, isBusy, problem } = useAttempt();
  const [planned, setPlanned] = useState<Planned>();
  const [done, setDone] = useState<string>();
  const api = async () => (await store.gateway()).api;
  const plan = (name: string, document: Blob | string) =>
    attempt(async () => {
      setDone(undefined);
      const report = await (await api()).import(document, { dryRun: true });
      refused(report);
      setPlanned({ name, document, report });
    });
  const old = oldNames.map(name => ({ name, text: read(name) })).find(({ text }) => text !== null);
  return (
    <Section title="Backup">
      <div className="row wrap">
        <button
          disabled={isBusy}
          onClick={() => void attempt(async () => download(await (await api()).export(), `chatterbox-${visitor.user}.json`))}
        >
          Download
        </button>
        <FilePicker
          label="Restore from a file…"
          accept="application/json,.json"
          onPick={file => void plan(file.name, file)}
        />
        <button disabled={isBusy || !old} onClick={() => void plan('this browser', old!.text!)}>
          Take over what my browser holds
        </button>
      </div>
      {!old && <p className="note">This browser holds nothing under {oldNames[0]}.</p>}
      {problem}
      {planned && (
        <div className="plan" role="status">
          <p>
            <strong>Dry run.</strong> From {planned.name}: {summary(planned.report)}. It would replace this session; the state
            from before goes to the history.
          </p>
          {[...planned.report.notes, ...planned.report.mends.map(({ place, found, done }) => `${place}: ${found}, ${done}`)]
            .slice(0, 10)
            .map(note => (
              <p className="note" key={note}>
                {note}
              </p>
            ))}
          <div className="row">
            <button
              className="primary"
              disabled={isBusy}
              onClick={() =>
                void attempt(async () => {
                  refused(await (await api()).import(planned.document));
                  setDone(`Taken over from ${planned.name}.`);
                  setPlanned(undefined);
                  refresh();
                })
              }
            >
              Replace the session
            </button>
            <button onClick={() => setPlanned(undefined)}>Cancel</button>
          </div>
        </div>
      )}
      {done && <p role="status">{done}</p>}
    </Section>
  );
}

const summary = ({ workSessions, savedVoices, chunks, batchItems, audioClips, audioBytes }: ImportReport): string =>
  `${workSessions} work sessions, ${savedVoices} voices, ${chunks} chunks, ${batchItems} batch items, ${audioClips} clips (${bytes(audioBytes)})`;

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
