import { useParameters, useStore } from '@chatterbox/store/react';
import { defaultsFor, parameterSpecs, type ParameterSpec, type TtsEngine, type TtsParameters } from '@chatterbox/store/tts';
import { useId } from 'react';
import { words } from '../format.ts';
import { Section } from '../parts.tsx';

const engines = Object.keys(parameterSpecs) as TtsEngine[];

export function Engine() {
  const engine = useStore(state => state.ttsEngine);
  const useStreaming = useStore(state => state.useStreaming);
  const { selectEngine, setStreaming, updateParameters } = useStore(state => state);
  const parameters = useParameters();
  const defaults = defaultsFor(engine);
  const isDefault = Object.entries(defaults).every(([name, value]) => parameters[name as keyof TtsParameters] === value);
  return (
    <Section title="Engine">
      <fieldset className="choices">
        <legend className="hidden">Engine</legend>
        {engines.map(each => (
          <label key={each}>
            <input type="radio" name="engine" checked={each === engine} onChange={() => selectEngine(each)} />
            <span>{words(each)}</span>
          </label>
        ))}
      </fieldset>
      <div className="parameters">
        {parameterSpecs[engine]
          .filter(spec => !spec.ignored)
          .map(spec => (
            <Parameter
              key={spec.name}
              spec={spec}
              value={parameters[spec.name]}
              onChange={value => updateParameters({ [spec.name]: value })}
            />
          ))}
      </div>
      <div className="row">
        <label className="switch">
          <input type="checkbox" role="switch" checked={useStreaming} onChange={event => setStreaming(event.target.checked)} />
          <span>Streaming</span>
        </label>
        <button className="quiet" disabled={isDefault} onClick={() => updateParameters(defaults)}>
          Set to defaults
        </button>
      </div>
    </Section>
  );
}

type Value = TtsParameters[keyof TtsParameters];

function Parameter({ spec, value, onChange }: { spec: ParameterSpec; value: Value; onChange: (value: Value) => void }) {
  const id = useId();
  const label = <label htmlFor={id}>{words(spec.name)}</label>;
  if (spec.name === 'normLoudness') {
    return (
      <div className="parameter inline">
        {label}
        <input
          id={id}
          type="checkbox"
          role="switch"
          checked={value === true}
          onChange={event => onChange(event.target.checked)}
        />
      </div>
    );
  }
  if (spec.choices) {
    return (
      <div className="parameter inline">
        {label}
        <select id={id} value={String(value ?? '')} onChange={event => onChange(event.target.value)}>
          {spec.choices.map(choice => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      </div>
    );
  }
  // A slider of four thousand million steps sets nothing.
  if (spec.name === 'seed') {
    return (
      <div className="parameter inline">
        {label}
        <input
          id={id}
          type="number"
          min={spec.min}
          max={spec.max}
          step={1}
          value={Number(value ?? 0)}
          onChange={event => event.target.validity.valid && event.target.value !== '' && onChange(event.target.valueAsNumber)}
        />
      </div>
    );
  }
  return (
    <div className="parameter">
      {label}
      <output htmlFor={id}>{Number(value ?? spec.min)}</output>
      <input
        id={id}
        type="range"
        min={spec.min}
        max={spec.max}
        step={spec.step}
        value={Number(value ?? spec.min)}
        onChange={event => onChange(event.target.valueAsNumber)}
      />
    </div>
  );
}
