import { GatewayError } from '../model/errors.ts';
import type { Loss } from '../model/loss.ts';
import type { FinishReason, ModelEvent } from '../model/model-event.ts';
import type { MessageInput, ModelRequest, ToolChoice } from '../model/model-request.ts';

/** What is to be done when a model call is over. */
export type Verdict = 'accept' | 'ask-again' | 'refuse';

/**
 * Makes `tool_choice` and `parallel_tool_calls` true whatever the backend did: calls outside the choice never reach the client, and a turn that owes a call (or, after suppression,
 * anything at all) is asked again. It also holds `finish` back, because the turn may not be over yet. One guard per model call.
 */
export class ToolGuard {
  readonly losses: Loss[] = [];
  readonly #choice: ToolChoice;
  readonly #parallel: boolean;
  readonly #declared: readonly string[];
  readonly #suppressed = new Set<string>();
  #calls = 0;
  #hasSearched = false;
  #outsideChoice = 0;
  #hasText = false;
  #finish: FinishReason | undefined;

  constructor(request: Pick<ModelRequest, 'toolChoice' | 'parallelToolCalls' | 'tools'>) {
    this.#choice = request.toolChoice;
    this.#declared = request.tools.map(({ name }) => name);
    this.#parallel = request.parallelToolCalls;
  }

  /** The reason of the `finish` that was held back; undefined when the model call ended without one. */
  get finish(): FinishReason | undefined {
    return this.#finish;
  }

  /** Whether the event may go on to the response. */
  accepts(event: ModelEvent): boolean {
    switch (event.type) {
      case 'text-delta':
      case 'refusal-delta':
        this.#hasText = true;
        return true;
      case 'call-start':
        return this.#acceptsCall(event.callId, event.name);
      case 'call-delta':
      case 'call-end':
        return this.#suppressed.size === 0 || !this.#suppressed.has(event.callId);
      case 'web-search':
        this.#hasSearched = true;
        return true;
      case 'finish':
        this.#finish ??= event.reason;
        return false;
      default:
        return true;
    }
  }

  /** Judges the whole model call. `refuse` = it does not follow the choice and has been asked again already. */
  judge(attempt: { readonly isLast: boolean }): Verdict {
    if (this.#finish !== 'stop' || this.#isFollowed()) return 'accept';
    return attempt.isLast ? 'refuse' : 'ask-again';
  }

  #isFollowed(): boolean {
    if (this.#calls > 0 || (this.#hasSearched && this.#choice.type === 'required')) return true;
    const owesCall = this.#choice.type === 'required' || this.#choice.type === 'required-of';
    return !owesCall && (this.#outsideChoice === 0 || this.#hasText);
  }

  #acceptsCall(callId: string, name: string): boolean {
    if (!this.#allows(name)) {
      this.#outsideChoice += 1;
      return this.#suppress(callId, {
        path: 'tool_choice',
        action: 'dropped',
        reason: `the model called ${name}, which tool_choice does not allow`,
      });
    }
    if (this.#calls > 0 && !this.#parallel) {
      const reason = `the model also called ${name}; only the first call of a turn is kept`;
      return this.#suppress(callId, { path: 'parallel_tool_calls', action: 'dropped', reason });
    }
    this.#calls += 1;
    // Some small servers give every call the same id.
    this.#suppressed.delete(callId);
    return true;
  }

  #allows(name: string): boolean {
    switch (this.#choice.type) {
      case 'none':
        return false;
      case 'allowed':
      case 'required-of':
        return this.#choice.names.includes(name);
      case 'required':
        // A call to a tool that nobody declared does not pay what is owed.
        return this.#declared.includes(name);
      default:
        return true;
    }
  }

  #suppress(callId: string, loss: Loss): false {
    this.#suppressed.add(callId);
    this.losses.push(loss);
    return false;
  }
}

/** The request of the one re-ask: the same turn with a plain order at its end. */
export function toReask(request: ModelRequest): ModelRequest {
  const order: MessageInput = {
    type: 'message',
    role: 'developer',
    content: [{ type: 'text', text: orderFor(request), path: 'tool_choice' }],
    path: 'tool_choice',
  };
  return { ...request, input: [...request.input, order], tools: request.toolChoice.type === 'none' ? [] : request.tools };
}

function orderFor({ toolChoice, tools }: ModelRequest): string {
  switch (toolChoice.type) {
    case 'none':
      return 'Do not call any tool now. Answer in text.';
    case 'allowed':
      return `The only tools you may call now are: ${toolChoice.names.join(', ')}. Call one of them or answer in text.`;
    case 'required-of':
      return `You must call ${toolChoice.names.length === 1 ? 'this tool' : 'one of these tools'} now, without answering in text: ${toolChoice.names.join(', ')}.`;
    default:
      return `You must call one of your tools now, without answering in text: ${tools.map(({ name }) => name).join(', ')}.`;
  }
}

/** The error of a model that did not follow the choice twice. */
export function notFollowed(choice: ToolChoice): GatewayError {
  const owed =
    choice.type === 'none' || choice.type === 'allowed'
      ? 'it called tools that tool_choice does not allow'
      : 'it did not make the call that tool_choice requires';
  return new GatewayError('tool_choice_not_followed', `The model was asked twice, but ${owed}.`, { param: 'tool_choice' });
}
