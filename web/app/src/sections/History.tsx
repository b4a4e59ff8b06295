import { useRef, useState } from 'react';
import { useOpened } from '../app.ts';
import { bytes, time, words } from '../format.ts';
import { Section, useAttempt } from '../parts.tsx';
import { useServer } from '../server.tsx';

interface Look {
  title: string;
  rows: readonly { slice: string; text: string }[];
}

const shown = 8;

export function History() {
  const { store } = useOpened();
  const { history, refresh } = useServer();
  const { attempt, isBusy, problem } = useAttempt();
  const [look, setLook] = useState<Look>();
  const dialog = useRef<HTMLDialogElement>(null);
  const api = async () => (await store.gateway()).api;
  const open = async (id: string, title: string) => {
    const { rows } = await (await api()).readHistory(id);
    setLook({
      title,
      rows: rows.map(({ slice, json }) => ({ slice, text: json === undefined ? 'Its bytes cannot be read.' : textOf(json) })),
    });
    dialog.current?.showModal();
  };
  const then = (act: () => Promise<unknown>) =>
    attempt(async () => {
      await act();
      refresh();
    });
  return (
    <Section title="History" note={history.length || undefined}>
      {history.length === 0 && <p className="empty">States that a clear, an import or a restore replaced are kept here.</p>}
      <ul className="items">
        {history.slice(0, shown).map(({ id, reason, at, length, slices }) => {
          const title = `${words(reason)}, ${time(at)}`;
          return (
            <li key={id}>
              <div className="row">
                <span className="grow">
                  <strong>{words(reason)}</strong>
                  <br />
                  <small>
                    {time(at)} · {bytes(length)} · {slices.length === 1 ? words(slices[0]!) : `${slices.length} slices`}
                  </small>
                </span>
                <button disabled={isBusy} aria-label={`Look at ${title}`} onClick={() => void attempt(() => open(id, title))}>
                  Look
                </button>
                <button
                  disabled={isBusy}
                  aria-label={`Restore ${title}`}
                  onClick={() => void then(async () => refused(await (await api()).restoreHistory(id)))}
                >
                  Restore
                </button>
              </div>
            </li>
          );
        })}
      </ul>
      {history.length > shown && <p className="note">and {history.length - shown} older</p>}
      {problem}
      <div className="row">
        <button
          disabled={isBusy || history.length === 0}
          onClick={() => void then(async () => refused(await (await api()).undo()))}
        >
          Undo the last
        </button>
        <button className="quiet" disabled={isBusy} onClick={() => void then(() => store.persist.clearPersistedState())}>
          Clear the session
        </button>
      </div>
      <dialog ref={dialog} aria-labelledby="look">
        <h2 id="look">{look?.title}</h2>
        {look?.rows.map(({ slice, text }) => (
          <details key={slice} open={look.rows.length < 3}>
            <summary>{words(slice)}</summary>
            <pre tabIndex={0}>{text}</pre>
          </details>
        ))}
        <form method="dialog">
          <button className="primary">Close</button>
        </form>
      </dialog>
    </Section>
  );
}

/** A report that says no is a failure. */
export function refused(report: { refused?: { message: string } }): void {
  if (report.refused) throw new Error(report.refused.message);
}

/** Of a row's JSON in base64: the state in it, without what belongs to its storage. */
function textOf(base64: string): string {
  try {
    const text = new TextDecoder().decode(Uint8Array.from(atob(base64), character => character.charCodeAt(0)));
    const row = JSON.parse(text) as { state?: unknown };
    return JSON.stringify(row.state ?? row, null, 2);
  } catch {
    return 'Its bytes cannot be read.';
  }
}
