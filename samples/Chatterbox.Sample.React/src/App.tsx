import { useState, type FormEvent } from 'react';
import { useChunks, useParameters, usePersistence, useRecovery, useStore } from './store.ts';

export function App() {
  const hasHydrated = useStore(state => state.hasHydrated);
  return (
    <main>
      <h1>Chatterbox</h1>
      <Status />
      <Crash />
      {hasHydrated ? (
        <>
          <Temperature />
          <Chunks />
        </>
      ) : (
        <p>Loading…</p>
      )}
    </main>
  );
}

function Status() {
  const { connection, saving, pending, storage, storageReason, reason } = usePersistence();
  return (
    <p role="status" title={storageReason}>
      {connection}, {saving}
      {pending > 0 && ` (${pending} to be stored)`}, kept in {storage}
      {reason && `: ${reason}`}
    </p>
  );
}

function Crash() {
  const { crash, recoverFromCrash, clearRecoveryState } = useRecovery();
  if (!crash) return null;
  return (
    <p role="alert">
      {crash.chunks.length} chunks were interrupted. <button onClick={recoverFromCrash}>Resume</button>{' '}
      <button onClick={clearRecoveryState}>Discard</button>
    </p>
  );
}

function Temperature() {
  const { temperature } = useParameters();
  const updateParameters = useStore(state => state.updateParameters);
  return (
    <label>
      Temperature {temperature}
      <input
        type="range"
        min={0.05}
        max={2}
        step={0.05}
        value={temperature}
        onChange={event => updateParameters({ temperature: Number(event.target.value) })}
      />
    </label>
  );
}

function Chunks() {
  const chunks = useChunks();
  const { ttsEngine, parameters, saveChunk, removeChunk } = useStore();
  const [text, setText] = useState('');
  const [refusal, setRefusal] = useState('');

  async function add(event: FormEvent) {
    event.preventDefault();
    const id = `chunk-${Date.now().toString(36)}`;
    const createdAt = new Date().toISOString();
    try {
      await saveChunk({ id, text, status: 'pending', engine: ttsEngine, parameters, createdAt }).kept;
      setText('');
      setRefusal('');
    } catch (error) {
      setRefusal((error as Error).message);
    }
  }

  return (
    <>
      <form onSubmit={add}>
        <label>
          Text <input value={text} onChange={event => setText(event.target.value)} />
        </label>
        <button>Add</button>
        <p role="alert">{refusal}</p>
      </form>
      <ul>
        {chunks.map(chunk => (
          <li key={chunk.id}>
            {chunk.text} ({chunk.status}) <button onClick={() => removeChunk(chunk.id)}>Remove</button>
          </li>
        ))}
      </ul>
    </>
  );
}
