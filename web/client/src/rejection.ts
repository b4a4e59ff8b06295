/** Why a change was refused: which field, what it was (reads on from "was"), and what it must be (reads on from "must be"). */
export interface Rejection {
  field: string;
  value: string;
  allowed: string;
}

const shownLength = 80;

/** A rejection that quotes a text value, cut to a length fit for a message. */
export function rejectText(field: string, value: unknown, allowed: string): Rejection {
  return { field, value: value == null ? 'missing' : quote(String(value)), allowed };
}

/** As rejectText, for a value whose length is limited in another unit than UTF-16 code units. */
export const rejectLength = (field: string, value: string, length: number, allowed: string): Rejection => ({
  field,
  value: quote(value, length),
  allowed,
});

export const messageOf = ({ field, value, allowed }: Rejection) => `${field}: must be ${allowed}, was ${value}`;

/** A change that was refused; nothing of it is left. */
export class ChangeRejectedError extends Error {
  override readonly name = 'ChangeRejectedError';
  readonly change: unknown;
  readonly rejection: Rejection;

  constructor(change: unknown, rejection: Rejection) {
    super(messageOf(rejection));
    this.change = change;
    this.rejection = rejection;
  }
}

function quote(value: string, length = value.length): string {
  if (value.length <= shownLength) return `'${value}'`;
  // Half a surrogate pair is no valid text.
  const end = /[\ud800-\udbff]/.test(value.charAt(shownLength - 1)) ? shownLength - 1 : shownLength;
  return `'${value.slice(0, end)}…' (${length} characters)`;
}
