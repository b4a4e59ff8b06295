import { limits, type AudioRef, type UploadAnswer } from '../protocol.ts';
import { TransportError } from '../sync/transport.ts';
import { wait, type Clock } from '../sync/platform.ts';
import type { Http } from './http.ts';

const parallel = 3;
const tries = 8;
const firstPause = 250;

export interface UploadOptions {
  /** Of the clip, by default the blob's own. */
  mediaType?: string;
  /** 0 to 1: the part that the server has. */
  onProgress?: (part: number) => void;
  signal?: AbortSignal;
}

/** Audio clips: up by pieces, resumed where a connection was cut; down once, and shown by an address of their own. */
export class Audio {
  private readonly http: Http;
  private readonly store: string;
  private readonly clock: Clock;
  private readonly shown = new Map<string, { users: number; url: Promise<string> }>();

  constructor(http: Http, store: string, clock: Clock) {
    [this.http, this.store, this.clock] = [http, store, clock];
  }

  /** Gives what a chunk or a voice refers to the clip by. The same clip twice is sent once. */
  async upload(clip: Blob, { mediaType = clip.type || 'audio/wav', onProgress, signal }: UploadOptions = {}): Promise<AudioRef> {
    if (clip.size === 0 || clip.size > limits.clipBytes) {
      throw new TransportError('invalid', `audio: must be 1 to ${limits.clipBytes} bytes, was ${clip.size} bytes`);
    }
    const bytes = new Uint8Array(await clip.arrayBuffer());
    const path = `/api/audio/${await sha256(bytes)}`;
    const call = { store: this.store, length: bytes.length, mediaType };
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.attempt(path, bytes, call, onProgress, signal);
      } catch (failure) {
        signal?.throwIfAborted();
        if (attempt >= tries || !isPassing(failure)) throw failure;
        await wait(this.clock, firstPause * 2 ** Math.min(attempt, 5));
      }
    }
  }

  async download(hash: string, signal?: AbortSignal): Promise<Blob> {
    return (await this.http.send(`/api/audio/${hash}`, { signal })).blob();
  }

  /** An address for `<audio src>`, which cannot carry a token. Call `release` when it is shown no more. */
  async show(hash: string): Promise<{ url: string; release: () => void }> {
    const known = this.shown.get(hash) ?? { users: 0, url: this.download(hash).then(blob => URL.createObjectURL(blob)) };
    this.shown.set(hash, known);
    known.users++;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      if (--known.users > 0) return;
      this.shown.delete(hash);
      void known.url.then(URL.revokeObjectURL).catch(() => undefined);
    };
    try {
      return { url: await known.url, release };
    } catch (failure) {
      release();
      throw failure;
    }
  }

  private async attempt(
    path: string,
    bytes: Uint8Array<ArrayBuffer>,
    call: object,
    onProgress: UploadOptions['onProgress'],
    signal: AbortSignal | undefined,
  ): Promise<AudioRef> {
    const { audio, missing, pieceBytes } = await this.http.json<UploadAnswer>(path, { json: call, signal });
    const pieces = Math.ceil(bytes.length / pieceBytes);
    let done = audio ? pieces : pieces - missing.length;
    onProgress?.(done / pieces);
    if (audio) return audio;
    const queue = [...missing];
    const send = async () => {
      for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
        const body = bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes);
        const headers = { 'content-type': 'application/octet-stream' };
        await this.http.send(`${path}/pieces/${piece}`, { method: 'PUT', body, headers, signal });
        onProgress?.(++done / pieces);
      }
    };
    // When one fails the others finish what they have, and begin no more.
    const stop = (failure: unknown) => {
      queue.length = 0;
      return { failure };
    };
    const failed = (await Promise.all(Array.from({ length: parallel }, () => send().catch(stop)))).find(Boolean);
    if (failed) throw failed.failure;
    const completed = await this.http.json<UploadAnswer>(`${path}/complete`, { method: 'POST', signal });
    if (completed.audio) return completed.audio;
    throw new TransportError('unavailable', `${completed.missing.length} pieces of the clip were lost.`);
  }
}

const isPassing = (failure: unknown): boolean =>
  failure instanceof TransportError &&
  (['gone', 'unavailable', 'limited'].includes(failure.trouble) ||
    // The upload was forgotten: it begins again.
    (failure as { problem?: { status: number } }).problem?.status === 409);

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // Absent outside of secure contexts.
  const hash = crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    : (await import('./sha256.ts')).sha256(bytes);
  return Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('');
}
