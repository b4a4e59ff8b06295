import { useParameters, useStore } from '@chatterbox/store/react';
import { limits, type SavedVoice } from '@chatterbox/store/tts';
import { useOpened } from '../app.ts';
import { newId, words } from '../format.ts';
import { AddForm, FilePicker, Section, useAttempt } from '../parts.tsx';
import { Player } from './Player.tsx';

export function Voices() {
  const voices = useStore(state => state.savedVoices);
  const { ttsEngine, saveVoice } = useStore();
  const parameters = useParameters();
  return (
    <Section title="Voices" note={voices.length || undefined}>
      {voices.length === 0 && <p className="empty">A voice is an engine with its parameters, under a name.</p>}
      <ul className="items">
        {voices.map(voice => (
          <Voice key={voice.id} voice={voice} />
        ))}
      </ul>
      <AddForm
        label="Name of a voice"
        action="Save voice"
        max={limits.nameLength}
        onAdd={name => saveVoice({ id: newId(), name, engine: ttsEngine, parameters, createdAt: new Date().toISOString() })}
      />
    </Section>
  );
}

function Voice({ voice }: { voice: SavedVoice }) {
  const { store } = useOpened();
  const { selectEngine, updateParameters, saveVoice, removeVoice } = useStore();
  const { attempt, problem } = useAttempt();
  return (
    <li>
      <div className="row">
        <strong className="grow">{voice.name}</strong>
        <small>{words(voice.engine)}</small>
      </div>
      {voice.prompt && <Player audio={voice.prompt} label={`Prompt of ${voice.name}`} />}
      {problem}
      <div className="row">
        <button
          onClick={() => {
            selectEngine(voice.engine);
            updateParameters(voice.parameters, voice.engine);
          }}
        >
          Use
        </button>
        <FilePicker
          label="Prompt…"
          accept="audio/*"
          isQuiet
          onPick={file =>
            void attempt(async () => saveVoice({ ...voice, prompt: await (await store.gateway()).audio.upload(file) }))
          }
        />
        <button className="quiet" aria-label={`Remove the voice ${voice.name}`} onClick={() => removeVoice(voice.id)}>
          Remove
        </button>
      </div>
    </li>
  );
}
