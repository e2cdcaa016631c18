import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import { findOpenItem } from './find-open-item.ts';
import { objectsOf, shown, type LintMode, type LintState, type OpenItem, type OpenPart, type PartKind } from './lint-state.ts';

interface PartEvent {
  readonly item: 'message' | 'reasoning';
  /** The part it needs; of `content_part` events the part itself says it. */
  readonly kind: PartKind | null;
  readonly step: 'part-added' | 'part-done' | 'delta' | 'text-done' | 'annotation';
}

/** Every event that belongs to a part. */
const partEvents: ReadonlyMap<string, PartEvent> = new Map([
  ['response.content_part.added', { item: 'message', kind: null, step: 'part-added' }],
  ['response.content_part.done', { item: 'message', kind: null, step: 'part-done' }],
  ['response.output_text.delta', { item: 'message', kind: 'output_text', step: 'delta' }],
  ['response.output_text.done', { item: 'message', kind: 'output_text', step: 'text-done' }],
  ['response.output_text.annotation.added', { item: 'message', kind: 'output_text', step: 'annotation' }],
  ['response.refusal.delta', { item: 'message', kind: 'refusal', step: 'delta' }],
  ['response.refusal.done', { item: 'message', kind: 'refusal', step: 'text-done' }],
  ['response.reasoning_summary_part.added', { item: 'reasoning', kind: 'summary_text', step: 'part-added' }],
  ['response.reasoning_summary_part.done', { item: 'reasoning', kind: 'summary_text', step: 'part-done' }],
  ['response.reasoning_summary_text.delta', { item: 'reasoning', kind: 'summary_text', step: 'delta' }],
  ['response.reasoning_summary_text.done', { item: 'reasoning', kind: 'summary_text', step: 'text-done' }],
] satisfies [string, PartEvent][]);

/** Thinking text itself, which open models show (LM Studio, DeepSeek, vLLM with its own name for the part); `response.reasoning.*` is Open Responses' name. */
const reasoningTextEvents: ReadonlyMap<string, PartEvent> = new Map([
  ['response.reasoning_part.added', { item: 'reasoning', kind: 'reasoning_text', step: 'part-added' }],
  ['response.reasoning_part.done', { item: 'reasoning', kind: 'reasoning_text', step: 'part-done' }],
  ['response.reasoning_text.delta', { item: 'reasoning', kind: 'reasoning_text', step: 'delta' }],
  ['response.reasoning_text.done', { item: 'reasoning', kind: 'reasoning_text', step: 'text-done' }],
  ['response.reasoning.delta', { item: 'reasoning', kind: 'reasoning_text', step: 'delta' }],
  ['response.reasoning.done', { item: 'reasoning', kind: 'reasoning_text', step: 'text-done' }],
] satisfies [string, PartEvent][]);

/** Whether the type is that of an event about a part. */
export function isPartEvent(type: string, mode: LintMode): boolean {
  return partEvents.has(type) || (mode === 'wire' && reasoningTextEvents.has(type));
}

/** The way of most events: a text delta. False when it is none. */
export function checkDelta(event: JsonObject, state: LintState): boolean {
  if (state.type !== 'response.output_text.delta' || event['response'] !== undefined || Boolean(event['error'])) return false;
  const item = findOpenItem(event, 'message', state);
  if (item !== undefined) addDelta(event, openPart(event, item, 'output_text', state), state);
  return true;
}

/** Rules of content and summary parts: added, deltas, done, part done; indices in order. */
export function checkPartEvent(event: JsonObject, state: LintState): void {
  const known = partEvents.get(state.type) ?? reasoningTextEvents.get(state.type);
  if (known === undefined) return;
  const { kind } = known;
  const part = event['part'];
  const isReasoningText = kind === null && !state.isOwn && isJsonObject(part) && part['type'] === 'reasoning_text';
  const item = findOpenItem(event, isReasoningText ? 'reasoning' : known.item, state);
  if (item === undefined) return;
  if (known.step === 'part-added') partAdded(event, item, state);
  else if (known.step === 'part-done') partDone(event, item, state);
  else if (kind !== null) checkInPart(event, { ...known, kind }, item, state);
}

function checkInPart(event: JsonObject, known: PartEvent & { kind: PartKind }, item: OpenItem, state: LintState): void {
  const part = openPart(event, item, known.kind, state);
  if (known.step === 'delta') addDelta(event, part, state);
  else if (known.step === 'annotation') annotationAdded(event, part, state);
  else textDone(event, part, state);
}

/** The open part, which has to be of that kind; one that was never added counts as added, so that this is told once. */
function openPart(event: JsonObject, item: OpenItem, kind: PartKind, state: LintState): OpenPart {
  const { part } = item;
  if (part?.kind !== kind) {
    state.report('part-never-added', `needs an open ${kind} part`);
    if (part !== undefined) closePart(item, part);
    item.part = { kind, index: listOf(kind, item).length, text: '', isClosing: false, isImplied: true, annotations: [] };
    return item.part;
  }
  if (indexOf(event) !== part.index)
    state.report('part-index', `index ${shown(indexOf(event))}, but ${String(part.index)} is open`);
  if (part.isClosing) state.report('text-done', 'comes after the text-level done');
  return part;
}

function closePart(item: OpenItem, { kind, text }: OpenPart): void {
  listOf(kind, item).push({ type: kind, [kind === 'refusal' ? 'refusal' : 'text']: text });
}

function listOf(kind: PartKind, item: OpenItem): JsonObject[] {
  return kind === 'summary_text' ? item.summary : item.content;
}

function indexOf(event: JsonObject): unknown {
  return event['content_index'] ?? event['summary_index'];
}

function addDelta(event: JsonObject, part: OpenPart, state: LintState): void {
  const { delta } = event;
  if (typeof delta !== 'string') {
    state.report('delta-type', 'delta is no string');
    return;
  }
  checkLogprobs(event, part, state);
  if (startsWithLow(delta) && endsWithHigh(part.text))
    state.report('surrogate-pair', 'tears a surrogate pair between two deltas');
  part.text += delta;
}

/** Half a pair becomes U+FFFD in UTF-8. Halves that never had another half are the model's own. */
function endsWithHigh(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

function startsWithLow(text: string): boolean {
  const first = text.charCodeAt(0);
  return first >= 0xdc00 && first <= 0xdfff;
}

function textDone(event: JsonObject, part: OpenPart, state: LintState): void {
  const text = part.kind === 'refusal' ? event['refusal'] : event['text'];
  part.isClosing = true;
  checkLogprobs(event, part, state);
  state.check(text !== part.text, 'text-sum', 'the text is not the sum of its deltas');
  if (typeof text === 'string') part.text = text;
}

/** Old servers know none. */
function checkLogprobs({ logprobs }: JsonObject, { kind }: OpenPart, state: LintState): void {
  if (state.isOwn && kind === 'output_text' && !Array.isArray(logprobs)) state.report('logprobs', 'has no list of logprobs');
}

function annotationAdded(event: JsonObject, part: OpenPart, state: LintState): void {
  const { annotation, annotation_index: given } = event;
  const index = part.annotations.push(annotation) - 1;
  state.check(given !== index, 'annotations', `annotation_index ${shown(given)}, expected ${String(index)}`);
}

function partAdded(event: JsonObject, item: OpenItem, state: LintState): void {
  const { part } = event;
  if (!isJsonObject(part)) {
    state.report('part-missing', 'has no part');
    return;
  }
  if (item.part !== undefined) {
    state.check(!item.part.isImplied, 'part-overlap', 'a part begins while another is open');
    closePart(item, item.part);
  }
  const kind = kindOf(part, item);
  const index = listOf(kind, item).length;
  state.check(indexOf(event) !== index, 'part-index', `index ${shown(indexOf(event))}, expected ${String(index)}`);
  state.check((part['text'] ?? part['refusal']) !== '', 'part-start', 'a part begins with text');
  state.check(!canHold(item.type, part['type']), 'part-type', `a part of the type ${shown(part['type'])}`);
  const lists = kind === 'output_text' && state.isOwn ? [part['annotations'], part['logprobs']] : [];
  state.check(
    lists.some((list) => JSON.stringify(list) !== '[]'),
    'part-start',
    'a part begins without its empty lists',
  );
  item.part = { kind, index, text: '', isClosing: false, isImplied: false, annotations: [] };
}

/** Whether items of that type may have parts of the other. */
export function canHold(item: unknown, type: unknown): boolean {
  return item === 'reasoning'
    ? type === 'summary_text' || type === 'reasoning_text'
    : type === 'output_text' || type === 'refusal';
}

function kindOf({ type }: JsonObject, item: OpenItem): PartKind {
  switch (type) {
    case 'output_text':
    case 'refusal':
    case 'summary_text':
    case 'reasoning_text':
      return type;
    default:
      return item.type === 'reasoning' ? 'reasoning_text' : 'output_text';
  }
}

function partDone(event: JsonObject, item: OpenItem, state: LintState): void {
  const { part } = event;
  const open = item.part;
  if (!isJsonObject(part)) {
    state.report('part-missing', 'has no part');
    return;
  }
  if (open === undefined) {
    state.report('part-never-added', 'closes a part that is not open');
    listOf(kindOf(part, item), item).push(part);
    return;
  }
  item.part = undefined;
  listOf(open.kind, item).push(part);
  state.check(!open.isClosing, 'text-done', 'the text-level done is missing');
  state.check(
    indexOf(event) !== open.index && !open.isImplied,
    'part-index',
    `index ${shown(indexOf(event))}, but ${String(open.index)} is open`,
  );
  state.check(part['type'] !== open.kind, 'part-type', 'the part changed its type');
  state.check((part['text'] ?? part['refusal']) !== open.text, 'text-sum', 'the text is not the sum of its deltas');
  checkAnnotations(part, open, state);
}

/** Others may add sources to a part without an event for each. */
function checkAnnotations(part: JsonObject, open: OpenPart, state: LintState): void {
  const given = part['annotations'] ?? [];
  const isSame = JSON.stringify(given) === JSON.stringify(open.annotations);
  const isLost = !state.isOwn && objectsOf(given).length >= open.annotations.length && open.annotations.length === 0;
  state.check(!isSame && !isLost, 'annotations', 'the annotations are not those that were added');
}
