import type { TtsEngine, TtsParameters } from '../protocol.ts';
import { rejectText, type Rejection } from '../rejection.ts';
import { parameterSpecs, type ParameterSpec } from './limits.ts';
import { showNumber } from './text.ts';

export const engines = Object.keys(parameterSpecs) as TtsEngine[];

/** The parameters in the model's order: our name, the model's. */
const names = [
  ['exaggeration', 'exaggeration'],
  ['cfgWeight', 'cfg_weight'],
  ['temperature', 'temperature'],
  ['minP', 'min_p'],
  ['topP', 'top_p'],
  ['topK', 'top_k'],
  ['repetitionPenalty', 'repetition_penalty'],
  ['normLoudness', 'norm_loudness'],
  ['languageId', 'language_id'],
  ['seed', 'seed'],
] as const satisfies readonly (readonly [keyof TtsParameters, string])[];

export const parameterNames: readonly string[] = names.map(([name]) => name);

const classic: TtsParameters = {
  exaggeration: 0.5,
  cfgWeight: 0.5,
  temperature: 0.8,
  minP: 0.05,
  topP: 1,
  repetitionPenalty: 1.2,
  seed: 0,
};

const defaults: Record<TtsEngine, TtsParameters> = {
  chatterbox: classic,
  multilingual: { ...classic, languageId: 'en' },
  turbo: { temperature: 0.8, topP: 0.95, topK: 1000, repetitionPenalty: 1.2, normLoudness: true, seed: 0 },
};

export const defaultsFor = (engine: TtsEngine): TtsParameters => defaults[engine];

/** The first parameters with every one that the patch names replaced; members that this version does not know stay together. */
export function patchParameters(before: TtsParameters, patch: TtsParameters): TtsParameters {
  const unknownOf = (each: TtsParameters) =>
    Object.entries(each).filter(([name, value]) => value !== undefined && !parameterNames.includes(name));
  const unknown = unknownOf(patch);
  const named = (parameterNames as (keyof TtsParameters)[]).map(name => [name, patch[name] ?? before[name]] as const);
  return Object.fromEntries([
    ...named.filter(([, value]) => value != null),
    ...(unknown.length > 0 ? unknown : unknownOf(before)),
  ]);
}

/** Null when every parameter given is one the engine has and in its range. */
export function checkParameters(engine: TtsEngine, parameters: TtsParameters): Rejection | undefined {
  if (!engines.includes(engine)) return rejectText('engine', engine, 'chatterbox, multilingual or turbo');
  const specs = parameterSpecs[engine];
  for (const [own, name] of names) {
    const value = parameters[own];
    if (value == null) continue;
    const spec = specs.find(each => each.name === name);
    if (!spec)
      return { field: name, value: show(value), allowed: `nothing: ${engine} takes ${specs.map(each => each.name).join(' ')}` };
    if (!admits(spec, value)) return { field: name, value: show(value), allowed: `${allowedOf(spec)} (${engine})` };
  }
  return undefined;
}

/** In words: what the parameter may be. */
export const allowedOf = (spec: ParameterSpec) =>
  spec.choices ? spec.choices.join(' ') : `${spec.isInteger ? 'a whole number from ' : ''}${spec.min} to ${spec.max}`;

function admits(spec: ParameterSpec, value: unknown): boolean {
  if (typeof value === 'boolean') return spec.name === 'norm_loudness';
  if (spec.choices) return typeof value === 'string' && spec.choices.includes(value) && spec.name !== 'norm_loudness';
  return typeof value === 'number' && value >= spec.min && value <= spec.max && (!spec.isInteger || Number.isInteger(value));
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  return typeof value === 'number'
    ? showNumber(value)
    : value === true
      ? 'True'
      : value === false
        ? 'False'
        : JSON.stringify(value);
}
