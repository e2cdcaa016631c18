import type { ModelEvent } from '../src/model/model-event.ts';

/**
 * What is wrong with the events of one turn, in words (the rules of model/model-event.ts); an empty list when nothing is. A turn that was cut off on purpose has the
 * one fault `no finish or failure`.
 */
export function checkModelEvents(events: readonly ModelEvent[]): string[] {
  const open = new Set<string>();
  const seen = new Set<string>();
  const faults: string[] = [];
  let isOver = false;
  for (const [index, event] of events.entries()) {
    if (isOver) faults.push(`${event.type} after the end, at ${String(index)}`);
    faults.push(...checkCall(event, open, seen), ...checkContent(event));
    isOver ||= event.type === 'finish' || event.type === 'failure';
  }
  const last = events.at(-1);
  if (!isOver) faults.push('no finish or failure');
  if (last?.type === 'finish' && last.reason === 'stop')
    faults.push(...[...open].map((callId) => `call ${callId} is still open at the finish`));
  return faults;
}

function checkCall(event: ModelEvent, open: Set<string>, seen: Set<string>): string[] {
  switch (event.type) {
    case 'call-start': {
      const faults = seen.has(event.callId) ? [`call ${event.callId} starts twice`] : [];
      if (event.callId === '' || event.name === '') faults.push('a call without an id or a name');
      seen.add(event.callId);
      open.add(event.callId);
      return faults;
    }
    case 'call-delta':
      return open.has(event.callId) ? [] : [`call-delta for ${event.callId}, which is not open`];
    case 'call-end':
      return open.delete(event.callId) ? [] : [`call-end for ${event.callId}, which is not open`];
    default:
      return [];
  }
}

function checkContent(event: ModelEvent): string[] {
  if (event.type === 'annotation') {
    const { startIndex, endIndex, url } = event.annotation;
    return startIndex >= 0 && endIndex >= startIndex && url !== ''
      ? []
      : ['an annotation with impossible indices or without a url'];
  }
  if (event.type === 'usage') {
    const isCount = (count: unknown): boolean => Number.isInteger(count) && Number(count) >= 0;
    return Object.values(event.usage).every(isCount) ? [] : ['usage that is not a count'];
  }
  return 'delta' in event && typeof event.delta !== 'string' ? [`${event.type} without a text`] : [];
}
