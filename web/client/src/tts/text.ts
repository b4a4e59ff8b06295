import { rejectText, type Rejection } from '../rejection.ts';
import { limits } from '../protocol.ts';

// Where .NET and JavaScript differ, .NET's word counts: it decides.

/** A lone surrogate cannot be stored as UTF-8: it would come back as another character. */
export const isWellFormed = (value: string) =>
  !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value);

// .NET's Trim takes U+0085 and leaves U+FEFF; JavaScript's does the reverse.
const space = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const edge = new RegExp(`^${space}|${space}$`);
const control = /[\u0000-\u001f\u007f-\u009f]/;

const isLine = (value: unknown, longest: number): value is string =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= longest &&
  isWellFormed(value) &&
  !control.test(value) &&
  !edge.test(value);

const checkLine = (field: string, value: unknown, longest: number): Rejection | undefined =>
  isLine(value, longest)
    ? undefined
    : rejectText(field, value, `1 to ${longest} characters, no control characters, no white space at the ends`);

export const checkId = (field: string, value: unknown) => checkLine(field, value, limits.idLength);

export const checkName = (field: string, value: unknown) => checkLine(field, value, limits.nameLength);

export const checkMediaType = (field: string, value: unknown): Rejection | undefined =>
  typeof value === 'string' && value.length <= limits.mediaTypeLength && /^[!-~]+$/.test(value)
    ? undefined
    : rejectText(field, value, `a media type of 1 to ${limits.mediaTypeLength} ASCII characters, such as audio/wav`);

/** Any text of so many characters, counted as Unicode code points. */
export function checkText(field: string, value: unknown, shortest: number, longest: number): Rejection | undefined {
  const allowed = `${shortest} to ${longest} characters of valid Unicode`;
  if (typeof value !== 'string' || value.length > 2 * longest || !isWellFormed(value)) return rejectText(field, value, allowed);
  const length = [...value].length;
  return length >= shortest && length <= longest ? undefined : rejectText(field, value, `${allowed}; it has ${length}`);
}

/** A number as .NET writes it: shortest digits, an exponent from 1E+17 and up to 1E-05. */
export function showNumber(value: number): string {
  const [digits, exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (Number.isFinite(value) && power < 17 && power > -5) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isFinite(value) ? `${digits}E${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}` : String(value);
}
