/** A change of this page until it is durable. */
export interface Own<C> extends SettledBy {
  id: number;
  change: C;
  sequence?: number;
  isApplied?: boolean;
}

interface SettledBy {
  kept: PromiseWithResolvers;
  applied: PromiseWithResolvers<number>;
  durable: PromiseWithResolvers;
}

interface PromiseWithResolvers<T = void> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (why: unknown) => void;
}

export function settledBy(): SettledBy {
  const [kept, applied, durable] = [promised<void>(), promised<number>(), promised<void>()];
  // Not everybody waits for everything.
  for (const { promise } of [kept, applied, durable]) promise.catch(() => undefined);
  return { kept, applied, durable };
}

function promised<T>(): PromiseWithResolvers<T> {
  let [resolve, reject]: [(value: T) => void, (why: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<T>((done, failed) => ([resolve, reject] = [done, failed]));
  return { promise, resolve, reject };
}
