import type { AppStateChange, TtsStore } from '@chatterbox/store/tts';

/** A change of this page, with the milliseconds after which each light went on. */
export interface Tweak {
  id: number;
  label: string;
  from: number;
  kept?: number;
  applied?: number;
  durable?: number;
  rejected?: string;
}

export interface LightsSeen {
  /** The last 50, newest first. */
  tweaks: readonly Tweak[];
  count: number;
  /** Milliseconds until stored, of the last 500. */
  p50: number | undefined;
  p99: number | undefined;
}

const shown = 50;
const measured = 500;

/** What becomes of the changes of this page. */
export class Lights {
  private readonly tweaks = new Map<number, Tweak>();
  private readonly durations: number[] = [];
  private readonly listeners = new Set<() => void>();
  private seen: LightsSeen = { tweaks: [], count: 0, p50: undefined, p99: undefined };
  private count = 0;
  private isTelling = false;

  constructor(store: TtsStore) {
    store.onLight(({ id, light, change, rejection }) => {
      const now = performance.now();
      const before = this.tweaks.get(id) ?? { id, label: labelOf(change), from: now };
      const after = { ...before };
      if (light === 'shown') this.count++;
      else if (light === 'rejected') after.rejected = rejection?.field ?? 'refused';
      else after[light] ??= now - before.from;
      if (light === 'durable') this.durations.push(after.durable!);
      if (this.durations.length > measured) this.durations.shift();
      this.tweaks.set(id, after);
      for (const old of this.tweaks.keys()) {
        if (this.tweaks.size <= shown) break;
        this.tweaks.delete(old);
      }
      this.tell();
    });
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  get = (): LightsSeen => this.seen;

  // A batch of changes is one rendering.
  private tell(): void {
    if (this.isTelling) return;
    this.isTelling = true;
    queueMicrotask(() => {
      this.isTelling = false;
      const sorted = [...this.durations].sort((one, other) => one - other);
      const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
      this.seen = { tweaks: [...this.tweaks.values()].reverse(), count: this.count, p50: at(0.5), p99: at(0.99) };
      for (const listener of this.listeners) listener();
    });
  }
}

function labelOf(change: AppStateChange): string {
  const words = change.type.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
  if (change.type !== 'updateParameters') return words;
  return (
    Object.entries(change.patch)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ') || words
  );
}
