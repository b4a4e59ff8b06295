import { useChunks, useParameters, useStore } from '@chatterbox/store/react';
import { limits, type Chunk } from '@chatterbox/store/tts';
import { useState, type DragEvent } from 'react';
import { useOpened } from '../app.ts';
import { newId, words } from '../format.ts';
import { AddForm, FilePicker, Section, useAttempt } from '../parts.tsx';
import { toneOf } from '../tone.ts';
import { Player } from './Player.tsx';

const page = 50;

export function Chunks() {
  const { sessions, currentSessionId, ttsEngine, saveChunk, saveSession } = useStore();
  const chunks = useChunks({ session: currentSessionId });
  const parameters = useParameters();
  const [shown, setShown] = useState(page);
  const add = (text: string): string => {
    const [id, now] = [newId(), new Date().toISOString()];
    saveChunk({ id, text, status: 'pending', engine: ttsEngine, parameters, createdAt: now });
    const session = sessions.find(each => each.id === currentSessionId);
    if (session) saveSession({ ...session, chunkIds: [...session.chunkIds, id], updatedAt: now });
    return id;
  };
  // The newest are of most interest.
  const newest = [...chunks].reverse();
  return (
    <Section title="Chunks" note={chunks.length || undefined} area="chunks">
      <AddForm
        label={`Text to speak, up to ${limits.chunkTextLength} characters`}
        action="Add chunk"
        max={limits.chunkTextLength}
        isLong
        onAdd={add}
      />
      {chunks.length === 0 && (
        <p className="empty">Each chunk keeps the exact engine, parameters and seed that it is spoken with.</p>
      )}
      <ul className="items">
        {newest.slice(0, shown).map(chunk => (
          <ChunkItem key={chunk.id} chunk={chunk} />
        ))}
      </ul>
      {newest.length > shown && <button onClick={() => setShown(shown + page)}>Show more: {newest.length - shown}</button>}
    </Section>
  );
}

function ChunkItem({ chunk }: { chunk: Chunk }) {
  const { store } = useOpened();
  const { completeChunk, setChunkStatus, setGenerating, removeChunk } = useStore();
  const [progress, setProgress] = useState<number>();
  const [isOver, setOver] = useState(false);
  const { attempt, problem } = useAttempt();
  const take = (file: File | undefined) =>
    attempt(async () => {
      if (!file?.type.startsWith('audio/')) throw new Error('file: must be audio');
      setChunkStatus(chunk.id, 'generating');
      setGenerating(true, chunk.id);
      try {
        const { audio } = await store.gateway();
        completeChunk(chunk.id, await audio.upload(file, { onProgress: setProgress }));
      } catch (failure) {
        setChunkStatus(chunk.id, 'error');
        throw failure;
      } finally {
        setGenerating(false);
        setProgress(undefined);
      }
    });
  const drop = {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      void take(event.dataTransfer.files[0]);
    },
  };
  return (
    <li data-over={isOver || undefined} {...drop}>
      <div className="row top-aligned">
        <p className="text grow">{chunk.text}</p>
        <span
          className="badge"
          data-tone={{ completed: 'good', error: 'bad', interrupted: 'bad', generating: 'wait', pending: 'plain' }[chunk.status]}
        >
          {words(chunk.status)}
        </span>
      </div>
      {progress !== undefined && <progress value={progress} aria-label="Upload" />}
      {chunk.audio && <Player audio={chunk.audio} label={chunk.text} />}
      {problem}
      <div className="row">
        <button onClick={() => void take(toneOf(chunk.text))}>Speak</button>
        <FilePicker label="Drop or pick audio…" accept="audio/*" isQuiet onPick={file => void take(file)} />
        <button
          className="quiet"
          aria-label={`Remove the chunk ${chunk.text.slice(0, 40)}`}
          onClick={() => removeChunk(chunk.id)}
        >
          Remove
        </button>
      </div>
      <details>
        <summary>
          Exact settings: {words(chunk.engine)}, seed {chunk.parameters.seed ?? 0}
        </summary>
        <dl className="facts">
          {Object.entries(chunk.parameters).map(([name, value]) => (
            <div key={name}>
              <dt>{words(name)}</dt>
              <dd>{String(value)}</dd>
            </div>
          ))}
          {chunk.audio && (
            <div className="wide">
              <dt>SHA-256</dt>
              <dd>{chunk.audio.hash.slice(0, 16)}…</dd>
            </div>
          )}
        </dl>
      </details>
    </li>
  );
}
