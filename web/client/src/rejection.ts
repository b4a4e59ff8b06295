/** Why a change was refused: which field, the value it had, and what is allowed. */
export interface Rejection {
  field: string;
  value: string;
  allowed: string;
}

const shownLength = 80;

/** A rejection that quotes a text value, cut to a length fit for a message. */
export function rejectText(field: string, value: unknown, allowed: string): Rejection {
  return { field, value: value == null ? 'nothing' : `'${shorten(String(value))}'`, allowed };
}

export const messageOf = ({ field, value, allowed }: Rejection) => `${field}: ${value} is not allowed; allowed: ${allowed}`;

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

const shorten = (value: string) =>
  value.length <= shownLength ? value : `${value.slice(0, shownLength)}…' (${value.length} characters) '`;
