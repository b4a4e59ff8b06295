import type { FlushReply, ImportReport, RecoveryReport, SessionStatus, StorageInfo } from '../protocol.ts';
import type { Http, Request } from './http.ts';

/** An entry of the history: bytes that left the live rows. */
export interface HistoryItem {
  readonly id: string;
  /** lastGood, beforeClear, beforeImport, beforeRestore, beforeCleanUp, beforeMigration, expired, unreadable, overtaken. */
  readonly reason: string;
  readonly detail: string;
  readonly slices: readonly string[];
  readonly at: string;
  readonly length: number;
  readonly schemaVersion: number;
}

/** An entry with what it holds, as UTF-8 in base64; `json` is absent where the bytes cannot be read. */
export interface HistoryContent {
  readonly item: HistoryItem;
  readonly rows: readonly { readonly slice: string; readonly bytes: string; readonly json?: string }[];
}

export interface ImportOptions {
  /** Says what an import would do, and does nothing. */
  dryRun?: boolean;
  /** Refuses a document of which anything would be left out or changed. */
  strict?: boolean;
  signal?: AbortSignal;
}

/** What is done with a session now and then, by HTTP. */
export class SessionApi {
  private readonly http: Http;
  private readonly path: string;

  /** @param user Another user, for operators. */
  constructor(http: Http, store: string, user?: string) {
    this.http = http;
    const of = user === undefined ? '' : `/users/${encodeURIComponent(user)}`;
    this.path = `/api${of}/sessions/${encodeURIComponent(store)}`;
  }

  status(): Promise<SessionStatus> {
    return this.json('/status');
  }

  info(): Promise<StorageInfo> {
    return this.json('/info');
  }

  /** The state as it stands. */
  snapshot<S>(): Promise<{ epoch: number; revision: number; durableRevision: number; state: S }> {
    return this.json('');
  }

  /** Saves now. */
  flush(): Promise<FlushReply> {
    return this.json('/flush', { method: 'POST' });
  }

  rehydrate(): Promise<SessionStatus> {
    return this.json('/rehydrate', { method: 'POST' });
  }

  clear(): Promise<unknown> {
    return this.http.send(`${this.path}/clear`, { method: 'POST' });
  }

  recover(): Promise<RecoveryReport> {
    return this.json('/recover', { method: 'POST' });
  }

  discardRecovery(): Promise<RecoveryReport> {
    return this.json('/recovery', { method: 'DELETE' });
  }

  /** Newest first. */
  history(): Promise<readonly HistoryItem[]> {
    return this.json('/history');
  }

  readHistory(id: string): Promise<HistoryContent> {
    return this.json(`/history/${encodeURIComponent(id)}`);
  }

  restoreHistory(id: string): Promise<RecoveryReport> {
    return this.json(`/history/${encodeURIComponent(id)}/restore`, { method: 'POST' });
  }

  /** Restores the newest state from before a clear, import, restore, clean-up or expiry. */
  undo(): Promise<RecoveryReport> {
    return this.json('/undo', { method: 'POST' });
  }

  async dropHistory(id: string): Promise<void> {
    await this.http.send(`${this.path}/history/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** The session as one document. */
  async export({ audio = true, signal }: { audio?: boolean; signal?: AbortSignal } = {}): Promise<Blob> {
    const response = await this.http.send(`${this.path}/export?audio=${audio}`, { signal });
    return response.blob();
  }

  /** Replaces the session by a document: an export, or what a Zustand store has in the browser. All or nothing. */
  import(document: Blob | string, { dryRun = false, strict = false, signal }: ImportOptions = {}): Promise<ImportReport> {
    return this.json(`/import?dryRun=${dryRun}&strict=${strict}`, {
      body: document,
      headers: { 'content-type': 'application/json' },
      signal,
    });
  }

  private json<T>(path: string, request?: Request): Promise<T> {
    return this.http.json(`${this.path}${path}`, request);
  }
}
