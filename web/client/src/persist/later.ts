export type MaybePromise<T> = T | PromiseLike<T>;

const isPromise = <T>(value: MaybePromise<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<T> | undefined)?.then === 'function';

/**
 * Does one thing and then another: at once where the first is no promise, so that a storage that answers at once hydrates a store
 * before its first render.
 */
export function later<T, R>(
  first: () => MaybePromise<T>,
  then: (value: T) => MaybePromise<R>,
  failed?: (error: unknown) => MaybePromise<R>,
): MaybePromise<R> {
  try {
    const value = first();
    if (!isPromise(value)) return then(value);
    return failed ? value.then(then).then(undefined, failed) : value.then(then);
  } catch (error) {
    if (!failed) throw error;
    return failed(error);
  }
}
