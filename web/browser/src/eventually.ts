const patience = 30_000;
const every = 50;

/** Waits until something holds, and says what it was instead when it never does. */
export async function eventually<T>(look: () => T | Promise<T>, holds: (value: T) => boolean, within = patience): Promise<T> {
  const end = performance.now() + within;
  for (;;) {
    let seen: unknown;
    try {
      const value = await look();
      if (holds(value)) return value;
      seen = value;
    } catch (failure) {
      seen = failure;
    }
    if (performance.now() > end)
      throw new Error(`After ${within} ms it was still ${seen instanceof Error ? seen : JSON.stringify(seen)}`);
    await new Promise(resolve => setTimeout(resolve, every));
  }
}
