/** Who the page is for, and the device that it plays. */
export interface Visitor {
  user: string;
  /** A device of its own in the same browser: with its own copy, and its own connection. */
  device: string | undefined;
}

export function visitorOf(search: string): Visitor | undefined {
  const query = new URLSearchParams(search);
  const user = query.get('user')?.trim();
  return user ? { user, device: query.get('device')?.trim() || undefined } : undefined;
}

export const addressOf = ({ user, device }: Visitor): string =>
  `/?${new URLSearchParams({ user, ...(device !== undefined && { device }) })}`;

let pasted: string | undefined;
let isIssuer = true;

/** A token that was issued elsewhere. It is kept for as long as the page is open, and nowhere. */
export function paste(token: string): void {
  pasted = token;
}

/** Silos of production issue no tokens: theirs come from an issuer. */
export const issuesTokens = (): boolean => isIssuer;

/** Null: nobody is signed in. Rejects while the silo cannot be reached. */
export async function tokenFor(user: string): Promise<string | null> {
  if (pasted !== undefined) return pasted;
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user }),
  });
  if (response.status === 404 || response.status === 401) {
    isIssuer = false;
    return null;
  }
  if (!response.ok) throw new Error(`The silo gave no token: ${response.status}`);
  return ((await response.json()) as { token: string }).token;
}

/** Undefined when a session can have this user. */
export function checkName(user: string): string | undefined {
  if (user.length === 0 || user.length > 128) return 'must be 1 to 128 characters';
  return /^[^/\p{Cc}]+$/u.test(user) ? undefined : 'must have no / and no control characters';
}
