import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** What C# wrote: a JSON value a line. */
export function vectors(name: string): Record<string, any>[] {
  const text = gunzipSync(readFileSync(new URL(`./vectors/${name}.jsonl.gz`, import.meta.url))).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
}
