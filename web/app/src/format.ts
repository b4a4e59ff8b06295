export function bytes(count: number): string {
  if (count < 1000) return `${Math.round(count)} B`;
  const units = ['kB', 'MB', 'GB'];
  let value = count / 1000;
  while (value >= 1000 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[0]}`;
}

export const milliseconds = (value: number | undefined): string =>
  value === undefined ? '–' : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;

export const time = (iso: string): string =>
  new Date(iso).toLocaleString([], { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const clock = (iso: string): string => new Date(iso).toLocaleTimeString([], { timeStyle: 'medium' });

export const words = (name: string): string => {
  const spaced = name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
  return spaced[0]!.toUpperCase() + spaced.slice(1);
};

export const messageOf = (failure: unknown): string => (failure instanceof Error ? failure.message : String(failure));

/** randomUUID is there in secure contexts only. */
export const newId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, '0')).join('');
