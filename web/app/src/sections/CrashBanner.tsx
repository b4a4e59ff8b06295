import { useRecovery, useStore } from '@chatterbox/store/react';
import { useAttempt } from '../parts.tsx';

export function CrashBanner() {
  const { crash, recoverFromCrash, clearRecoveryState } = useRecovery();
  const chunks = useStore(state => state.chunks);
  const batchItems = useStore(state => state.batchItems);
  const { attempt, isBusy, problem } = useAttempt();
  if (!crash) return null;
  const texts = crash.chunks.map(id => chunks.find(chunk => chunk.id === id)?.text ?? id);
  const names = crash.batchItems.map(id => batchItems.find(item => item.id === id)?.name ?? id);
  return (
    <section className="card banner" aria-label="Interrupted work">
      <h2>Work was interrupted</h2>
      <ul>
        {[...texts, ...names].slice(0, 5).map((text, index) => (
          <li key={index}>{text}</li>
        ))}
        {crash.wasGenerating && texts.length === 0 && <li>A generation was running.</li>}
      </ul>
      {problem}
      <div className="row">
        <button className="primary" disabled={isBusy} onClick={() => void attempt(recoverFromCrash)}>
          Recover
        </button>
        <button disabled={isBusy} onClick={() => void attempt(clearRecoveryState)}>
          Discard
        </button>
      </div>
    </section>
  );
}
