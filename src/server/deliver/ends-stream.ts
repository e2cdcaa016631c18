import type { ResponseEvent } from '../../protocol/responses/event.ts';

const terminalTypes = new Set<string | undefined>(['response.completed', 'response.incomplete', 'response.failed']);

/** Whether the batch holds the terminal event: it is always the last one. */
export function endsStream(batch: readonly ResponseEvent[]): boolean {
  return terminalTypes.has(batch.at(-1)?.type);
}
