/** Whether two values are the same JSON; an undefined member is as good as absent. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => sameJson(item, other[index]))
    );
  }
  return memberwise(one, other, sameJson);
}

/** Whether two items are equal as C#'s records are: moments by instant, everything else by value. */
export const sameItem = (one: object, other: object): boolean =>
  memberwise(one, other, (a, b, name) =>
    (name === 'createdAt' || name === 'updatedAt') && typeof a === 'string' && typeof b === 'string'
      ? instant(a) === instant(b)
      : sameJson(a, b),
  );

function memberwise(one: object, other: object, same: (a: unknown, b: unknown, name: string) => boolean): boolean {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every(name => same(own(one, name), own(other, name), name));
}

// A member of the item's own, also where it is called __proto__.
const own = (item: object, name: string): unknown =>
  Object.hasOwn(item, name) ? (item as Record<string, unknown>)[name] : undefined;

/** A moment as text that is equal for the same instant, to C#'s 100 ns. */
function instant(text: string): string {
  const [, whole = text, fraction = '', offset = ''] = /^(.*?\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  return `${Date.parse(whole + offset)}.${fraction.padEnd(7, '0').slice(0, 7)}`;
}
