import type { TtsEngine } from '../protocol.ts';

/** The session's own limits; a test holds them against C#'s. */
export const limits = {
  idLength: 128,
  nameLength: 200,
  chunkTextLength: 300,
  messageLength: 1000,
  mediaTypeLength: 100,
  workSessions: 200,
  savedVoices: 500,
  chunks: 5000,
  batchItems: 1000,
  chunkIdsPerItem: 5000,
  transientErrors: 20,
  unknownBytes: 16 * 1024,
  unknownDepth: 32,
  clipBytes: 32 * 1024 * 1024,
} as const;

/** One parameter of an engine under the model's own name, with the range it may have. */
export interface ParameterSpec {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** The step of a slider. Values between steps are allowed. */
  readonly step: number;
  readonly choices?: readonly string[];
  /** The engine accepts the parameter and makes nothing of it. */
  readonly ignored?: boolean;
  readonly isInteger?: boolean;
}

const languages = 'ar da de el en es fi fr he hi it ja ko ms nl no pl pt ru sv sw tr zh'.split(' ');
const spec = (name: string, min: number, max: number, step: number, more?: Partial<ParameterSpec>): ParameterSpec => ({
  name,
  min,
  max,
  step,
  ...more,
});

const seed = spec('seed', 0, 4294967295, 1, { isInteger: true });
const topP = spec('top_p', 0, 1, 0.01);
const penalty = spec('repetition_penalty', 1, 2, 0.1);
const ignored = { ignored: true };
const classic = [
  spec('exaggeration', 0.25, 2, 0.05),
  spec('cfg_weight', 0, 1, 0.05),
  spec('temperature', 0.05, 5, 0.05),
  spec('min_p', 0, 1, 0.01),
  topP,
  penalty,
  seed,
];

/** What each engine takes: for sliders, and for the checks. */
export const parameterSpecs: Record<TtsEngine, readonly ParameterSpec[]> = {
  chatterbox: classic,
  multilingual: [...classic, spec('language_id', 0, 0, 0, { choices: languages })],
  turbo: [
    spec('exaggeration', 0.25, 2, 0.05, ignored),
    spec('cfg_weight', 0, 1, 0.05, ignored),
    spec('temperature', 0.05, 2, 0.05),
    spec('min_p', 0, 1, 0.01, ignored),
    topP,
    spec('top_k', 0, 1000, 10, { isInteger: true }),
    penalty,
    spec('norm_loudness', 0, 1, 1, { choices: ['false', 'true'] }),
    seed,
  ],
};
