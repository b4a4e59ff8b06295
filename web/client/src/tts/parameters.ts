import { parameterDefaults, parameterSpecs, type ParameterSpec, type TtsEngine, type TtsParameters } from '../protocol.ts';
import { rejectText, type Rejection } from '../rejection.ts';
import { showNumber } from './text.ts';

export const engines = Object.keys(parameterSpecs) as TtsEngine[];

/** The parameters in the order of their checks. */
const names = [
  'exaggeration',
  'cfgWeight',
  'temperature',
  'minP',
  'topP',
  'topK',
  'repetitionPenalty',
  'normLoudness',
  'languageId',
  'seed',
] as const satisfies readonly (keyof TtsParameters)[];

export const parameterNames: readonly (keyof TtsParameters)[] = names;

export const defaultsFor = (engine: TtsEngine): TtsParameters => parameterDefaults[engine];

/** The first parameters with every one that the patch names replaced. */
export function patchParameters(before: TtsParameters, patch: TtsParameters): TtsParameters {
  const members = [...names, 'unknown' as const].map(name => [name, patch[name] ?? before[name]] as const);
  return Object.fromEntries(members.filter(([, value]) => value != null));
}

/** Undefined when every parameter given is one the engine has and in its range. */
export function checkParameters(engine: TtsEngine, parameters: TtsParameters): Rejection | undefined {
  if (!engines.includes(engine)) return rejectText('engine', engine, 'chatterbox, multilingual or turbo');
  const specs = parameterSpecs[engine];
  for (const name of names) {
    const value = parameters[name];
    if (value == null) continue;
    const [field, spec] = [modelName(name), specs.find(each => each.name === name)];
    if (!spec) {
      return {
        field,
        value: show(value),
        allowed: `nothing: ${engine} takes ${specs.map(each => modelName(each.name)).join(' ')}`,
      };
    }
    if (!admits(spec, value)) return { field, value: show(value), allowed: `${allowedOf(spec)} (${engine})` };
  }
  return undefined;
}

/** In words: what the parameter may be. */
export const allowedOf = (spec: ParameterSpec): string =>
  spec.choices ? spec.choices.join(' ') : `${spec.isInteger ? 'a whole number from ' : ''}${spec.min} to ${spec.max}`;

/** The model's own name for a parameter, as it stands in messages. */
export const modelName = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

function admits({ name, choices, min, max, isInteger }: ParameterSpec, value: unknown): boolean {
  if (name === 'normLoudness') return typeof value === 'boolean';
  if (choices) return typeof value === 'string' && choices.includes(value);
  return typeof value === 'number' && value >= min && value <= max && (!isInteger || Number.isInteger(value));
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value === 'number') return showNumber(value);
  return value === true ? 'True' : value === false ? 'False' : String(JSON.stringify(value));
}
