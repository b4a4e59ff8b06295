import { useStore } from '@chatterbox/store/react';
import { limits } from '@chatterbox/store/tts';
import { newId } from '../format.ts';
import { AddForm, Section } from '../parts.tsx';

export function Sessions() {
  const { sessions, currentSessionId, ttsEngine, saveSession, removeSession, selectSession } = useStore();
  return (
    <Section title="Work sessions" note={sessions.length || undefined}>
      <div className="choices wrap" role="group" aria-label="Work session">
        <button aria-pressed={currentSessionId === undefined} onClick={() => selectSession(undefined)}>
          All chunks
        </button>
        {sessions.map(({ id, name, chunkIds }) => (
          <span className="pair" key={id}>
            <button aria-pressed={currentSessionId === id} onClick={() => selectSession(id)}>
              {name} <small>{chunkIds.length}</small>
            </button>
            <button className="quiet" aria-label={`Remove the work session ${name}`} onClick={() => removeSession(id)}>
              ×
            </button>
          </span>
        ))}
      </div>
      <AddForm
        label="Name of a new work session"
        action="Add"
        max={limits.nameLength}
        onAdd={name => {
          const [id, now] = [newId(), new Date().toISOString()];
          saveSession({ id, name, createdAt: now, updatedAt: now, chunkIds: [], engine: ttsEngine });
          selectSession(id);
        }}
      />
    </Section>
  );
}
