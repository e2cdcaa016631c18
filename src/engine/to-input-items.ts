import { GatewayError } from '../model/errors.ts';
import type { Loss } from '../model/loss.ts';
import type { CallInput, ContentPart, InputItem, MediaSource, ReasoningInput } from '../model/model-request.ts';
import type {
  InputFunctionCall,
  InputFunctionCallOutput,
  InputPart,
  InputReasoning,
  OtherInputItem,
} from '../protocol/responses/items.ts';
import type { RequestContext } from './deps.ts';
import type { HistoryItem } from './history-item.ts';
import type { ReasoningEnvelope } from './reasoning-envelope.ts';
import type { ResolvedInput } from './resolve-input.ts';
import { partsOf } from './stored-items.ts';

/** Items whose absence in a later turn changes nothing: the text that was written with them is there. */
const silentItems = new Set(['web_search_call', 'file_search_call', 'mcp_list_tools']);

/**
 * The history in our own words: envelopes opened, calls paired with their outputs, data URLs taken apart. Throws OpenAI's 400 for a call without its output and
 * an output without its call, `invalid_encrypted_content` for altered state, `unsupported_value` for file ids.
 */
export function toInputItems(
  history: Pick<ResolvedInput, 'inherited' | 'own'>,
  context: RequestContext,
  envelope: ReasoningEnvelope,
): TranslatedHistory {
  const translation = new HistoryTranslation(context, envelope);
  for (const entry of history.inherited) translation.add(entry);
  const inheritedItems = translation.length;
  for (const entry of history.own) translation.add(entry);
  return { ...translation.finish(), inheritedItems };
}

export interface TranslatedHistory {
  readonly items: readonly InputItem[];
  /** How many of the items, from the beginning, come from previous responses. */
  readonly inheritedItems: number;
  readonly losses: readonly Loss[];
}

class HistoryTranslation {
  readonly #context: RequestContext;
  readonly #envelope: ReasoningEnvelope;
  readonly #items: InputItem[] = [];
  readonly #losses: Loss[] = [];
  readonly #unanswered = new Map<string, CallInput>();
  /** Ids of calls that the model does not see, because they were cut off or are of another kind: their outputs would answer nothing. */
  readonly #hiddenCalls = new Set<string>();

  constructor(context: RequestContext, envelope: ReasoningEnvelope) {
    this.#context = context;
    this.#envelope = envelope;
  }

  /** Items so far. */
  get length(): number {
    return this.#items.length;
  }

  add({ item, path }: HistoryItem): void {
    switch (item.type) {
      case 'message': {
        // Clients send empty messages (LangChain's `content: []`); a model must not see a turn that says nothing.
        const content = item.content.flatMap((part, at) => toContentPart(part, `${path}.content[${String(at)}]`));
        const phase = item.phase === undefined ? {} : { phase: item.phase };
        if (content.length > 0) this.#items.push({ type: 'message', role: item.role, content, ...phase, path });
        return;
      }
      case 'reasoning':
        this.#items.push(...this.#toReasoning(item, path));
        return;
      case 'function_call':
        return this.#call(item, path);
      case 'function_call_output':
        return this.#callOutput(item, path);
      case 'item_reference':
        throw new Error('item references are resolved before translation');
      case 'other':
        return this.#other(item, path);
    }
  }

  finish(): { items: readonly InputItem[]; losses: readonly Loss[] } {
    const [open] = this.#unanswered.values();
    if (open !== undefined)
      throw new GatewayError('invalid_request_error', `No tool output found for function call ${open.callId}.`, {
        param: 'input',
        place: `${open.path}.call_id`,
      });
    return { items: this.#items, losses: this.#losses };
  }

  #call(item: Pick<InputFunctionCall, 'call_id' | 'name' | 'arguments' | 'status'>, path: string): void {
    if (item.status === 'incomplete') {
      this.#losses.push({ path, action: 'dropped', reason: 'the function call was cut off, so it was never made' });
      this.#hiddenCalls.add(item.call_id);
      return;
    }
    const call: CallInput = { type: 'call', callId: item.call_id, name: item.name, arguments: item.arguments, path };
    if (this.#unanswered.has(call.callId)) {
      throw new GatewayError(
        'invalid_request_error',
        `Two function calls wait for an output with the same call_id ${call.callId}.`,
        { param: `${path}.call_id` },
      );
    }
    this.#unanswered.set(call.callId, call);
    this.#items.push(call);
  }

  #callOutput(item: Pick<InputFunctionCallOutput, 'call_id' | 'output' | 'is_error'>, path: string): void {
    const call = this.#unanswered.get(item.call_id);
    if (call === undefined && this.#hiddenCalls.has(item.call_id)) {
      this.#losses.push({ path, action: 'dropped', reason: 'it answers a call that is not shown to this model' });
      return;
    }
    if (call === undefined) {
      throw new GatewayError(
        'invalid_request_error',
        `No tool call found for function call output with call_id ${item.call_id}.`,
        { param: 'input', place: `${path}.call_id` },
      );
    }
    this.#unanswered.delete(item.call_id);
    const isText = typeof item.output === 'string';
    const content = partsOf(item.output).flatMap((part, at) =>
      toContentPart(part, isText ? `${path}.output` : `${path}.output[${String(at)}]`),
    );
    const isError = item.is_error === true ? { isError: true as const } : {};
    this.#items.push({ type: 'call-output', callId: item.call_id, name: call.name, content, ...isError, path });
  }

  /** Freeform calls become function calls with one argument: the model sees what happened, in another form. Everything else cannot be shown. */
  #other(item: OtherInputItem, path: string): void {
    const { call_id, name, input, output } = item.raw;
    if (item.itemType === 'custom_tool_call' && typeof call_id === 'string' && typeof name === 'string') {
      this.#losses.push({ path, action: 'emulated', reason: 'a custom tool call is shown to the model as a function call' });
      return this.#call({ call_id, name, arguments: JSON.stringify({ input }) }, path);
    }
    if (item.itemType === 'custom_tool_call_output' && typeof call_id === 'string') {
      return this.#callOutput({ call_id, output: typeof output === 'string' ? output : JSON.stringify(output ?? '') }, path);
    }
    if (typeof call_id === 'string') this.#hiddenCalls.add(call_id);
    if (!silentItems.has(item.itemType)) {
      this.#losses.push({ path, action: 'dropped', reason: `items of type ${item.itemType} cannot be shown to this model` });
    }
  }

  #toReasoning(item: InputReasoning, path: string): ReasoningInput[] {
    const text = (item.content !== undefined && item.content.length > 0 ? item.content : item.summary)
      .map((part) => part.text)
      .join('\n\n');
    const sealed = item.encrypted_content;
    const param = `${path}.encrypted_content`;
    const states = sealed === undefined ? [] : this.#envelope.open(sealed, this.#context.owner, param);
    if (states === null) {
      this.#losses.push({
        path: param,
        action: 'dropped',
        reason: 'it was sealed by another server, so its reasoning cannot be used here',
      });
    }
    if (states === null || states.length === 0) return text === '' ? [] : [{ type: 'reasoning', text, state: null, path }];
    return states.map((state, at) => ({ type: 'reasoning', text: at === 0 ? text : '', state, path }));
  }
}

/** Empty texts say nothing and several servers refuse them. */
function toContentPart(part: InputPart, path: string): ContentPart[] {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, path }];
    case 'refusal':
      return part.refusal === '' ? [] : [{ type: 'refusal', text: part.refusal, path }];
    case 'input_image':
      return [{ type: 'image', source: toSource(part.image_url, path, 'image_url'), detail: part.detail ?? null, path }];
    case 'input_file':
      return [
        {
          type: 'file',
          source: toSource(part.file_data ?? part.file_url, path, 'file_data'),
          filename: part.filename ?? null,
          path,
        },
      ];
  }
}

const dataUrl = /^data:([^;,]*)(?:;[^;,]+)*;base64,/i;

function toSource(url: string | undefined, path: string, member: string): MediaSource {
  if (url === undefined) {
    const message = `This gateway keeps no files, so a 'file_id' means nothing to it. Send the content as a base64 data URL in '${member}'.`;
    throw new GatewayError('unsupported_value', message, { param: `${path}.file_id` });
  }
  const head = dataUrl.exec(url);
  if (head !== null)
    return {
      type: 'data',
      mediaType: (head[1] ?? '').toLowerCase() || 'application/octet-stream',
      base64: url.slice(head[0].length),
    };
  return { type: 'url', url };
}
