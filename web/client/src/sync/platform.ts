/** What a session needs of its surroundings. Tests have their own; `browserPlatform` is the real one. */
export interface Platform {
  readonly clock: Clock;
  /** 0 to less than 1. */
  random(): number;
  /** A new id, unlike any other. */
  newId(): string;
  /** Web Locks; absent outside of secure contexts. */
  readonly locks?: Locks | undefined;
  /** Opens a channel to the other tabs of this browser. */
  readonly channel?: ((name: string) => Channel) | undefined;
  isHidden(): boolean;
  /** Calls when the page becomes visible or hidden, goes online, or resumes. Returns what ends that. */
  onWake(listener: () => void): () => void;
}

export interface Clock {
  /** Milliseconds; only differences mean something. */
  now(): number;
  /** Calls later. Returns what cancels that. */
  later(milliseconds: number, call: () => void): () => void;
}

export interface Locks {
  /** Holds the lock until the callback's promise settles. Rejects when the lock is stolen, or the request aborted. */
  request(name: string, options: { steal?: boolean; signal?: AbortSignal }, callback: () => Promise<void>): Promise<unknown>;
}

export interface Channel {
  post(message: unknown): void;
  listen(listener: (message: any) => void): void;
  close(): void;
}

/** Rejects when something takes longer than it may. What it comes to later is not heard. */
export function within<T>(clock: Clock, milliseconds: number, what: string, task: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.later(milliseconds, () => reject(new Error(`${what} took longer than ${milliseconds} ms.`)));
    task.then(resolve, reject).finally(cancel);
  });
}

export const wait = (clock: Clock, milliseconds: number): Promise<void> =>
  new Promise(resolve => void clock.later(milliseconds, resolve));

/** The page's own clock, locks and channels. */
export function browserPlatform(): Platform {
  const page = typeof document === 'undefined' ? undefined : document;
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
  return {
    clock: {
      now: () => performance.now(),
      later(milliseconds, call) {
        const timer = setTimeout(call, milliseconds);
        return () => clearTimeout(timer);
      },
    },
    random: Math.random,
    newId: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join(''),
    locks: locks && { request: (name, options, callback) => locks.request(name, options, callback) },
    channel: typeof BroadcastChannel === 'undefined' ? undefined : openChannel,
    isHidden: () => page?.visibilityState === 'hidden',
    onWake(listener) {
      const events: [EventTarget | undefined, string][] = [
        [page, 'visibilitychange'],
        [page, 'resume'],
        ...['online', 'pageshow', 'pagehide'].map(name => [globalThis.window, name] as [EventTarget | undefined, string]),
      ];
      for (const [target, name] of events) target?.addEventListener(name, listener);
      return () => events.forEach(([target, name]) => target?.removeEventListener(name, listener));
    },
  };
}

function openChannel(name: string): Channel {
  const channel = new BroadcastChannel(name);
  return {
    post: message => channel.postMessage(message),
    listen: listener => channel.addEventListener('message', event => listener(event.data)),
    close: () => channel.close(),
  };
}
