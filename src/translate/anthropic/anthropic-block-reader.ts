import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { ToolNames } from '../tool-names.ts';
import { encodeRedactedThinking, encodeThinking } from './anthropic-thinking-state.ts';

export interface BlockReaderOptions {
  /** The upstream's model id; signatures are bound to it. */
  readonly model: string;
  /** Makes ids for calls whose own cannot serve. */
  readonly newId: (prefix: string) => string;
  readonly toolNames: ToolNames;
  /** The function whose arguments are the text of the answer, or null. */
  readonly answerTool: string | null;
}

type OpenBlock =
  | { readonly kind: 'text'; readonly start: number; readonly sources: { readonly url: string; readonly title: string }[] }
  | { readonly kind: 'thinking'; readonly pieces: string[]; signature: string }
  | { readonly kind: 'call' | 'search'; readonly id: string; readonly pieces: string[]; readonly input: unknown }
  | { readonly kind: 'answer'; readonly pieces: string[]; readonly input: unknown }
  | { readonly kind: 'passed-over' };

/** Ids that any client can carry. */
const usableId = /^[\w.:-]{1,64}$/;

/** The blocks of an answer, one after the other → what the model did. Whole blocks and those that grow by deltas alike; whatever is not known is passed over, with a loss. */
export class AnthropicBlockReader {
  readonly #options: BlockReaderOptions;
  #events: ModelEvent[] = [];
  #open: OpenBlock | undefined;
  /** A call whose arguments are not whole: whether it was cut is known only at the end. */
  #doubtful: string | undefined;
  #textLength = 0;
  #isMessageOpen = false;
  #isThoughtOpen = false;
  #hasOutput = false;
  readonly #callIds = new Set<string>();
  readonly #queries = new Map<string, string>();
  readonly #lost = new Set<string>();

  constructor(options: BlockReaderOptions) {
    this.#options = options;
  }

  /** Whether the client has something to act on. */
  get hasOutput(): boolean {
    return this.#hasOutput;
  }

  /** The events since the last time. */
  take(): ModelEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  emit(event: ModelEvent): void {
    this.#events.push(event);
  }

  /** Reports once that something of the answer is not shown. */
  lose(reason: string): void {
    if (this.#lost.has(reason)) return;
    this.#lost.add(reason);
    this.#events.push({ type: 'loss', loss: { path: 'output', action: 'dropped', reason } });
  }

  start(block: JsonObject): void {
    this.stop();
    this.#endDoubtful();
    this.#open = this.#openBlock(block);
  }

  delta(delta: JsonObject): void {
    const open = this.#open;
    if (open === undefined || open.kind === 'passed-over') return;
    switch (delta['type']) {
      case 'text_delta':
        return this.#text(delta['text']);
      case 'thinking_delta':
        return this.#thought(delta['thinking']);
      case 'signature_delta':
        if (open.kind === 'thinking') open.signature += textOf(delta['signature']);
        return;
      case 'input_json_delta':
        return this.#inputPiece(textOf(delta['partial_json']));
      case 'citations_delta':
        return this.#cite(delta['citation']);
      default:
        this.lose(`the model server sent a piece of an unknown type ${shown(delta['type'])}`);
    }
  }

  stop(): void {
    const open = this.#open;
    this.#open = undefined;
    switch (open?.kind) {
      case 'text':
        return this.#endText(open);
      case 'thinking':
        return this.#endThinking(open);
      case 'call':
        return this.#endCall(open);
      case 'search':
        this.#queries.set(open.id, queryOf(open));
        return;
      case 'answer':
        if (open.pieces.length === 0 && isJsonObject(open.input)) this.#text(JSON.stringify(open.input));
        return;
      default:
    }
  }

  /** The answer is over. `isCut`: it ended before the model was done, so a call that is not whole stays open. */
  finish(isCut: boolean): void {
    this.stop();
    if (!isCut) this.#endDoubtful();
  }

  #openBlock(block: JsonObject): OpenBlock {
    switch (block['type']) {
      case 'text':
        return this.#openText(block);
      case 'thinking':
        return this.#openThinking(block);
      case 'redacted_thinking':
        if (typeof block['data'] === 'string') this.#state(encodeRedactedThinking(this.#options.model, block['data']));
        return { kind: 'passed-over' };
      case 'tool_use':
        return this.#openCall(block);
      case 'server_tool_use':
        return this.#openServerTool(block);
      case 'web_search_tool_result':
        this.#reportSearch(block);
        return { kind: 'passed-over' };
      default:
        this.lose(`the answer holds a block of type ${shown(block['type'])}, which is not supported here`);
        return { kind: 'passed-over' };
    }
  }

  #openText(block: JsonObject): OpenBlock {
    const open: OpenBlock = { kind: 'text', start: this.#isMessageOpen ? this.#textLength : 0, sources: [] };
    this.#open = open;
    this.#text(block['text']);
    for (const citation of listOf(block['citations'])) this.#cite(citation);
    return open;
  }

  #openThinking(block: JsonObject): OpenBlock {
    if (this.#isThoughtOpen) this.#events.push({ type: 'reasoning-break' });
    const open: OpenBlock = { kind: 'thinking', pieces: [], signature: textOf(block['signature']) };
    this.#open = open;
    this.#thought(block['thinking']);
    return open;
  }

  #openCall({ id, name, input }: JsonObject): OpenBlock {
    const { answerTool, toolNames, newId } = this.#options;
    if (typeof name === 'string' && name === answerTool) return { kind: 'answer', pieces: [], input };
    if (typeof name !== 'string' || name === '') {
      this.lose('the model server sent a call without a name');
      return { kind: 'passed-over' };
    }
    const isUsable = typeof id === 'string' && usableId.test(id) && !this.#callIds.has(id);
    const callId = isUsable ? id : newId('call');
    this.#callIds.add(callId);
    this.#closeMessage();
    this.#hasOutput = true;
    this.#events.push({ type: 'call-start', callId, name: toolNames.fromAlias(name) });
    return { kind: 'call', id: callId, pieces: [], input };
  }

  #openServerTool({ id, name, input }: JsonObject): OpenBlock {
    if (name === 'web_search') return { kind: 'search', id: textOf(id), pieces: [], input };
    this.lose(`the model server used a tool of its own (${shown(name)}), which is not shown`);
    return { kind: 'passed-over' };
  }

  #text(text: unknown): void {
    if (typeof text !== 'string' || text === '') return;
    if (!this.#isMessageOpen) this.#textLength = 0;
    this.#isMessageOpen = true;
    this.#isThoughtOpen = false;
    this.#hasOutput = true;
    this.#textLength += text.length;
    this.#events.push({ type: 'text-delta', delta: text });
  }

  #thought(text: unknown): void {
    if (typeof text !== 'string' || text === '' || this.#open?.kind !== 'thinking') return;
    this.#open.pieces.push(text);
    this.#closeMessage();
    this.#isThoughtOpen = true;
    this.#events.push({ type: 'reasoning-delta', delta: text });
  }

  #inputPiece(piece: string): void {
    const open = this.#open;
    if (piece === '' || open === undefined || !('pieces' in open)) return;
    open.pieces.push(piece);
    if (open.kind === 'call') this.#events.push({ type: 'call-delta', callId: open.id, delta: piece });
    else if (open.kind === 'answer') this.#text(piece);
  }

  #cite(citation: unknown): void {
    if (this.#open?.kind !== 'text' || !isJsonObject(citation)) return;
    const { url, title } = citation;
    if (typeof url === 'string' && url !== '') this.#open.sources.push({ url, title: textOf(title) });
    else this.lose('the answer cites documents of the request, which cannot be shown here');
  }

  /** A source belongs to all the text of its block. */
  #endText({ start, sources }: Extract<OpenBlock, { kind: 'text' }>): void {
    if (!this.#isMessageOpen) return;
    for (const { url, title } of sources)
      this.#events.push({ type: 'annotation', annotation: { url, title, startIndex: start, endIndex: this.#textLength } });
  }

  #endThinking({ pieces, signature }: Extract<OpenBlock, { kind: 'thinking' }>): void {
    if (signature !== '') this.#state(encodeThinking(this.#options.model, { thinking: pieces.join(''), signature }));
  }

  #state(state: Extract<ModelEvent, { type: 'reasoning-state' }>['state']): void {
    this.#closeMessage();
    this.#isThoughtOpen = false;
    this.#events.push({ type: 'reasoning-state', state });
  }

  /** Nothing at all means no arguments. What is no JSON may have been cut by `max_tokens`, which comes later. */
  #endCall({ id, pieces, input }: Extract<OpenBlock, { kind: 'call' | 'search' }>): void {
    if (pieces.length === 0) {
      const delta = JSON.stringify(isJsonObject(input) ? input : {});
      this.#events.push({ type: 'call-delta', callId: id, delta }, { type: 'call-end', callId: id });
    } else if (parseJson(pieces.join('')) === undefined) this.#doubtful = id;
    else this.#events.push({ type: 'call-end', callId: id });
  }

  #endDoubtful(): void {
    if (this.#doubtful !== undefined) this.#events.push({ type: 'call-end', callId: this.#doubtful });
    this.#doubtful = undefined;
  }

  #reportSearch({ tool_use_id: id, content }: JsonObject): void {
    const query = this.#queries.get(textOf(id)) ?? '';
    if (!Array.isArray(content)) this.lose("the model server's web search failed");
    const sources = listOf(content).flatMap((result) =>
      isJsonObject(result) && typeof result['url'] === 'string' ? [result['url']] : [],
    );
    this.#closeMessage();
    this.#isThoughtOpen = false;
    this.#events.push({ type: 'web-search', queries: query === '' ? [] : [query], sources: [...new Set(sources)] });
  }

  #closeMessage(): void {
    this.#isMessageOpen = false;
  }
}

function queryOf({ pieces, input }: Extract<OpenBlock, { kind: 'call' | 'search' }>): string {
  const whole = pieces.length > 0 ? parseJson(pieces.join('')) : input;
  return isJsonObject(whole) ? textOf(whole['query']) : '';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Types and names are words; anything else is not repeated to clients. */
function shown(word: unknown): string {
  return typeof word === 'string' && /^[\w-]{1,64}$/.test(word) ? word : '(not a word)';
}
