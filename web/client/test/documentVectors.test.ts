import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { document, type DocumentChange, type DocumentState } from '../src/document/document.ts';

interface Step {
  readonly change: DocumentChange;
  readonly slice: string;
  readonly rejection?: string;
  readonly state: DocumentState;
}

const sequences = readFileSync(new URL('./vectors/documents.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line) as Step[]);

test("[W4] [G2] a document is what C#'s reducer makes of it: RFC 7396's examples and random changes", () => {
  expect(sequences.length).toBeGreaterThan(150);
  for (const steps of sequences) {
    let state = document.initial;
    for (const step of steps) {
      expect(document.sliceOf(step.change)).toBe(step.slice);
      const before = state;
      const reduced = document.reduce(state, step.change);
      state = reduced.state;
      const { rejection } = reduced;
      expect(rejection && `${rejection.field}: must be ${rejection.allowed}, was ${rejection.value}`).toBe(step.rejection);
      if (rejection) expect(state).toBe(before);
      expect(Object.entries(state).sort()).toEqual(Object.entries(step.state).sort());
    }
  }
});
