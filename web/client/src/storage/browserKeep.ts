import { MemoryKeep, type Keep, type Kept, type Copy, type StorageKind } from '../sync/keep.ts';
import type { SequencedChange } from '../sync/messages.ts';
import { within, type Platform } from '../sync/platform.ts';
import type { Claim } from './claim.ts';
import { IndexedDbKeep } from './indexedDbKeep.ts';

/** Another tab that is frozen may hold the database. */
const openWithin = 3_000;

/** The best keep that this browser has: IndexedDB, else localStorage, else memory. Says which, and why it is not a better one. */
export class BrowserKeep<S, C> implements Keep<S, C> {
  /** Of the database and the tabs' channel: of this user, server and store alone. */
  name = '';

  private readonly platform: Platform;
  private readonly identify: () => Promise<string>;
  private readonly isShareable: boolean;
  private keep: Keep<S, C>;
  private kept: Kept<S, C> | undefined;
  private readonly why: string[] = [];
  private claimed: Promise<Claim> | undefined;
  private isClosed = false;

  /** @param identify Gives the name: of nobody but the user whose changes are kept. */
  constructor(platform: Platform, identify: () => Promise<string>) {
    [this.platform, this.identify] = [platform, identify];
    this.isShareable = platform.locks !== undefined && platform.channel !== undefined;
    this.keep = new MemoryKeep(platform.newId());
  }

  get kind(): StorageKind {
    return this.keep.kind;
  }

  get isShared(): boolean {
    return this.keep.isShared;
  }

  get reason(): string | undefined {
    return [...this.why, this.keep.reason].filter(Boolean).join('; ') || undefined;
  }

  /** Chooses. To be called once, before everything else. */
  async prepare(): Promise<void> {
    this.name = await this.identify();
    const storage = this.probe(() => localStorage);
    const ways = [
      async (): Promise<Keep<S, C>> => {
        const client = this.isShareable ? this.platform.newId() : await this.claim(storage);
        return new IndexedDbKeep<S, C>(
          this.name,
          client,
          this.isShareable,
          this.require(() => indexedDB, 'IndexedDB'),
        );
      },
      async (): Promise<Keep<S, C>> => {
        if (!storage) throw new Error('localStorage is not available');
        const { LocalStorageKeep } = await import('./localStorageKeep.ts');
        return new LocalStorageKeep<S, C>(this.name, await this.claim(storage), storage);
      },
    ];
    for (const way of ways) {
      let keep: Keep<S, C> | undefined;
      try {
        keep = await way();
        this.kept = await within(this.platform.clock, openWithin, `Opening ${keep.kind}`, keep.open());
        this.keep = keep;
        break;
      } catch (failure) {
        keep?.close();
        this.why.push((failure as Error)?.message ?? String(failure));
      }
    }
    if (this.isClosed) this.close();
  }

  async open(): Promise<Kept<S, C>> {
    return this.kept ?? this.keep.open();
  }

  append(changes: readonly C[]): Promise<number[]> {
    return this.keep.append(changes);
  }

  after(sequence: number): Promise<SequencedChange<C>[]> {
    return this.keep.after(sequence);
  }

  remove(sequences: readonly number[]): Promise<void> {
    return this.keep.remove(sequences);
  }

  save(copy: Copy<S>): Promise<void> {
    return this.keep.save(copy);
  }

  close(): void {
    this.isClosed = true;
    void this.claimed?.then(({ end }) => end());
    this.keep.close();
  }

  private async claim(storage: Storage | undefined): Promise<string> {
    if (!storage) return this.platform.newId();
    this.claimed ??= import('./claim.ts').then(({ claimClient }) => claimClient(this.platform, this.name, storage));
    return (await this.claimed).client;
  }

  private probe(get: () => Storage): Storage | undefined {
    try {
      const storage = get();
      storage.setItem(`${this.name}/probe`, '1');
      storage.removeItem(`${this.name}/probe`);
      return storage;
    } catch {
      return undefined;
    }
  }

  private require<T>(get: () => T | undefined, what: string): T {
    const value = get();
    if (!value) throw new Error(`${what} is not available`);
    return value;
  }
}
