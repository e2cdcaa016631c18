import type { JoinedAnswer } from './joined-chat-answer.ts';

/** A chunk as a client sees it; nothing is taken for granted. */
interface SeenChunk {
  readonly [key: string]: unknown;
  readonly choices?: readonly SeenChoice[];
  readonly error?: Readonly<Record<string, unknown>>;
}

interface SeenChoice {
  readonly [key: string]: unknown;
  readonly delta?: Readonly<Record<string, unknown>>;
}

interface SeenCall {
  readonly index?: unknown;
  readonly id?: unknown;
  readonly type?: unknown;
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown };
}

export interface ReadChatStream {
  readonly answer: JoinedAnswer;
  readonly faults: readonly string[];
}

const chunkKeys = ['choices', 'created', 'id', 'model', 'object', 'system_fingerprint'];
const deltaKeys = new Set([
  ...['role', 'content', 'refusal', 'reasoning_content', 'reasoning_details', 'annotations', 'tool_calls', 'function_call'],
]);
const reasons = ['stop', 'length', 'tool_calls', 'function_call', 'content_filter'];

/** Our grammar oracle for chat streams: takes a whole SSE text apart as strictly as the strictest client would, and says in words what is wrong. It knows nothing of how the stream was made. */
export function readChatStream(text: string, expected: { readonly includesUsage: boolean }): ReadChatStream {
  const reader = new ChatStreamReader(expected.includesUsage);
  if (!text.endsWith('\n\n')) reader.faults.push('the last frame is not whole');
  const frames = text.split('\n\n').filter((frame) => frame !== '' && !/^:[^\n]*$/.test(frame));
  frames.forEach((frame, at) => {
    reader.readFrame(frame, at);
  });
  reader.finish();
  return reader;
}

class ChatStreamReader implements ReadChatStream {
  readonly faults: string[] = [];
  readonly answer: JoinedAnswer = {
    ...{ content: '', refusal: '', reasoning: '', annotations: [], details: [], calls: [], functionCall: null, logprobs: [] },
    ...{ finishReason: null, usage: null, id: undefined, model: undefined, created: undefined, error: null },
  };
  readonly #includesUsage: boolean;
  #at = 0;
  #isDone = false;
  #hasUsage = false;

  constructor(includesUsage: boolean) {
    this.#includesUsage = includesUsage;
  }

  readFrame(frame: string, at: number): void {
    this.#at = at;
    if (this.#isDone) this.#fault('comes after [DONE]');
    if (this.answer.error !== null) this.#fault('comes after an error');
    const data = /^data: (.*)$/.exec(frame)?.[1];
    if (data === '[DONE]') {
      this.#isDone = true;
      return;
    }
    const chunk = data === undefined ? undefined : parse(data);
    if (chunk === undefined) this.#fault(`is no frame with JSON: ${frame.slice(0, 80)}`);
    else if (chunk.error !== undefined) this.#readError(chunk, chunk.error);
    else this.#readChunk(chunk);
  }

  finish(): void {
    const { answer } = this;
    if (answer.error !== null) {
      if (answer.finishReason !== null || this.#isDone) this.faults.push('a failed stream looks finished');
      return;
    }
    if (!this.#isDone) this.faults.push('the stream does not end with [DONE]');
    if (answer.finishReason === null) this.faults.push('no finish_reason');
    if (this.#includesUsage && !this.#hasUsage) this.faults.push('no usage, although it was asked for');
    this.#checkCalls();
    this.#checkAnnotations();
  }

  #fault(what: string): void {
    this.faults.push(`#${String(this.#at)} ${what}`);
  }

  #readError(chunk: SeenChunk, error: Readonly<Record<string, unknown>>): void {
    this.answer.error = error;
    if (Object.keys(chunk).join() !== 'error') this.#fault('an error with something beside it');
    if (Object.keys(error).sort().join() !== 'code,message,param,type') this.#fault(`an error with ${Object.keys(error).join()}`);
    if (typeof error['message'] !== 'string' || error['message'] === '') this.#fault('an error without a message');
  }

  #readChunk(chunk: SeenChunk): void {
    this.#checkEnvelope(chunk);
    const choices = chunk.choices ?? [];
    const [choice] = choices;
    if (this.#hasUsage) this.#fault('comes after the usage');
    if (choice === undefined) this.#readUsage(chunk);
    else {
      if (choices.length > 1 || choice['index'] !== 0) this.#fault('has another choice than 0');
      if (this.#includesUsage && chunk['usage'] !== null) this.#fault('has no usage: null');
      this.#readChoice(choice);
    }
  }

  #checkEnvelope(chunk: SeenChunk): void {
    const { answer } = this;
    const keys = [...chunkKeys, ...(this.#includesUsage ? ['usage'] : [])];
    if (Object.keys(chunk).sort().join() !== keys.join()) this.#fault(`has the members ${Object.keys(chunk).join()}`);
    const { id, model, created } = chunk;
    if (this.#at === 0) Object.assign(answer, { id, model, created });
    if (id !== answer.id || model !== answer.model || created !== answer.created) this.#fault('changes id, model or created');
    if (!/^chatcmpl-./.test(String(id)) || !Number.isInteger(created) || typeof model !== 'string')
      this.#fault('has an odd id, model or created');
    if (chunk['object'] !== 'chat.completion.chunk' || chunk['system_fingerprint'] !== null)
      this.#fault('has an odd object or fingerprint');
  }

  #readUsage({ usage }: SeenChunk): void {
    this.#hasUsage = true;
    this.answer.usage = usage;
    if (this.answer.finishReason === null) this.#fault('has the usage before the end');
    const counts = Object.values((usage ?? {}) as Record<string, unknown>).flatMap((count) =>
      typeof count === 'object' ? (Object.values(count ?? {}) as unknown[]) : [count],
    );
    if (!this.#includesUsage) this.#fault('has no choice');
    else if (counts.length < 9 || !counts.every((count) => Number.isInteger(count))) this.#fault('has a usage that is none');
  }

  #readChoice(choice: SeenChoice): void {
    const { delta = {}, logprobs, finish_reason: reason } = choice;
    if (Object.keys(choice).sort().join() !== 'delta,finish_reason,index,logprobs')
      this.#fault(`has a choice with ${Object.keys(choice).join()}`);
    if (this.answer.finishReason !== null) this.#fault('comes after the finish_reason');
    this.#checkDelta(delta);
    this.#readTexts(delta);
    this.#readLists(delta);
    this.#readLogprobs(logprobs);
    if (reason === null) return;
    if (typeof reason !== 'string') return this.#fault('has an odd finish_reason');
    if (!reasons.includes(reason) || Object.keys(delta).length > 0) this.#fault(`ends with ${reason} and a delta`);
    this.answer.finishReason = reason;
  }

  #checkDelta(delta: Readonly<Record<string, unknown>>): void {
    const strange = Object.keys(delta).filter((key) => !deltaKeys.has(key));
    if (strange.length > 0) this.#fault(`has a delta with ${strange.join()}`);
    const isFirst = this.#at === 0;
    if (isFirst !== 'role' in delta) this.#fault('has the role in another place than the first delta');
    if (isFirst && (delta['role'] !== 'assistant' || delta['content'] !== '')) this.#fault('is no first delta');
  }

  #readTexts(delta: Readonly<Record<string, unknown>>): void {
    const { answer } = this;
    const textOf = (key: string): string => {
      const value = delta[key];
      const isNothing = value === undefined || (key === 'refusal' && this.#at === 0 && value === null);
      if (!isNothing && typeof value !== 'string') this.#fault(`${key} is no text`);
      return typeof value === 'string' ? value : '';
    };
    answer.content += textOf('content');
    answer.refusal += textOf('refusal');
    answer.reasoning += textOf('reasoning_content');
  }

  #readLists({
    annotations,
    reasoning_details: details,
    tool_calls: calls,
    function_call: call,
  }: Readonly<Record<string, unknown>>): void {
    if (annotations !== undefined) this.answer.annotations.push(...(annotations as unknown[]));
    if (details !== undefined) this.answer.details.push(...(details as unknown[]));
    if (calls !== undefined) for (const one of calls as SeenCall[]) this.#readCall(one);
    if (call !== undefined) this.#readFunctionCall(call as { name?: unknown; arguments?: unknown });
    this.answer.details.forEach((detail, at) => {
      const { index, data, type } = detail as Record<string, unknown>;
      if (index !== at || type !== 'reasoning.encrypted' || typeof data !== 'string') this.#fault('has an odd reasoning detail');
    });
  }

  /** Calls come one after the other: id, type and name once, then pieces of arguments. */
  #readCall(call: SeenCall): void {
    const { calls } = this.answer;
    const piece = call.function?.arguments;
    const open = calls.at(-1);
    if (typeof piece !== 'string') this.#fault('has a call without arguments');
    if (call.index === calls.length) this.#beginCall(call);
    else if (open === undefined || call.index !== calls.length - 1) this.#fault('goes on with a call that is not the last one');
    else {
      if ([call.id, call.type, call.function?.name].some((member) => member !== undefined))
        this.#fault('repeats id, type or name');
      open.arguments += String(piece);
    }
  }

  #beginCall({ id, type, function: called }: SeenCall): void {
    const { calls } = this.answer;
    if (typeof id !== 'string' || id === '' || type !== 'function' || typeof called?.name !== 'string')
      this.#fault('begins a call without id, type or name');
    if (calls.some((call) => call.id === id)) this.#fault('uses the id of another call');
    calls.push({ id: String(id), name: String(called?.name), arguments: String(called?.arguments) });
  }

  #readFunctionCall({ name, arguments: piece }: { readonly name?: unknown; readonly arguments?: unknown }): void {
    const { answer } = this;
    const isFirst = answer.functionCall === null;
    if (isFirst !== (typeof name === 'string') || typeof piece !== 'string') this.#fault('has an odd function_call');
    answer.functionCall ??= { name: String(name), arguments: '' };
    answer.functionCall.arguments += String(piece);
  }

  #readLogprobs(logprobs: unknown): void {
    if (logprobs === null) return;
    const { content, refusal } = (logprobs ?? {}) as { content?: unknown; refusal?: unknown };
    if (!Array.isArray(content) || content.length === 0 || refusal !== null) this.#fault('has odd logprobs');
    else this.answer.logprobs.push(...(content as unknown[]));
  }

  #checkCalls(): void {
    const { calls, functionCall, finishReason } = this.answer;
    const made = functionCall === null ? calls : [functionCall];
    const expected = calls.length > 0 ? 'tool_calls' : functionCall === null ? 'stop' : 'function_call';
    if (calls.length > 0 && functionCall !== null) this.faults.push('calls in the old and in the new form');
    if (['length', 'content_filter'].includes(String(finishReason))) return;
    if (finishReason !== expected) this.faults.push(`finish_reason is ${String(finishReason)}, expected ${expected}`);
    for (const call of made) {
      const value = parse(call.arguments);
      if (typeof value !== 'object' || Array.isArray(value)) this.faults.push(`the arguments of ${call.name} are no JSON object`);
    }
  }

  #checkAnnotations(): void {
    for (const annotation of this.answer.annotations) {
      const { type, url_citation: source } = annotation as { type?: unknown; url_citation?: Record<string, unknown> };
      const [start, end] = [Number(source?.['start_index']), Number(source?.['end_index'])];
      if (
        type !== 'url_citation' ||
        typeof source?.['url'] !== 'string' ||
        !(start >= 0 && end >= start && end <= this.answer.content.length)
      )
        this.faults.push(`an annotation outside of the text: ${JSON.stringify(annotation)}`);
    }
  }
}

function parse(text: string): SeenChunk | undefined {
  try {
    const value = JSON.parse(text) as SeenChunk | null;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
