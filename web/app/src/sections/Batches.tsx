import { useChunks, useStore } from '@chatterbox/store/react';
import { limits, type WorkStatus } from '@chatterbox/store/tts';
import { newId, words } from '../format.ts';
import { AddForm, Section } from '../parts.tsx';

const statuses: readonly WorkStatus[] = ['pending', 'generating', 'completed', 'error', 'interrupted'];

export function Batches() {
  const { batchItems, currentSessionId, saveBatchItem, removeBatchItem, setBatchItemStatus } = useStore();
  const chunks = useChunks({ session: currentSessionId });
  return (
    <Section title="Batch items" note={batchItems.length || undefined}>
      <ul className="items">
        {batchItems.map(({ id, name, status, chunkIds }) => (
          <li key={id} className="row">
            <span className="grow">
              {name} <small>{chunkIds.length === 1 ? '1 chunk' : `${chunkIds.length} chunks`}</small>
            </span>
            <select
              aria-label={`Status of ${name}`}
              value={status}
              onChange={event => setBatchItemStatus(id, event.target.value as WorkStatus)}
            >
              {statuses.map(each => (
                <option key={each} value={each}>
                  {words(each)}
                </option>
              ))}
            </select>
            <button className="quiet" aria-label={`Remove the batch item ${name}`} onClick={() => removeBatchItem(id)}>
              ×
            </button>
          </li>
        ))}
      </ul>
      <AddForm
        label="Name of a batch of the chunks above"
        action="Add batch"
        max={limits.nameLength}
        onAdd={name => {
          const chunkIds = chunks.slice(-limits.chunkIdsPerItem).map(({ id }) => id);
          saveBatchItem({ id: newId(), name, chunkIds, status: 'pending', createdAt: new Date().toISOString() });
        }}
      />
    </Section>
  );
}
