// Generated from the C# contracts by tests/Chatterbox.GatewayTests, which fails when this file differs. Do not edit.
// A member with a question mark is absent where it has no value; null is never sent, and is taken as absent.

/** The version of the contract between browsers and the gateway. .NET clients have another. */
export const protocol = {
  version: 1,
  /** The version before is served as well: a page outlives a rolling upgrade. */
  oldestSupported: 1,
  /** Bytes of one message on the hub. A larger one closes the connection. */
  messageBytes: 131072,
  /**
   * Bytes of JSON of the changes in one Apply, and of the state in one answer. Larger changes and states go by HTTP.
   */
  inlineBytes: 65536,
  /** Bytes of the body of POST /api/sessions/{store}/changes. */
  changesBytes: 2097152,
  /** Stores attached over one connection. */
  storesPerConnection: 8,
  /** Seconds between the pings of either side. */
  pingSeconds: 10,
  /** Seconds without a ping after which either side takes the connection for dead. */
  silenceSeconds: 30,
} as const;

/** The size limits of client input. Each is checked on arrival and named in the error. */
export const limits = {
  userIdLength: 128,
  storeLength: 64,
  idLength: 128,
  nameLength: 200,
  mediaTypeLength: 100,
  /** Bytes of unknown JSON members in one item. */
  unknownBytes: 16384,
  /** The deepest nesting of such members. A stored slice adds its own levels; the JSON reader allows 64. */
  unknownDepth: 32,
  /** Changes in one call. */
  changesPerBatch: 1000,
  /** Bytes of one audio clip: 40 s of PCM16 at 24 kHz is 1.9 MB. */
  clipBytes: 33554432,
  /** Bytes of JSON of one slice. */
  sliceBytes: 8388608,
  /** Bytes of JSON of all slices of a session. */
  sessionBytes: 25165824,
  /**
   * Bytes of an imported document without its audio. Twice a session's limit, so that every export fits, and also
   * documents of which an import leaves out parts.
   */
  importBytes: 50331648,
  /** Repaired values that an import's report lists. */
  importMends: 10000,
  /** Clips that an imported state may refer to. */
  importClips: 5500,
  /** Characters (Unicode code points) of text in one chunk: the model's input limit. */
  chunkTextLength: 300,
  messageLength: 1000,
  workSessions: 200,
  savedVoices: 500,
  chunks: 5000,
  batchItems: 1000,
  chunkIdsPerItem: 5000,
  transientErrors: 20,
} as const;

/** Names of the slices of the text-to-speech app. */
export type Slice = 'preferences' | 'workSessions' | 'savedVoices' | 'chunks' | 'batchItems' | 'runtime';

/** The size limits of documents, beside those of every app in Limits. */
export const documentLimits = {
  /** UTF-16 units of a key. Any valid Unicode is a key, the empty text and __proto__ too. */
  keyLength: 1024,
  /** Keys of one document. */
  keys: 10000,
  /** Bytes of JSON of one value or patch that is sent. */
  valueBytes: 1048576,
  /** The deepest nesting of a value. Messages add their own levels; JSON readers allow 64. */
  depth: 32,
} as const;

/** A document: JSON values by key. */
export interface DocumentState {
  readonly [key: string]: unknown;
}

/** A parameter under the name that it has in TtsParameters, with the model's own range. */
export interface ParameterSpec {
  readonly name: keyof TtsParameters;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly choices?: readonly string[];
  readonly ignored: boolean;
  readonly isInteger: boolean;
}

export const parameterSpecs: Readonly<Record<TtsEngine, readonly ParameterSpec[]>> = {
  chatterbox: [
    { name: 'exaggeration', min: 0.25, max: 2, step: 0.05, ignored: false, isInteger: false },
    { name: 'cfgWeight', min: 0, max: 1, step: 0.05, ignored: false, isInteger: false },
    { name: 'temperature', min: 0.05, max: 5, step: 0.05, ignored: false, isInteger: false },
    { name: 'minP', min: 0, max: 1, step: 0.01, ignored: false, isInteger: false },
    { name: 'topP', min: 0, max: 1, step: 0.01, ignored: false, isInteger: false },
    { name: 'repetitionPenalty', min: 1, max: 2, step: 0.1, ignored: false, isInteger: false },
    { name: 'seed', min: 0, max: 4294967295, step: 1, ignored: false, isInteger: true },
  ],
  multilingual: [
    { name: 'exaggeration', min: 0.25, max: 2, step: 0.05, ignored: false, isInteger: false },
    { name: 'cfgWeight', min: 0, max: 1, step: 0.05, ignored: false, isInteger: false },
    { name: 'temperature', min: 0.05, max: 5, step: 0.05, ignored: false, isInteger: false },
    { name: 'minP', min: 0, max: 1, step: 0.01, ignored: false, isInteger: false },
    { name: 'topP', min: 0, max: 1, step: 0.01, ignored: false, isInteger: false },
    { name: 'repetitionPenalty', min: 1, max: 2, step: 0.1, ignored: false, isInteger: false },
    { name: 'seed', min: 0, max: 4294967295, step: 1, ignored: false, isInteger: true },
    { name: 'languageId', min: 0, max: 0, step: 0, choices: ['ar', 'da', 'de', 'el', 'en', 'es', 'fi', 'fr', 'he', 'hi', 'it', 'ja', 'ko', 'ms', 'nl', 'no', 'pl', 'pt', 'ru', 'sv', 'sw', 'tr', 'zh'], ignored: false, isInteger: false },
  ],
  turbo: [
    { name: 'exaggeration', min: 0.25, max: 2, step: 0.05, ignored: true, isInteger: false },
    { name: 'cfgWeight', min: 0, max: 1, step: 0.05, ignored: true, isInteger: false },
    { name: 'temperature', min: 0.05, max: 2, step: 0.05, ignored: false, isInteger: false },
    { name: 'minP', min: 0, max: 1, step: 0.01, ignored: true, isInteger: false },
    { name: 'topP', min: 0, max: 1, step: 0.01, ignored: false, isInteger: false },
    { name: 'topK', min: 0, max: 1000, step: 10, ignored: false, isInteger: true },
    { name: 'repetitionPenalty', min: 1, max: 2, step: 0.1, ignored: false, isInteger: false },
    { name: 'normLoudness', min: 0, max: 1, step: 1, choices: ['false', 'true'], ignored: false, isInteger: false },
    { name: 'seed', min: 0, max: 4294967295, step: 1, ignored: false, isInteger: true },
  ],
};

export const parameterDefaults: Readonly<Record<TtsEngine, TtsParameters>> = {
  chatterbox: {"exaggeration":0.5,"cfgWeight":0.5,"temperature":0.8,"minP":0.05,"topP":1,"repetitionPenalty":1.2,"seed":0},
  multilingual: {"exaggeration":0.5,"cfgWeight":0.5,"temperature":0.8,"minP":0.05,"topP":1,"repetitionPenalty":1.2,"languageId":"en","seed":0},
  turbo: {"temperature":0.8,"topP":0.95,"topK":1000,"repetitionPenalty":1.2,"normLoudness":true,"seed":0},
};

/** A session in which nothing was changed yet. */
export const initialState: AppState = {"preferences":{"engine":"chatterbox","parameters":{"exaggeration":0.5,"cfgWeight":0.5,"temperature":0.8,"minP":0.05,"topP":1,"repetitionPenalty":1.2,"seed":0},"otherEngines":{},"useStreaming":false},"workSessions":[],"savedVoices":[],"chunks":[],"batchItems":[],"runtime":{"isGenerating":false,"errors":[]}};

/** The calls that a browser makes on /hub, under these names without Async. */
export interface Hub {
  Hello(call: HelloCall): Promise<HelloAnswer>;
  Attach(call: AttachCall): Promise<AttachAnswer>;
  Apply(call: ApplyCall): Promise<ApplyAnswer>;
  Since(call: SinceCall): Promise<StateAnswer>;
  Leave(call: LeaveCall): Promise<void>;
}

/** The names of what the gateway pushes. */
export interface Pushes {
  events: EventsPush;
  behind: BehindPush;
  bye: ByePush;
}

/** The first call on a connection. */
export interface HelloCall {
  /** The version that the page speaks. */
  readonly protocol: number;
}

export interface HelloAnswer {
  /** Set when the page is too old or too new: reload it. */
  readonly refused?: Rejection;
  readonly protocol: number;
  readonly oldestProtocol: number;
  /** The user whose sessions the token opens. */
  readonly user: string;
  /** When the token expires, and with it the connection; absent when it does not. */
  readonly expiresAt?: string;
}

/**
 * Starts or renews a lease. While the connection lasts the gateway renews it. When the connection ends, the lease ends
 * without a LeaveCall, and nothing is forgotten.
 */
export interface AttachCall {
  readonly store: string;
  /** The browser's own id for itself and this session. The last connection to attach one has it. */
  readonly client: string;
  /** Shown to the user's other clients. */
  readonly device: string;
  /** The epoch of seenRevision; 0 for none. */
  readonly epoch: number;
  /** The highest revision seen; 0 for none. */
  readonly seenRevision: number;
  /** The sequence of the oldest change not known to be durable, or of the next one to be made. */
  readonly nextSequence: number;
  /** The names of the slices wanted; absent is all. */
  readonly slices?: readonly string[];
  /** The app whose state the page expects; absent takes any. */
  readonly app?: string;
}

export interface AttachAnswer {
  /** Set when the client was not attached, and why: nothing else in the answer has a meaning then. */
  readonly refused?: Rejection;
  readonly state: StateAnswer;
  /** By slice, the highest of this client's sequences that the state holds. */
  readonly applied: readonly AppliedSequence[];
  readonly save: SaveStatus;
  /** What went wrong when the session was loaded. */
  readonly notices: readonly string[];
  /** Set when the session takes no changes, and why. */
  readonly readOnly?: string;
  /** Set when work was interrupted by a crash and not recovered yet. */
  readonly crash?: CrashInfo;
  /** The schema version that the session's silo reads and writes. */
  readonly schemaVersion: number;
}

/** What brings a client up to date: a snapshot, or changes, or neither where nothing happened. */
export interface StateAnswer {
  readonly epoch: number;
  readonly revision: number;
  readonly durableRevision: number;
  /** Too large for the hub: get /api/sessions/{store}, then attach again with the epoch and revision of its answer. */
  readonly fetch: boolean;
  /** The whole state. Slices that the client did not ask for are as in a new session. */
  readonly snapshot?: SessionState;
  /** The changes after the revision that the client named, in order. */
  readonly changes: readonly AppliedChange[];
}

/** Applies changes in order, each on its own. */
export interface ApplyCall {
  readonly store: string;
  readonly client: string;
  readonly epoch: number;
  /** The sequence sent before the first of these; 0 for none. */
  readonly after: number;
  readonly changes: readonly SequencedChange[];
}

export interface ApplyAnswer {
  readonly result: ApplyOutcome;
  readonly epoch: number;
  readonly durableRevision: number;
  /** One for each change, in order, when result is done. */
  readonly outcomes: readonly ChangeOutcome[];
  /** Why, when result is refused. */
  readonly refused?: Rejection;
}

/** Asks for what happened after a revision, in the slices of the attached client. */
export interface SinceCall {
  readonly store: string;
  readonly epoch: number;
  readonly revision: number;
}

/** Ends the lease in good order. Only for a client whose changes are all durable and that will not come again. */
export interface LeaveCall {
  readonly store: string;
  readonly client: string;
}

/** Pushed as events: what happened in an attached session, in order. Of one epoch. */
export interface EventsPush {
  readonly store: string;
  readonly epoch: number;
  readonly events: readonly SessionEvent[];
}

/**
 * Pushed as behind: events were left out up to this revision, since the connection took them too slowly or they were
 * lost on the way. Call Since; with another epoch than the client's, attach.
 */
export interface BehindPush {
  readonly store: string;
  /** 0 when the session does not know the client any more. */
  readonly epoch: number;
  readonly revision: number;
  readonly durableRevision: number;
}

/** Pushed as bye. Without a store the page closes the connection; the silo does so a little later. */
export interface ByePush {
  readonly reason: ByeReason;
  /** The store that is no longer attached; absent when the connection ends. */
  readonly store?: string;
}

/** A session as it stands. Slices that were not asked for are as in a new session. */
export interface SnapshotAnswer {
  readonly epoch: number;
  readonly revision: number;
  readonly durableRevision: number;
  readonly state: SessionState;
}

/** Applies changes as Apply does, of any size that is allowed. The client is attached on the hub. */
export interface ChangesCall {
  readonly client: string;
  readonly epoch: number;
  /** The sequence sent before the first of these; 0 for none. */
  readonly after: number;
  readonly changes: readonly SequencedChange[];
}

/** The status of a session on its silo. */
export interface SessionStatus {
  readonly session: string;
  readonly epoch: number;
  readonly revision: number;
  readonly durableRevision: number;
  readonly save: SaveStatus;
  /** The schema version in storage; null when nothing is stored. */
  readonly persistedVersion?: number;
  /** The reason, when the session is read-only. */
  readonly readOnly?: string;
  readonly notices: readonly string[];
  readonly clients: readonly AttachedClient[];
  /** Rows written since the session was loaded. */
  readonly rowWrites: number;
  /** Bytes written since the session was loaded. */
  readonly bytesWritten: number;
  /** Changes applied since the session was loaded. */
  readonly changes: number;
  readonly slices: readonly StoredSlice[];
  /** Work in progress when a client or the silo crashed, if it was neither recovered nor dropped. */
  readonly crash?: CrashInfo;
  /** The app whose state the session holds. */
  readonly app: string;
}

/** A session's stored sizes and save statistics. */
export interface StorageInfo {
  readonly session: string;
  readonly slices: readonly SliceStorage[];
  readonly audio: AudioStorage;
  /** Bytes of slices, history and audio together: the part that counts against the quota. */
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** Bytes of the slices before compression for each byte stored; 1 when nothing is stored. */
  readonly compressionRatio: number;
  /** Changes since the session was loaded. */
  readonly changes: number;
  /** Rows written since the session was loaded. */
  readonly writes: number;
  /** Changes for each row written since the session was loaded; 0 before the first write. */
  readonly changesPerWrite: number;
  /** The time of the session's last write since it was loaded; null if none. */
  readonly lastSaved?: string;
  /** Entries of the session's history. */
  readonly historyEntries: number;
  /** Bytes of the history's entries, as stored. */
  readonly historyBytes: number;
}

/** The outcome of saving now. */
export interface FlushReply {
  readonly epoch: number;
  readonly durableRevision: number;
  /** Null when everything is durable; otherwise why it is not. Saving is retried automatically. */
  readonly failure?: string;
}

/** The result of a recovery from a crash or a clear. Empty when there was nothing to recover. */
export interface RecoveryReport {
  /** The reason, when nothing was done. */
  readonly refused?: Rejection;
  /** Chunks marked as interrupted, ready to run again. */
  readonly chunks: readonly string[];
  /** Batch items marked as interrupted. */
  readonly batchItems: readonly string[];
  /** The entries restored from the history, with their times. */
  readonly restored: readonly string[];
  /** The reason, when it is done but not saved yet; saving is retried. */
  readonly unsaved?: string;
}

/** The result of an import, with the parts left out and the reasons. */
export interface ImportReport {
  /** The reason, when nothing was imported. */
  readonly refused?: Rejection;
  readonly fromVersion: number;
  readonly toVersion: number;
  readonly workSessions: number;
  readonly savedVoices: number;
  readonly chunks: number;
  readonly batchItems: number;
  readonly audioClips: number;
  readonly audioBytes: number;
  /** Parts that an import always leaves out or converts, with the reason. */
  readonly notes: readonly string[];
  readonly dryRun: boolean;
  readonly revision: number;
  /** Hashes of the clips that the state refers to: only these need storing. */
  readonly clips: readonly string[];
  /** Invalid values, and what replaced them. */
  readonly mends: readonly ImportMend[];
  /** The number of invalid values beyond those in mends. */
  readonly moreMends: number;
  /** The number of items in each slice that is a collection. */
  readonly items: readonly SliceItems[];
}

/** Begins an upload, or resumes one. */
export interface UploadCall {
  /** The store that will refer to the clip, and whose quota it counts against. */
  readonly store: string;
  /** Bytes. */
  readonly length: number;
  readonly mediaType: string;
}

/** What is left to send. */
export interface UploadAnswer {
  /** All pieces but the last have this length. */
  readonly pieceBytes: number;
  /** The pieces to be sent. */
  readonly missing: readonly number[];
  /** Set when the clip is stored: nothing is to be sent. */
  readonly audio?: AudioRef;
}

/** An error, as RFC 9457 has it. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** The input that was refused. */
  readonly field?: string;
  /** What it was. */
  readonly value?: string;
  /** What it may be. */
  readonly allowed?: string;
}

/** Asks for a token in development. */
export interface DevTokenCall {
  readonly user: string;
  /** How long it is valid: 1 to 3600, by default 900. */
  readonly seconds?: number;
}

export interface DevTokenAnswer {
  readonly token: string;
  readonly expiresAt: string;
}

/** Why a request was refused: the field, its allowed values, and the value found. */
export interface Rejection {
  readonly field: string;
  /** Follows "was". */
  readonly value: string;
  /** Follows "must be". */
  readonly allowed: string;
  readonly message: string;
}

/** The save status: saved, saving, or failing with time and reason. */
export interface SaveStatus {
  readonly state: SaveState;
  readonly failingSince?: string;
  readonly failure?: string;
  /** Since when the silo's database has been unavailable; null while it is available. */
  readonly degradedSince?: string;
  /**
   * Rows of this session in its silo's local fallback file, written while the database was unavailable. They count as
   * not saved.
   */
  readonly pendingFrames: number;
  /** Frames in that file for another database or service, of any session. */
  readonly foreignFrames: number;
}

/** Unfinished work of clients that disconnected without detaching. */
export interface CrashInfo {
  /** Ids of chunks that were waiting or being generated. */
  readonly chunks: readonly string[];
  /** Ids of batch items that were. */
  readonly batchItems: readonly string[];
  readonly wasGenerating: boolean;
}

/** The state of a session, as one immutable value of slices. Each app derives one sealed record. */
export type SessionState =
  | AppState
  | DocumentState;

/** What became of an ApplyCall as a whole. */
export type ApplyOutcome = 'done' | 'otherEpoch' | 'gap' | 'refused' | 'superseded';

export type ByeReason = 'superseded' | 'expired' | 'stopping';

/** A session's audio clips by the reason why they are kept. Each clip counts once. */
export interface AudioStorage {
  /** Clips that the session refers to. */
  readonly referencedClips: number;
  readonly referencedBytes: number;
  /** Uploads, complete or not, that nothing refers to yet. */
  readonly pendingClips: number;
  readonly pendingBytes: number;
  /** Clips that nothing refers to any more, kept for a while. */
  readonly unreferencedClips: number;
  readonly unreferencedBytes: number;
  readonly totalBytes: number;
}

/** Refers to an audio clip, which is never part of the state itself. */
export interface AudioRef {
  /** SHA-256 of the clip, 64 lower-case hexadecimal digits. */
  readonly hash: string;
  /** Bytes. */
  readonly length: number;
  readonly mediaType: string;
  /** Hertz; 0 when the clip does not say. */
  readonly sampleRate: number;
  /** Seconds; 0 when the clip does not say. */
  readonly duration: number;
  /** Members that the silo's version does not know, as a JSON object. Send it back as it is. */
  readonly unknown?: string;
}

export interface AppliedSequence {
  readonly slice: string;
  readonly sequence: number;
}

export type SaveState = 'saved' | 'saving' | 'failing';

/** The whole state of a user's text-to-speech app, as one immutable value. */
export interface AppState {
  readonly preferences: Preferences;
  readonly workSessions: readonly WorkSession[];
  readonly savedVoices: readonly SavedVoice[];
  readonly chunks: readonly Chunk[];
  readonly batchItems: readonly BatchItem[];
  readonly runtime: RuntimeState;
}

/** A change as applied by the session. */
export interface AppliedChange {
  /** The state's revision that includes it. */
  readonly revision: number;
  /** The client that made it. */
  readonly client: string;
  /** That client's sequence for it. */
  readonly sequence: number;
  readonly change: SessionChange;
}

/** A change under its client's own number: 1 for its first, and growing. */
export interface SequencedChange {
  readonly sequence: number;
  readonly change: SessionChange;
}

/** The revision that includes a change, or why it was refused. */
export interface ChangeOutcome {
  readonly revision: number;
  readonly rejection?: Rejection;
}

/**
 * An event that a session sends to its attached clients, over the stream of their process. Delivery is best effort: a
 * client that detects a gap asks the session.
 */
export type SessionEvent =
  | ChangesApplied
  | BecameDurable
  | SaveStatusChanged
  | SessionReset
  | PresenceChanged
  | QuotaCleanedUp;

/** A client with a lease. */
export interface AttachedClient {
  readonly client: string;
  readonly device: string;
  readonly since: string;
}

/** A slice's row. */
export interface StoredSlice {
  readonly slice: string;
  readonly items: number;
  /** Length of the row's payload; 0 when there is none. */
  readonly bytes: number;
}

/** A slice in storage. */
export interface SliceStorage {
  readonly slice: string;
  readonly items: number;
  /** Length of the row; 0 when there is none. */
  readonly storedBytes: number;
  /** The slice's length before compression. */
  readonly bytes: number;
}

/** An invalid value in an imported document. */
export interface ImportMend {
  /** Its path in the document, such as state.chunks[3].createdAt. */
  readonly place: string;
  /** The value, or a description of it. */
  readonly found: string;
  /** What the value must be. */
  readonly allowed: string;
  /** The replacement, or that it was left out. */
  readonly done: string;
}

/** The number of items in a slice. */
export interface SliceItems {
  readonly slice: string;
  readonly items: number;
}

/** The user's preferences. */
export interface Preferences {
  readonly engine: TtsEngine;
  /** The selected engine's parameters. */
  readonly parameters: TtsParameters;
  /** The last parameters of the other engines, restored when one is selected again. */
  readonly otherEngines: OtherEngines;
  readonly useStreaming: boolean;
  readonly currentSessionId?: string;
  /** Names of the slices that the user syncs to every device; null is all. */
  readonly syncedSlices?: readonly Slice[];
  /** Members that the silo's version does not know, as a JSON object. Send it back as it is. */
  readonly unknown?: string;
}

/** Work in progress. Sent to every client, never stored. */
export interface RuntimeState {
  readonly isGenerating: boolean;
  readonly currentGeneratingId?: string;
  readonly systemStatus?: string;
  readonly errors: readonly TransientError[];
  /** Name of the voice reference being uploaded, if one is. */
  readonly voiceUpload?: string;
}

/**
 * A change of exactly one slice, as a record that applies, checks and weighs itself. Members are only ever appended.
 */
export type SessionChange =
  | AppStateChange
  | DocumentChange;

/**
 * Changes that take the state from one revision to another. Changes of slices that the client does not sync are left
 * out.
 */
export interface ChangesApplied {
  readonly type: 'changes';
  readonly fromRevision: number;
  readonly toRevision: number;
  readonly changes: readonly AppliedChange[];
}

/** Everything up to this revision is stored. */
export interface BecameDurable {
  readonly type: 'durable';
  readonly revision: number;
}

/** The save status. */
export interface SaveStatusChanged {
  readonly type: 'status';
  readonly status: SaveStatus;
}

/** The session has a new epoch: catch up, and resend all changes that are not durable. */
export interface SessionReset {
  readonly type: 'reset';
  readonly reason: string;
}

/** The attached clients have changed. */
export interface PresenceChanged {
  readonly type: 'presence';
  readonly clients: readonly AttachedClient[];
}

/**
 * Audio of old work sessions, and of old chunks in none, was dropped to make room: the chunks keep text, parameters
 * and seed, are pending, and can be generated again.
 */
export interface QuotaCleanedUp {
  readonly type: 'cleanedUp';
  /** The work sessions that lost audio, oldest first. */
  readonly cleaned: readonly CleanedWorkSession[];
  /** Bytes of audio dropped. */
  readonly freedBytes: number;
  /** Bytes of slices and audio that remain. */
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** Chunks in no work session that lost audio. */
  readonly looseChunkIds: readonly string[];
}

/** The Chatterbox text-to-speech models. */
export type TtsEngine = 'chatterbox' | 'multilingual' | 'turbo';

/**
 * The generation parameters of a model. Ranges and defaults are the model's own and differ per engine:
 * TtsParameterSpec. A null is a parameter that the engine does not have, or ignores.
 */
export interface TtsParameters {
  /** 0.25 to 2, step 0.05; default 0.5. Turbo ignores it. */
  readonly exaggeration?: number;
  /** 0 to 1, step 0.05; default 0.5. Turbo ignores it. */
  readonly cfgWeight?: number;
  /** 0.05 to 5 (turbo: 2), step 0.05; default 0.8. */
  readonly temperature?: number;
  /** 0 to 1, step 0.01; 0 disables; default 0.05. Turbo ignores it. */
  readonly minP?: number;
  /** 0 to 1, step 0.01; 1 disables; default 1 (turbo: 0.95). */
  readonly topP?: number;
  /** Turbo only: 0 to 1000, step 10; default 1000. */
  readonly topK?: number;
  /** 1 to 2, step 0.1; default 1.2. */
  readonly repetitionPenalty?: number;
  /** Turbo only; default true. */
  readonly normLoudness?: boolean;
  /** Multilingual only, required there: a language the model speaks; default en. */
  readonly languageId?: string;
  /** 0 to 4,294,967,295; 0, the default, is random. */
  readonly seed?: number;
  /** Members that the silo's version does not know, as a JSON object. Send it back as it is. */
  readonly unknown?: string;
}

/** Parameters of the engines that are not selected; null for an engine that was never set. */
export interface OtherEngines {
  readonly chatterbox?: TtsParameters;
  readonly multilingual?: TtsParameters;
  readonly turbo?: TtsParameters;
  /** Members that the silo's version does not know, as a JSON object. Send it back as it is. */
  readonly unknown?: string;
}

/** A piece of work that the user can resume: an ordered set of chunks. */
export interface WorkSession {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly chunkIds: readonly string[];
  readonly engine: TtsEngine;
  readonly parameters?: TtsParameters;
  /** Members that the silo's version does not know, as a JSON object. Send it back as it is. */
  readonly unknown?: string;
}

/** A voice preset. */
export interface SavedVoice {
  readonly id: string;
  readonly name: string;
  readonly engine: TtsEngine;
  readonly parameters: TtsParameters;
  readonly createdAt: string;
  /** The recording the voice is cloned from. */
  readonly prompt?: AudioRef;
  /** Members that the silo's version does not know, as a JSON object. Send it back as it is. */
  readonly unknown?: string;
}

/** One text and, once generated, its audio, with the exact settings it was made with. */
export interface Chunk {
  readonly id: string;
  /** 1 to 300 characters. */
  readonly text: string;
  readonly status: WorkStatus;
  readonly engine: TtsEngine;
  readonly parameters: TtsParameters;
  /** Present if and only if status is completed. */
  readonly audio?: AudioRef;
  readonly createdAt: string;
  /** Members that the silo's version does not know, as a JSON object. Send it back as it is. */
  readonly unknown?: string;
}

/** A file or list that is generated as a batch of chunks. */
export interface BatchItem {
  readonly id: string;
  readonly name: string;
  readonly chunkIds: readonly string[];
  readonly status: WorkStatus;
  readonly createdAt?: string;
  /** Members that the silo's version does not know, as a JSON object. Send it back as it is. */
  readonly unknown?: string;
}

/**
 * The changes of an AppState: a closed set, each of exactly one slice. Members are only ever appended; their bytes are
 * pinned by tests.
 */
export type AppStateChange =
  | SelectEngine
  | UpdateParameters
  | SetStreaming
  | SelectWorkSession
  | SetSyncedSlices
  | UpsertWorkSession
  | RemoveWorkSession
  | UpsertVoice
  | RemoveVoice
  | UpsertChunk
  | RemoveChunk
  | SetChunkStatus
  | CompleteChunk
  | UpsertBatchItem
  | RemoveBatchItem
  | SetBatchItemStatus
  | SetGenerating
  | SetSystemStatus
  | ReportError
  | DismissError
  | SetVoiceUpload;

/** The changes of a document, each of one key. */
export type DocumentChange =
  | SetKey
  | MergePatchKey
  | RemoveKey;

export type WorkStatus = 'pending' | 'generating' | 'completed' | 'error' | 'interrupted';

export interface TransientError {
  readonly id: string;
  readonly message: string;
}

/** Selects an engine. The parameters of the previous one are kept. */
export interface SelectEngine {
  readonly type: 'selectEngine';
  readonly engine: TtsEngine;
}

/** Sets the parameters that patch names; the others stay, so that edits of two clients merge. */
export interface UpdateParameters {
  readonly type: 'updateParameters';
  readonly engine: TtsEngine;
  readonly patch: TtsParameters;
}

export interface SetStreaming {
  readonly type: 'setStreaming';
  readonly useStreaming: boolean;
}

/** Makes a work session the current one; null selects none. */
export interface SelectWorkSession {
  readonly type: 'selectWorkSession';
  readonly id?: string;
}

/** The user's choice of slices to sync to every device, by name; null is all. */
export interface SetSyncedSlices {
  readonly type: 'setSyncedSlices';
  readonly slices?: readonly Slice[];
}

export interface UpsertWorkSession {
  readonly type: 'upsertWorkSession';
  readonly workSession: WorkSession;
}

export interface RemoveWorkSession {
  readonly type: 'removeWorkSession';
  readonly id: string;
}

export interface UpsertVoice {
  readonly type: 'upsertVoice';
  readonly voice: SavedVoice;
}

export interface RemoveVoice {
  readonly type: 'removeVoice';
  readonly id: string;
}

export interface UpsertChunk {
  readonly type: 'upsertChunk';
  readonly chunk: Chunk;
}

export interface RemoveChunk {
  readonly type: 'removeChunk';
  readonly id: string;
}

/** Sets a chunk's status to any but completed, and drops its audio, if any. */
export interface SetChunkStatus {
  readonly type: 'setChunkStatus';
  readonly id: string;
  readonly status: WorkStatus;
}

/** Gives a chunk its audio and with it the status completed. */
export interface CompleteChunk {
  readonly type: 'completeChunk';
  readonly id: string;
  readonly audio: AudioRef;
}

export interface UpsertBatchItem {
  readonly type: 'upsertBatchItem';
  readonly item: BatchItem;
}

export interface RemoveBatchItem {
  readonly type: 'removeBatchItem';
  readonly id: string;
}

export interface SetBatchItemStatus {
  readonly type: 'setBatchItemStatus';
  readonly id: string;
  readonly status: WorkStatus;
}

/** Sets whether a generation is running, and of which chunk. */
export interface SetGenerating {
  readonly type: 'setGenerating';
  readonly isGenerating: boolean;
  readonly currentGeneratingId?: string;
}

export interface SetSystemStatus {
  readonly type: 'setSystemStatus';
  readonly status?: string;
}

export interface ReportError {
  readonly type: 'reportError';
  readonly error: TransientError;
}

export interface DismissError {
  readonly type: 'dismissError';
  readonly id: string;
}

export interface SetVoiceUpload {
  readonly type: 'setVoiceUpload';
  readonly name?: string;
}

/** Sets a key to a value, whatever it was before. */
export interface SetKey {
  readonly type: 'setKey';
  readonly key: string;
  readonly value: unknown;
}

/**
 * Merges a patch into a key's value (RFC 7396), so that edits of different fields by two clients are both kept. A key
 * that the document does not have is made.
 */
export interface MergePatchKey {
  readonly type: 'mergeKey';
  readonly key: string;
  readonly patch: unknown;
}

/** Removes a key. Without effect when the document does not have it. */
export interface RemoveKey {
  readonly type: 'removeKey';
  readonly key: string;
}

/** A work session whose audio was dropped. */
export interface CleanedWorkSession {
  readonly id: string;
  readonly name: string;
  /** The chunks that are pending again. */
  readonly chunkIds: readonly string[];
  /** Length of their audio. */
  readonly bytes: number;
}
