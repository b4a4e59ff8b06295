/** Numbers that are the same for the same seed (mulberry32). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  /** 0 to less than 1. */
  real(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  }

  /** 0 to less than the bound. */
  next(bound: number): number {
    return Math.floor(this.real() * bound);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.next(items.length)]!;
  }

  chance(one: number): boolean {
    return this.next(one) === 0;
  }
}
