/** localStorage, as far as it is used. */
export class FakeStorage implements Storage {
  [name: string]: unknown;

  /** Characters that fit. */
  #room = Infinity;
  readonly #values = new Map<string, string>();

  limit(room: number): void {
    this.#room = room;
  }

  get length(): number {
    return this.#values.size;
  }

  key(index: number): string | null {
    return [...this.#values.keys()][index] ?? null;
  }

  getItem(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  setItem(name: string, value: string): void {
    const used = [...this.#values].reduce((sum, [key, text]) => sum + (key === name ? 0 : text.length), 0);
    if (used + value.length > this.#room) throw new DOMException('The quota is exceeded.', 'QuotaExceededError');
    this.#values.set(name, value);
    // As browsers do: names are members, too.
    Object.defineProperty(this, name, { value, configurable: true, enumerable: true });
  }

  removeItem(name: string): void {
    this.#values.delete(name);
    delete this[name];
  }

  clear(): void {
    for (const name of [...this.#values.keys()]) this.removeItem(name);
  }
}
