import { useId, useState, type ReactNode } from 'react';
import { messageOf } from './format.ts';

export function Section({
  title,
  note,
  area,
  children,
}: {
  title: string;
  note?: ReactNode;
  area?: string;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className="card" aria-labelledby={id} data-area={area}>
      <header>
        <h2 id={id}>{title}</h2>
        {note !== undefined && <span className="note">{note}</span>}
      </header>
      {children}
    </section>
  );
}

/** Runs what a button does, and has its failure for the user to read. */
export function useAttempt() {
  const [failure, setFailure] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const attempt = async (act: () => unknown) => {
    setFailure(undefined);
    setBusy(true);
    try {
      await act();
    } catch (cause) {
      setFailure(messageOf(cause));
    } finally {
      setBusy(false);
    }
  };
  return {
    attempt,
    isBusy,
    problem:
      failure === undefined ? null : (
        <p className="problem" role="alert">
          {failure}
        </p>
      ),
  };
}

/** One line of text, and a button that takes it. */
export function AddForm(props: { label: string; action: string; max: number; isLong?: boolean; onAdd: (text: string) => void }) {
  const [text, setText] = useState('');
  const id = useId();
  const field = {
    id,
    value: text,
    maxLength: props.max,
    placeholder: props.label,
    onChange: (event: { target: { value: string } }) => setText(event.target.value),
  };
  return (
    <form
      className="add"
      onSubmit={event => {
        event.preventDefault();
        if (!text.trim()) return;
        props.onAdd(text.trim());
        setText('');
      }}
    >
      <label htmlFor={id} className="hidden">
        {props.label}
      </label>
      {props.isLong ? <textarea rows={2} {...field} /> : <input {...field} />}
      <button disabled={!text.trim()}>{props.action}</button>
    </form>
  );
}

/** A button that has the user pick a file. */
export function FilePicker(props: { label: string; accept: string; isQuiet?: boolean; onPick: (file: File) => void }) {
  const { label, accept, isQuiet = false, onPick } = props;
  return (
    <label className={isQuiet ? 'button quiet' : 'button'}>
      {label}
      <input
        type="file"
        accept={accept}
        className="hidden"
        onChange={event => {
          const file = event.target.files?.[0];
          event.target.value = '';
          if (file) onPick(file);
        }}
      />
    </label>
  );
}

/** Saves a blob as a file of the user's. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
