import { useSyncExternalStore } from 'react';
import { useOpened } from '../app.ts';
import { bytes, milliseconds } from '../format.ts';
import type { Tweak } from '../lights.ts';
import { Section } from '../parts.tsx';
import { useServer } from '../server.tsx';

const lights = ['kept', 'applied', 'durable'] as const;
const meaning = { kept: 'kept', applied: 'applied', durable: 'stored' };

export function Changes() {
  const { lights: seen } = useOpened();
  const { tweaks, count, p50, p99 } = useSyncExternalStore(seen.subscribe, seen.get);
  const { status } = useServer();
  const perTweak = status && status.changes > 0 ? status.bytesWritten / status.changes : undefined;
  return (
    <Section title="Changes" note="kept here ▸ applied ▸ stored">
      <dl className="numbers">
        <div>
          <dt>Until stored, p50</dt>
          <dd>{milliseconds(p50)}</dd>
        </div>
        <div>
          <dt>p99</dt>
          <dd>{milliseconds(p99)}</dd>
        </div>
        <div>
          <dt>Bytes per change</dt>
          <dd>{perTweak === undefined ? '–' : bytes(perTweak)}</dd>
        </div>
        <div>
          <dt>From this page</dt>
          <dd>{count}</dd>
        </div>
      </dl>
      {tweaks.length === 0 ? (
        <p className="empty">Move a slider: each change shows when it is kept, applied and stored.</p>
      ) : (
        <ol className="strip" tabIndex={0} aria-label="The last 50 changes of this page, newest first">
          {tweaks.map(tweak => (
            <TweakItem key={tweak.id} tweak={tweak} />
          ))}
        </ol>
      )}
    </Section>
  );
}

function TweakItem({ tweak }: { tweak: Tweak }) {
  const furthest = lights.findLast(light => tweak[light] !== undefined);
  const isStored = furthest === 'durable' && tweak.rejected === undefined;
  const told =
    tweak.rejected !== undefined
      ? `refused: ${tweak.rejected}`
      : furthest
        ? `${meaning[furthest]} ${milliseconds(tweak[furthest])}`
        : 'shown';
  return (
    <li
      title={tweak.label}
      data-durable={tweak.durable !== undefined || undefined}
      data-rejected={tweak.rejected !== undefined || undefined}
    >
      <span className="lights" aria-hidden="true">
        {lights.map(light => (
          <i
            key={light}
            data-on={tweak[light] !== undefined || undefined}
            title={`${meaning[light]} ${milliseconds(tweak[light])}`}
          />
        ))}
      </span>
      <span className="what">{tweak.label}</span>
      <span className="when">
        {isStored ? (
          <>
            <span className="hidden">stored </span>
            {milliseconds(tweak.durable)}
          </>
        ) : (
          told
        )}
      </span>
    </li>
  );
}
