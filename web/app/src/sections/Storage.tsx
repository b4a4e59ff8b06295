import { bytes, clock, words } from '../format.ts';
import { Section } from '../parts.tsx';
import { useServer } from '../server.tsx';

const width = 300;

export function Storage() {
  const { info, status } = useServer();
  if (!info) {
    return (
      <Section title="Stored on the server">
        <p className="empty">Shown once the session is live.</p>
      </Section>
    );
  }
  const parts = [
    ...info.slices.map(({ slice, storedBytes }) => ({ name: words(slice), size: storedBytes })),
    { name: 'Audio', size: info.audio.totalBytes },
    { name: 'History', size: info.historyBytes },
  ].filter(({ size }) => size > 0);
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  const share = info.quotaBytes > 0 ? info.usedBytes / info.quotaBytes : 0;
  let at = 0;
  return (
    <Section title="Stored on the server" note={status && `revision ${status.revision}`}>
      <svg
        className="chart"
        viewBox={`0 0 ${width} 34`}
        role="img"
        aria-label={`${bytes(info.usedBytes)} of ${bytes(info.quotaBytes)} used`}
      >
        {parts.map(({ name, size }, index) => {
          const [x, of] = [at, (size / total) * width];
          at += of;
          return <rect key={name} x={x} y="0" width={Math.max(of - 1, 0.5)} height="18" className={`part part-${index % 8}`} />;
        })}
        <rect x="0" y="25" width={width} height="6" rx="3" className="track" />
        <rect x="0" y="25" width={Math.max(share * width, 2)} height="6" rx="3" className="used" />
      </svg>
      <p className="note">
        {bytes(info.usedBytes)} of {bytes(info.quotaBytes)} used ({share < 0.001 ? '< 0.1' : (share * 100).toFixed(1)} %)
      </p>
      <ul className="legend">
        {parts.map(({ name, size }, index) => (
          <li key={name}>
            <svg viewBox="0 0 10 10" aria-hidden="true">
              <rect width="10" height="10" rx="2" className={`part part-${index % 8}`} />
            </svg>
            <span className="grow">{name}</span>
            <span>{bytes(size)}</span>
          </li>
        ))}
      </ul>
      <dl className="facts">
        <div>
          <dt>Changes per write</dt>
          <dd>{info.changesPerWrite.toFixed(1)}</dd>
        </div>
        <div>
          <dt>Rows written</dt>
          <dd>{status?.rowWrites ?? '–'}</dd>
        </div>
        <div>
          <dt>Format</dt>
          <dd>{status?.persistedVersion ?? '–'}</dd>
        </div>
        <div>
          <dt>Last saved</dt>
          <dd>{info.lastSaved ? clock(info.lastSaved) : '–'}</dd>
        </div>
      </dl>
    </Section>
  );
}
