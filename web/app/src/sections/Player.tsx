import type { AudioRef } from '@chatterbox/store/tts';
import { useEffect, useState } from 'react';
import { useOpened } from '../app.ts';
import { bytes } from '../format.ts';
import { useAttempt } from '../parts.tsx';

const bars = 72;

interface Loaded {
  url: string;
  peaks: readonly number[];
}

/** Its audio is fetched when it is first asked for. */
export function Player({ audio, label }: { audio: AudioRef; label: string }) {
  const { store } = useOpened();
  const [loaded, setLoaded] = useState<Loaded>();
  const { attempt, isBusy, problem } = useAttempt();
  useEffect(() => () => void (loaded && URL.revokeObjectURL(loaded.url)), [loaded]);
  useEffect(() => setLoaded(undefined), [audio.hash]);
  const load = async () => {
    const blob = await (await store.gateway()).audio.download(audio.hash);
    const peaks = await peaksOf(await blob.arrayBuffer());
    setLoaded({ url: URL.createObjectURL(blob), peaks });
  };
  const size = `${audio.duration > 0 ? `${audio.duration.toFixed(1)} s, ` : ''}${bytes(audio.length)}`;
  if (!loaded) {
    return (
      <div className="row">
        <button disabled={isBusy} aria-label={`Listen: ${label}`} onClick={() => void attempt(load)}>
          ▶ Listen
        </button>
        <small>{size}</small>
        {problem}
      </div>
    );
  }
  return (
    <div className="player">
      {loaded.peaks.length > 0 && (
        <svg
          className="wave"
          viewBox={`0 0 ${bars * 4} 40`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`Waveform, ${size}`}
        >
          {loaded.peaks.map((peak, index) => (
            <rect key={index} x={index * 4} y={20 - peak * 19} width="2.6" height={Math.max(1, peak * 38)} rx="1" />
          ))}
        </svg>
      )}
      <audio controls src={loaded.url} aria-label={label} />
    </div>
  );
}

/** The loudest of each part, 0 to 1. None where the browser cannot decode it. */
async function peaksOf(encoded: ArrayBuffer): Promise<number[]> {
  let samples: Float32Array;
  try {
    samples = (await new OfflineAudioContext(1, 1, 44_100).decodeAudioData(encoded)).getChannelData(0);
  } catch {
    return [];
  }
  const part = Math.max(1, Math.floor(samples.length / bars));
  const peaks = Array.from({ length: bars }, (_, index) =>
    samples.subarray(index * part, (index + 1) * part).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
  );
  const most = Math.max(...peaks, 0.01);
  return peaks.map(peak => peak / most);
}
