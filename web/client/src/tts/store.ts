import { initialState, type AppState, type AppStateChange, type TtsEngine, type TtsParameters } from '../protocol.ts';
import type { Gateway } from '../server/gateway.ts';
import { Remote, type Seams, type ServerOptions } from '../server/remote.ts';
import type { PersistedStore, Recovery } from '../store/persistence.ts';
import { remotePersistence } from '../store/remotePersistence.ts';
import type { SetState } from '../store/store.ts';
import type { Light, Pending } from '../sync/status.ts';
import { actionsOf, type TtsActions } from './actions.ts';
import { ttsChanges } from './changes.ts';
import { defaultsFor } from './parameters.ts';
import { tts } from './reducer.ts';
import { viewOf, type TtsView } from './view.ts';

export interface TtsState extends TtsView, TtsActions, Recovery {
  /** The state stands on what is stored. */
  readonly hasHydrated: boolean;
  rehydrate(): Promise<void>;
}

export interface TtsStoreOptions {
  server: ServerOptions;
  /** Loads nothing until `persist.rehydrate()`. On a server that renders, nothing is loaded either way. */
  skipHydration?: boolean;
  /** For tests: others than the browser's own. */
  seams?: Seams<AppState, AppStateChange>;
}

/** A text-to-speech session as a store: its members and actions have the names of the app's own store. */
export interface TtsStore extends PersistedStore<TtsState> {
  readonly recovery: Recovery;
  /** Makes a change; the actions of the state do the same. */
  dispatch(change: AppStateChange): Pending;
  /** Each change of this page on its way: shown, kept, applied, durable. Returns what ends that. */
  onLight(listener: (light: Light<AppStateChange>) => void): () => void;
  /** The parameters that an engine is set to; by default the selected one. */
  parametersOf(engine?: TtsEngine, state?: TtsView): TtsParameters;
  /** Audio, history, backup, and other users' sessions. */
  gateway(): Promise<Gateway<AppStateChange>>;
  /** Cuts the connection of all tabs of this browser, and makes none until it is plugged again. */
  plug(isPlugged: boolean): void;
}

export const defaultStore = 'app-state';

export function createTtsStore({ server, skipHydration, seams }: TtsStoreOptions): TtsStore {
  const remote = new Remote({ ...server, store: server.store ?? defaultStore, app: tts, seams });
  const { session } = remote;
  const persist = remotePersistence<TtsState, AppState, AppStateChange>(remote, () => state);
  const recovery: Recovery = {
    recoverFromCrash: async () => (await remote.gateway()).api.recover(),
    clearRecoveryState: async () => (await remote.gateway()).api.discardRecovery(),
  };
  const actions = actionsOf(
    change => session.dispatch(change),
    () => state.ttsEngine,
  );
  const initial: TtsState = {
    ...viewOf(initialState),
    ...actions,
    ...recovery,
    hasHydrated: false,
    rehydrate: persist.rehydrate,
  };
  let state = initial;
  let seen: { of: AppState; hasHydrated: boolean } = { of: initialState, hasHydrated: false };
  const listeners = new Set<(state: TtsState, previous: TtsState) => void>();

  session.subscribe(() => {
    const [of, hasHydrated] = [session.state, session.status.hasHydrated];
    if (of === seen.of && hasHydrated === seen.hasHydrated) return;
    seen = { of, hasHydrated };
    const previous = state;
    state = { ...state, ...viewOf(of), hasHydrated };
    for (const listener of [...listeners]) listener(state, previous);
  });

  const setState: SetState<TtsState> = (partial, replace) => {
    const given = typeof partial === 'function' ? partial(state) : partial;
    const foreign = Object.keys(given).filter(name => !Object.hasOwn(initial, name));
    if (foreign.length > 0) {
      throw new TypeError(
        `${foreign[0]}: must be a member of the text-to-speech state, was one of your own: keep it in another store`,
      );
    }
    const next = { ...(replace ? initial : state), ...given };
    for (const change of ttsChanges(state, next)) session.dispatch(change);
  };

  if (!skipHydration && globalThis.window !== undefined) void session.start();
  return {
    getState: () => state,
    getInitialState: () => initial,
    setState,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    persist,
    recovery,
    dispatch: change => session.dispatch(change),
    onLight: listener => session.onLight(listener),
    parametersOf: (engine, { ttsEngine, parameters, otherEngines } = state) =>
      engine === undefined || engine === ttsEngine ? parameters : (otherEngines[engine] ?? defaultsFor(engine)),
    gateway: () => remote.gateway(),
    plug: isPlugged => session.plug(isPlugged),
  };
}
