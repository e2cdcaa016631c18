import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import { isForeignEvent } from './foreign-events.ts';
import { checkAdded, checkArguments, checkDone } from './item-rules.ts';
import type { LintFault } from './lint-rules.ts';
import { LintState, shown, type LintMode } from './lint-state.ts';
import { checkDelta, checkPartEvent, isPartEvent } from './part-rules.ts';
import { checkToolStep, isToolStep } from './tool-rules.ts';
import { checkEnd, checkErrorEvent, checkResponse, isLifecycle, isTerminal } from './response-rules.ts';

/**
 * The grammar of a Responses event stream (protocol.md §1.7, identity rules §4.1), event by event. It judges our own output in every test, and what other servers send. It knows nothing
 * of how the events were made, throws never, and after a fault goes on as if the event had been right, so that one mistake is one fault.
 */
export class EventLinter {
  readonly #state: LintState;

  constructor(mode: LintMode) {
    this.#state = new LintState(mode);
  }

  /** The next event as parsed JSON. */
  push(event: unknown): readonly LintFault[] {
    const state = this.#state;
    state.at += 1;
    if (!isJsonObject(event) || typeof event['type'] !== 'string' || event['type'] === '') {
      state.type = '';
      state.report('event-shape', 'is no object with a type');
      return state.take();
    }
    state.type = event['type'];
    checkNumber(event, state);
    if (state.terminal === undefined) checkEvent(event, state);
    else state.report('nothing-after-terminal', 'comes after the terminal event');
    return state.take();
  }

  /** So many events, numbered one after the other, are told together with the one that comes next, which says what all of them say. */
  skip(events: number): void {
    const state = this.#state;
    state.at += events;
    if (state.lastNumber !== undefined) state.lastNumber += events;
  }

  /** The stream is over. */
  end(): readonly LintFault[] {
    checkEnd(this.#state);
    return this.#state.take();
  }
}

/** Ours count from 0. Others may begin anywhere (a stream that was resumed), and old servers do not count at all. */
function checkNumber(event: JsonObject, state: LintState): void {
  const number = event['sequence_number'];
  const expected = state.isOwn ? state.at : state.lastNumber === undefined ? undefined : state.lastNumber + 1;
  const isNumber = typeof number === 'number';
  if (isNumber) state.lastNumber = number;
  const isWrong = expected === undefined ? number !== undefined && !isNumber : number !== expected;
  if (isWrong) state.report('sequence-number', `carries sequence_number ${shown(number)}, expected ${String(expected ?? 0)}`);
}

function checkEvent(event: JsonObject, state: LintState): void {
  // Most of every stream: nothing else can be wrong with these.
  if (state.opening === 'running' && !state.isBroken && checkDelta(event, state)) return;
  checkPlace(state);
  checkError(event, state);
  if (isLifecycle(state.type)) {
    checkResponse(event, state);
    if (isTerminal(state.type)) state.terminal = event;
    return;
  }
  if (event['response'] !== undefined) state.report('stray-response', 'an event of this type must not carry a response');
  checkBody(event, state);
}

/** An `error` ends the stream but for `response.failed`; as a member it means the same to official clients (protocol.md §4.2). */
function checkError({ error }: JsonObject, state: LintState): void {
  const { type } = state;
  if (state.isBroken && type !== 'response.failed') state.report('nothing-after-terminal', 'comes after an error');
  if (type === 'error') state.isBroken = true;
  else if (Boolean(error)) state.report('stray-error', 'an event of this type must not carry an error');
}

/** created, in_progress, then the rest; what breaks off may do so at any place. */
function checkPlace(state: LintState): void {
  const { type, opening } = state;
  if (type === 'response.created') {
    if (opening !== 'nothing') state.report('created-once', 'comes twice, or too late');
    else state.opening = 'created';
    return;
  }
  if (opening === 'running') {
    state.check(type === 'response.queued', 'in-progress-second', 'comes too late');
    return;
  }
  if (!state.isOwn && early.has(type)) return;
  if (opening === 'nothing') state.report('created-first', 'the first event must be response.created');
  const isQueued = !state.isOwn && type === 'response.queued';
  state.opening = isQueued ? 'created' : 'running';
  if (opening === 'created' && !isQueued && type !== 'response.in_progress')
    state.report('in-progress-second', 'the second event must be response.in_progress');
}

/** What other servers may send before the response has begun. */
const early: ReadonlySet<string> = new Set(['error', 'response.failed', 'keepalive']);

function checkBody(event: JsonObject, state: LintState): void {
  switch (state.type) {
    case 'response.output_item.added':
      return checkAdded(event, state);
    case 'response.output_item.done':
      return checkDone(event, state);
    case 'response.function_call_arguments.done':
    case 'response.function_call_arguments.delta':
      return checkArguments(event, state);
    default:
      return checkOther(event, state);
  }
}

/** The only tool whose events we send is the search. */
function checkTool(event: JsonObject, state: LintState): void {
  if (state.isOwn && !state.type.startsWith('response.web_search_call.')) state.report('unknown-event', 'is no event of ours');
  else checkToolStep(event, state);
}

function checkOther(event: JsonObject, state: LintState): void {
  if (isPartEvent(state.type, state.mode)) checkPartEvent(event, state);
  else if (isToolStep(state.type)) checkTool(event, state);
  else if (state.isOwn) state.report('unknown-event', 'is no event of the protocol');
  else if (state.type === 'error') checkErrorEvent(event, state);
  else if (!isForeignEvent(state.type)) state.report('unknown-event', 'is no event of the protocol', 'note');
}
