// Takes addresses out of the lock, so that it names versions and hashes only and works with any registry.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
for (const each of Object.values(lock.packages)) if (!each.link) delete each.resolved;
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
