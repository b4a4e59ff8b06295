import { describe, expect, it } from 'vitest';
import { tts } from '../src/tts/reducer.ts';
import { sameJson } from '../src/equality.ts';
import { Replica, type Need } from '../src/sync/replica.ts';
import type { AppState, AppStateChange } from '../src/protocol.ts';
import type { AppliedChange, CatchUp, ChangeBatch } from '../src/sync/messages.ts';
import { vectors } from './vectors.ts';

type Change = AppStateChange;

const all = vectors('tts');
const needs: Record<string, Need> = { Nothing: 0, CatchUp: 1, Attach: 2 };

describe("[W4] the reducer is C#'s", () => {
  it('begins with the same state', () => {
    expect(tts.initial).toEqual(all.find(each => each.kind === 'constants')!.initial);
  });

  it('gives the same state, the same reference and the same refusal for every one of at least 5,000 changes', () => {
    let count = 0;
    for (const [line, { kind, start, fill, steps }] of all.entries()) {
      if (kind !== 'reduce') continue;
      let state = fill ? filled(start, fill) : (start as AppState);
      for (const [index, step] of steps.entries()) {
        const place = `line ${line + 1}, step ${index}: ${JSON.stringify(step.change).slice(0, 300)}`;
        const result = tts.reduce(state, step.change, step.slices);
        expect(result.rejection, place).toEqual(step.rejection);
        if (step.rejection || step.same) expect(result.state === state, `the same reference: ${place}`).toBe(true);
        if (step.slice) {
          const expected = { ...state, [step.slice.name]: step.slice.value };
          if (!sameJson(result.state, expected)) expect(result.state, place).toEqual(expected);
          expect(result.state === state, `another reference: ${place}`).toBe(false);
        }
        state = result.state;
        count++;
      }
    }
    expect(count).toBeGreaterThanOrEqual(5000);
  });

  it('leaves a change as it is sent by C# as it is, and fills in what one made by hand leaves out', () => {
    for (const { kind, steps } of all) {
      if (kind === 'reduce') for (const { change } of steps) expect(sameJson(tts.normalize(change), change)).toBe(true);
    }
    const bare = {
      type: 'upsertChunk',
      chunk: { id: 'c', text: 'x', parameters: { topP: null, temperature: undefined }, audio: null },
    };
    expect(tts.normalize(bare as unknown as Change)).toEqual({
      type: 'upsertChunk',
      chunk: {
        id: 'c',
        text: 'x',
        parameters: {},
        status: 'pending',
        engine: 'chatterbox',
        createdAt: '0001-01-01T00:00:00+00:00',
      },
    });
  });
});

describe("[W4] the replica is C#'s", () => {
  const sequences = all.flatMap(({ kind, ...rest }, line) => (kind === 'replica' ? [[line + 1, rest] as const] : []));

  it.each(sequences)("line %i: stands where C#'s stands after every step", (_, { client, steps }) => {
    const replica = new Replica<AppState, Change>(tts, client);
    let shown = replica.visible;
    for (const [index, step] of steps.entries()) {
      const place = `step ${index} ${step.op}`;
      take(replica, step, place);
      const { visible, ...where } = step.after;
      expect(
        {
          epoch: replica.epoch,
          revision: replica.revision,
          durable: replica.durableRevision,
          outbox: replica.outbox.all.map(entry => entry.sequence),
          gone: replica.gone,
        },
        place,
      ).toEqual({ ...where, gone: [...where.gone].sort((one, other) => one - other) });
      replica.gone = [];
      const expected = { ...shown, ...visible };
      if (!sameJson(replica.visible, expected)) expect(replica.visible, place).toEqual(expected);
      shown = expected;
    }
  });
});

function take(replica: Replica<AppState, Change>, step: Record<string, any>, place: string): void {
  const batchOf = (): ChangeBatch<Change> => ({
    client: replica.client,
    epoch: step.batch.epoch,
    after: step.batch.after,
    changes: step.batch.sequences.map((sequence: number) => ({ sequence, change: replica.outbox.find(sequence)?.change })),
  });
  switch (step.op) {
    case 'enqueue':
      return void replica.add({ sequence: step.sequence, change: step.change });
    case 'select':
      return replica.select(step.slices ?? undefined);
    case 'batch': {
      const batch = replica.nextBatch();
      return expect(
        batch && { epoch: batch.epoch, after: batch.after, sequences: batch.changes.map(each => each.sequence) },
        place,
      ).toEqual(step.batch ?? undefined);
    }
    case 'replied': {
      const result = ['done', 'otherEpoch', 'gap', 'refused'][step.result] as 'done';
      const { need, rejected } = replica.replied(batchOf(), {
        result,
        epoch: step.epoch,
        durableRevision: step.durable,
        outcomes: step.outcomes,
      });
      expect(need, place).toBe(needs[step.need]);
      return expect(
        rejected.map(each => each.entry.sequence),
        place,
      ).toEqual(step.rejected);
    }
    case 'withdraw':
      return expect(
        replica.withdraw(batchOf(), step.rejection).map(each => each.entry.sequence),
        place,
      ).toEqual(step.rejected);
    case 'attached':
      return expect(replica.attached({ state: step.state as CatchUp<Change>, applied: step.applied }, step.seen), place).toBe(
        step.taken,
      );
    case 'caughtUp': {
      const need = step.since.epoch === replica.epoch ? replica.caughtUp(step.since) : 2;
      return expect(need, place).toBe(needs[step.need]);
    }
    case 'changes':
      return expect(replica.changesApplied(step.from, step.to, step.changes as AppliedChange<Change>[]), place).toBe(
        needs[step.need],
      );
    case 'durable':
      return replica.becameDurable(step.revision);
    default:
      throw new Error(`An operation that is not known: ${step.op}`);
  }
}

function filled(start: AppState, { name, count }: { name: 'chunks'; count: number }): AppState {
  const template = start[name][0]!;
  return { ...start, [name]: Array.from({ length: count }, (_, id) => ({ ...template, id: `f${id}` })) };
}
