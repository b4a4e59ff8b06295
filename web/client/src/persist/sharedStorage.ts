import { document, documentChanges, type DocumentState } from '../document/document.ts';
import { sameJson } from '../equality.ts';
import type { Channel, Locks } from '../sync/platform.ts';
import type { PersistStorage, StorageValue } from './persist.ts';

/** The store of this tab. */
export interface Live {
  /** What is stored of it. */
  get(): unknown;
  set(changed: DocumentState): void;
}

/**
 * A storage that tabs share: each writes only what it changed since it last read, on top of what is there, so that a stale tab
 * writes nothing over what another wrote.
 */
export class SharedStorage implements PersistStorage<any> {
  private readonly inner: () => Promise<PersistStorage<any>>;
  private readonly locks: Locks | undefined;
  private readonly channel: Channel | undefined;
  private readonly live: Live;
  /** What was read or written last. */
  private base: DocumentState = {};
  private tail: Promise<unknown> = Promise.resolve();

  constructor(inner: () => Promise<PersistStorage<any>>, locks: Locks | undefined, channel: Channel | undefined, live: Live) {
    [this.inner, this.locks, this.channel, this.live] = [inner, locks, channel, live];
    channel?.listen(({ name }: { name: string }) => void this.alone(name, () => this.catchUp(name)).catch(() => undefined));
  }

  getItem(name: string): Promise<StorageValue<any> | null> {
    return this.alone(name, async () => {
      const stored = await (await this.inner()).getItem(name);
      this.base = (stored?.state as DocumentState | undefined) ?? this.ours();
      return stored;
    });
  }

  setItem(name: string, { state, version }: StorageValue<any>): Promise<void> {
    return this.alone(name, async () => {
      const inner = await this.inner();
      const stored = await inner.getItem(name);
      const ours = plain(state);
      const theirs = stored && stored.version === version ? (stored.state as DocumentState) : undefined;
      const next = theirs ? apply(theirs, documentChanges(this.base, ours)) : ours;
      if (!stored || !sameJson(next, stored.state) || stored.version !== version) {
        await inner.setItem(name, { state: next, ...(version !== undefined && { version }) });
        this.channel?.post({ name });
      }
      this.rebase(ours, next);
    });
  }

  removeItem(name: string): Promise<void> {
    return this.alone(name, async () => {
      await (await this.inner()).removeItem(name);
      this.base = this.ours();
    });
  }

  private async catchUp(name: string): Promise<void> {
    const stored = await (await this.inner()).getItem(name);
    if (stored) this.rebase(this.base, stored.state as DocumentState);
  }

  /** What the store has changed since stays on top of what is stored now. */
  private rebase(from: DocumentState, to: DocumentState): void {
    this.base = to;
    const ours = this.ours();
    const next = apply(to, documentChanges(from, ours));
    const changed = Object.entries(next).filter(([key, value]) => !sameJson(ours[key], value));
    if (changed.length > 0) this.live.set(Object.fromEntries(changed));
  }

  private ours(): DocumentState {
    return plain(this.live.get());
  }

  // One after the other, in this tab and among tabs.
  private alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { locks } = this;
    const turn = this.tail.then(async () => {
      if (!locks) return work();
      let result: T;
      await locks.request(`chatterbox/store/${name}`, {}, async () => void (result = await work()));
      return result!;
    });
    this.tail = turn.catch(() => undefined);
    return turn;
  }
}

const plain = (state: unknown): DocumentState => JSON.parse(JSON.stringify(state)) as DocumentState;

const apply = (state: DocumentState, changes: ReturnType<typeof documentChanges>): DocumentState =>
  changes.reduce((before, change) => document.reduce(before, change).state, state);
