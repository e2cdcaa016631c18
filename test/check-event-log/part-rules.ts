import { inOpenItem } from './in-open-item.ts';
import type { LogEvent } from './log-event.ts';
import type { OpenItem, OpenPart, StreamState } from './stream-state.ts';

type PartRule = (event: LogEvent, item: OpenItem) => string[];

interface PartEvent {
  readonly item: 'message' | 'reasoning';
  readonly rule: PartRule;
}

const textDone = (kind: OpenPart['kind'], textOf: (event: LogEvent) => unknown): PartRule =>
  inPart(kind, (event, part) => {
    part.closing = true;
    return textOf(event) === part.text ? [] : ['the text is not the sum of its deltas'];
  });

const delta = (kind: OpenPart['kind']): PartRule =>
  inPart(kind, (event, part) => {
    const before = part.text;
    part.text += String(event.delta);
    if (typeof event.delta !== 'string') return ['delta is no string'];
    return tearsPair(before, event.delta) ? ['tears a surrogate pair between two deltas'] : [];
  });

/** Every event that belongs to a part, and its rule. An event type that is not here is unknown to strict clients. */
const partEvents: Readonly<Record<string, PartEvent>> = {
  'response.content_part.added': { item: 'message', rule: partAdded },
  'response.content_part.done': { item: 'message', rule: partDone },
  'response.output_text.delta': { item: 'message', rule: delta('output_text') },
  'response.output_text.done': { item: 'message', rule: textDone('output_text', ({ text }) => text) },
  'response.output_text.annotation.added': { item: 'message', rule: inPart('output_text', annotationAdded) },
  'response.refusal.delta': { item: 'message', rule: delta('refusal') },
  'response.refusal.done': { item: 'message', rule: textDone('refusal', ({ refusal }) => refusal) },
  'response.reasoning_summary_part.added': { item: 'reasoning', rule: partAdded },
  'response.reasoning_summary_part.done': { item: 'reasoning', rule: partDone },
  'response.reasoning_summary_text.delta': { item: 'reasoning', rule: delta('summary_text') },
  'response.reasoning_summary_text.done': { item: 'reasoning', rule: textDone('summary_text', ({ text }) => text) },
};

/** Rules of content and summary parts: added, deltas, done, part done; indices in order. */
export function checkPart(event: LogEvent, state: StreamState): string[] {
  const known = partEvents[event.type];
  if (known === undefined) return ['is no event of the protocol'];
  return inOpenItem(event, state, known.item, (item) => known.rule(event, item));
}

function indexOf(event: LogEvent): number | undefined {
  return event.content_index ?? event.summary_index;
}

function partAdded(event: LogEvent, item: OpenItem): string[] {
  const { part } = event;
  if (part === undefined) return ['has no part'];
  const faults: string[] = [];
  if (item.part !== undefined) faults.push('a part begins while another is open');
  if (indexOf(event) !== item.parts) faults.push(`index ${String(indexOf(event))}, expected ${String(item.parts)}`);
  if ((part.text ?? part.refusal) !== '') faults.push('a part begins with text');
  item.part = { kind: part.type as OpenPart['kind'], index: item.parts, text: '', closing: false, annotations: [] };
  return faults;
}

function partDone(event: LogEvent, item: OpenItem): string[] {
  const { part } = event;
  const open = item.part;
  if (part === undefined || open === undefined) return ['closes a part that is not open'];
  item.part = undefined;
  item.parts += 1;
  item.closedParts.push(part);
  const faults: string[] = [];
  if (!open.closing) faults.push('the text-level done is missing');
  if (indexOf(event) !== open.index) faults.push(`index ${String(indexOf(event))}, but ${String(open.index)} is open`);
  if (part.type !== open.kind) faults.push('the part changed its type');
  if ((part.text ?? part.refusal) !== open.text) faults.push('the text is not the sum of its deltas');
  if (JSON.stringify(part.annotations ?? []) !== JSON.stringify(open.annotations))
    faults.push('the annotations are not those that were added');
  return faults;
}

function annotationAdded(event: LogEvent, part: OpenPart): string[] {
  const index = part.annotations.push(event.annotation) - 1;
  return event.annotation_index === index
    ? []
    : [`annotation_index ${String(event.annotation_index)}, expected ${String(index)}`];
}

function inPart(kind: OpenPart['kind'], rule: (event: LogEvent, part: OpenPart) => string[]): PartRule {
  return (event, item) => {
    const { part } = item;
    if (part?.kind !== kind) return [`needs an open ${kind} part`];
    const faults: string[] = [];
    if (indexOf(event) !== part.index) faults.push(`index ${String(indexOf(event))}, but ${String(part.index)} is open`);
    if (part.closing) faults.push('comes after the text-level done');
    return [...faults, ...rule(event, part)];
  };
}

/** Half a pair becomes U+FFFD in UTF-8. Halves that never had another half are the model's own. */
function tearsPair(before: string, delta: string): boolean {
  const last = before.charCodeAt(before.length - 1);
  const first = delta.charCodeAt(0);
  return last >= 0xd800 && last <= 0xdbff && first >= 0xdc00 && first <= 0xdfff;
}
