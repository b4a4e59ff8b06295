/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const isObject = (value: unknown): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7396. The same reference where nothing changes. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return target !== undefined && sameValue(target, patch) ? target : patch;
  const members = new Map(Object.entries(isObject(target) ? target : {}));
  let changed = !isObject(target);
  for (const [name, value] of Object.entries(patch)) {
    const before = members.get(name);
    if (value === null) {
      changed = members.delete(name) || changed;
      continue;
    }
    const after = mergePatch(before, value);
    if (after === before) continue;
    members.set(name, after);
    changed = true;
  }
  return changed ? Object.fromEntries(members) : (target as Json);
}

/**
 * The patch that turns one value into another, or undefined when a merge patch cannot say it: a member that becomes null would be
 * removed, and what is no object is replaced whole.
 */
export function diff(before: Json | undefined, after: Json): Json | undefined {
  if (!isObject(before) || !isObject(after)) return undefined;
  const patch: [string, Json][] = [];
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) patch.push([name, null]);
  for (const [name, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    if (old !== undefined && sameValue(old, value)) continue;
    if (isObject(old) && isObject(value)) {
      const inner = diff(old, value);
      if (inner === undefined) return undefined;
      patch.push([name, inner]);
    } else {
      if (holdsNull(value)) return undefined;
      patch.push([name, value]);
    }
  }
  return Object.fromEntries(patch);
}

// Only members: a null in a list is kept by a patch.
const holdsNull = (value: Json): boolean => value === null || (isObject(value) && Object.values(value).some(holdsNull));

/** Whether two values are the same JSON; the order of members does not count. */
export function sameValue(one: Json, other: Json): boolean {
  if (one === other) return true;
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => sameValue(item, other[index]!))
    );
  }
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every(name => Object.hasOwn(other, name) && sameValue(one[name]!, other[name]!))
  );
}
