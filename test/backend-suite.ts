import { describe, expect, test } from 'vitest';
import { isJsonObject, parseJson } from '../src/lib/json.ts';
import type { Backend, BackendTurn } from '../src/model/backend.ts';
import { GatewayError } from '../src/model/errors.ts';
import type { ModelEvent } from '../src/model/model-event.ts';
import type { FunctionTool, ModelRequest } from '../src/model/model-request.ts';
import { checkModelEvents } from './check-model-events.ts';

/** A backend with a server behind it that answers by model name. */
export interface OpenBackend {
  readonly backend: Backend;
  readonly models: {
    /** Answers in several events with a text that holds the last user text word for word. */
    readonly text: string;
    /** Calls the offered function `get_weather` with a JSON object. */
    readonly call: string;
    /** Accepts the call (2xx) and then says nothing. */
    readonly stall: string;
    /** Says some words and then nothing more. */
    readonly stallText: string;
    /** Answers 429. */
    readonly refused: string;
  };
  /** What the server sees; absent when there is none. */
  readonly server?: {
    /** Requests received so far. */
    requests(): number;
    /** Resolves when no request is being answered any more. */
    idle(): Promise<void>;
  };
  /** Milliseconds within which what must happen has happened, on a busy machine; 5,000 unless given. */
  readonly patience?: number;
  close(): Promise<void>;
}

/** One sentence of the contract; rejects when the backend breaks it. */
export interface ContractCase {
  readonly name: string;
  readonly check: (open: OpenBackend) => Promise<void>;
}

const usualPatience = 5_000;

const weatherTool: FunctionTool = {
  name: 'get_weather',
  description: 'The weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
  strict: false,
  path: 'tools[0]',
};

/** A request with one user message and nothing else asked for; `change` says what differs. */
export function plainRequest(model: string, text: string, change: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model,
    instructions: null,
    input: [{ type: 'message', role: 'user', content: [{ type: 'text', text, path: 'input' }], path: 'input' }],
    tools: [],
    hostedTools: [],
    toolChoice: { type: 'auto' },
    parallelToolCalls: true,
    format: { type: 'text' },
    verbosity: null,
    reasoning: { effort: null, summary: null },
    maxOutputTokens: null,
    temperature: null,
    topP: null,
    topK: null,
    stop: [],
    seed: null,
    thinkingBudget: null,
    presencePenalty: null,
    frequencyPenalty: null,
    topLogprobs: null,
    serviceTier: null,
    promptCacheKey: null,
    safetyIdentifier: null,
    stream: true,
    session: null,
    ...change,
  };
}

/** All events of a turn in order. */
export async function drainTurn(
  turn: BackendTurn,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const batch of turn.stream(signal)) events.push(...batch);
  return events;
}

/** The text of an answer. */
export function textOf(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('');
}

/** The contract of every backend (model/backend.ts), as tests of a backend of that name. */
export function backendSuite(name: string, open: () => Promise<OpenBackend>): void {
  describe(`${name} keeps the contract of a backend`, () => {
    for (const { name: sentence, check } of backendContract) {
      test(sentence, async () => {
        const opened = await open();
        try {
          await check(opened);
        } finally {
          await opened.close();
        }
      });
    }
  });
}

export const backendContract: readonly ContractCase[] = [
  { name: 'preparing a turn sends nothing', check: checkPreparationIsQuiet },
  { name: 'the first batch comes when the server has accepted the call', check: checkFirstBatch },
  { name: 'a refused call is thrown before the first batch', check: checkRefusal },
  { name: 'a text turn', check: checkTextTurn },
  { name: 'a turn that is not streamed to the client', check: checkUnstreamedTurn },
  { name: 'a tool turn', check: checkToolTurn },
  { name: 'usage adds up', check: checkUsage },
  { name: 'an aborted signal sends nothing', check: checkAbortedBefore },
  {
    name: 'an abort before the first word ends the turn at once',
    check: (open) => checkAbort(open, open.models.stall),
  },
  {
    name: 'an abort after some words ends the turn at once',
    check: (open) => checkAbort(open, open.models.stallText),
  },
  { name: 'stopping the generator breaks the call off', check: checkStop },
  { name: 'turns at the same time do not mix', check: checkConcurrentTurns },
  { name: 'a turn that broke leaves the next one alone', check: checkRecovery },
  { name: 'a tool that nobody has is a loss at its path', check: checkUnknownHostedTool },
  { name: 'input tokens are a count or unknown', check: checkInputTokens },
];

async function checkPreparationIsQuiet(open: OpenBackend): Promise<void> {
  const { backend, models, server } = open;
  const request = plainRequest(models.text, 'quiet');
  const turn = await backend.prepareTurn(request);
  expect(turn.losses).toEqual((await backend.prepareTurn(request)).losses);
  await turnOfTheLoop();
  expect(server?.requests() ?? 0).toBe(0);
  await drainTurn(turn);
  expect(server?.requests() ?? 1).toBe(1);
}

async function checkFirstBatch(open: OpenBackend): Promise<void> {
  const { backend, models } = open;
  const leaving = new AbortController();
  const batches = (await backend.prepareTurn(plainRequest(models.stall, 'hello'))).stream(leaving.signal)[Symbol.asyncIterator]();
  const first = await within(open, batches.next(), 'the first batch');
  expect(first.done).not.toBe(true);
  leaving.abort(new Error('left'));
  await expectThrow(open, batches.next(), 'the end after an abort');
}

async function checkRefusal(open: OpenBackend): Promise<void> {
  const { backend, models } = open;
  const batches = (await backend.prepareTurn(plainRequest(models.refused, 'hello')))
    .stream(new AbortController().signal)
    [Symbol.asyncIterator]();
  const thrown = await expectThrow(open, batches.next(), 'the refusal');
  expect(thrown).toBeInstanceOf(GatewayError);
  expect(thrown).toMatchObject({ code: 'rate_limit_exceeded', status: 429 });
}

async function checkTextTurn(open: OpenBackend): Promise<void> {
  const { backend, models } = open;
  const events = await within(
    open,
    drainTurn(await backend.prepareTurn(plainRequest(models.text, 'Ünï 😀 code 42'))),
    'a text turn',
  );
  expect(checkModelEvents(events)).toEqual([]);
  expect(textOf(events)).toContain('Ünï 😀 code 42');
  expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
}

async function checkUnstreamedTurn(open: OpenBackend): Promise<void> {
  const { backend, models } = open;
  const streamed = await within(
    open,
    drainTurn(await backend.prepareTurn(plainRequest(models.text, 'as one'))),
    'a streamed turn',
  );
  const whole = await within(
    open,
    drainTurn(await backend.prepareTurn(plainRequest(models.text, 'as one', { stream: false }))),
    'an unstreamed turn',
  );
  expect(checkModelEvents(whole)).toEqual([]);
  expect(textOf(whole)).toBe(textOf(streamed));
}

async function checkToolTurn(open: OpenBackend): Promise<void> {
  const { backend, models } = open;
  const request = plainRequest(models.call, 'What is the weather in Oslo?', {
    tools: [weatherTool],
    toolChoice: { type: 'required' },
  });
  const events = await within(open, drainTurn(await backend.prepareTurn(request)), 'a tool turn');
  expect(checkModelEvents(events)).toEqual([]);
  const start = events.find((event) => event.type === 'call-start');
  expect(start).toMatchObject({ name: 'get_weather' });
  const text = events.map((event) => (event.type === 'call-delta' && event.callId === start?.callId ? event.delta : '')).join('');
  expect(isJsonObject(parseJson(text))).toBe(true);
  expect(events).toContainEqual({ type: 'call-end', callId: start?.callId });
  expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
}

async function checkUsage(open: OpenBackend): Promise<void> {
  const { backend, models } = open;
  const events = await within(open, drainTurn(await backend.prepareTurn(plainRequest(models.text, 'count this'))), 'a text turn');
  const usage = Object.assign({}, ...events.map((event) => (event.type === 'usage' ? event.usage : {}))) as {
    [name: string]: number;
  };
  for (const count of Object.values(usage)) expect(Number.isInteger(count) && count >= 0).toBe(true);
  const { inputTokens = 0, cachedTokens = 0, outputTokens = 0, reasoningTokens = 0, totalTokens } = usage;
  expect(inputTokens).toBeGreaterThan(0);
  expect(outputTokens).toBeGreaterThan(0);
  expect(cachedTokens).toBeLessThanOrEqual(inputTokens);
  expect(reasoningTokens).toBeLessThanOrEqual(outputTokens);
  expect(totalTokens ?? inputTokens + outputTokens).toBe(inputTokens + outputTokens);
}

async function checkAbortedBefore(open: OpenBackend): Promise<void> {
  const { backend, models, server } = open;
  const turn = await backend.prepareTurn(plainRequest(models.text, 'never'));
  await expectThrow(open, drainTurn(turn, AbortSignal.abort(new Error('left'))), 'an aborted turn');
  await turnOfTheLoop();
  expect(server?.requests() ?? 0).toBe(0);
}

async function checkAbort(open: OpenBackend, model: string): Promise<void> {
  const { backend, server } = open;
  const leaving = new AbortController();
  const batches = (await backend.prepareTurn(plainRequest(model, 'hello'))).stream(leaving.signal)[Symbol.asyncIterator]();
  await within(open, batches.next(), 'the first batch');
  const rest = (async () => {
    while ((await batches.next()).done !== true);
  })();
  // Asking for more first: an abort must reach a read that is already waiting.
  await turnOfTheLoop();
  leaving.abort(new Error('left'));
  await expectThrow(open, rest, 'the end after an abort');
  await within(open, server?.idle() ?? Promise.resolve(), 'the server noticing the abort');
}

async function checkStop(open: OpenBackend): Promise<void> {
  const { backend, models, server } = open;
  const batches = (await backend.prepareTurn(plainRequest(models.stallText, 'hello')))
    .stream(new AbortController().signal)
    [Symbol.asyncIterator]();
  await within(open, batches.next(), 'the first batch');
  await within(open, Promise.resolve(batches.return?.()), 'stopping the generator');
  expect(await within(open, batches.next(), 'a stopped generator')).toMatchObject({ done: true });
  await within(open, server?.idle() ?? Promise.resolve(), 'the server noticing the stop');
}

async function checkConcurrentTurns(open: OpenBackend): Promise<void> {
  const { backend, models } = open;
  const names = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot'].map((name) => `only-${name}`);
  const answers = await within(
    open,
    Promise.all(names.map(async (name) => await drainTurn(await backend.prepareTurn(plainRequest(models.text, name))))),
    'turns at the same time',
  );
  for (const [index, events] of answers.entries()) {
    expect(checkModelEvents(events)).toEqual([]);
    const told = names.filter((name) => textOf(events).includes(name));
    expect(told).toEqual([names[index]]);
  }
}

async function checkRecovery(open: OpenBackend): Promise<void> {
  const leaving = new AbortController();
  const broken = drainTurn(await open.backend.prepareTurn(plainRequest(open.models.stall, 'first')), leaving.signal);
  leaving.abort(new Error('left'));
  await expectThrow(open, broken, 'an aborted turn');
  await checkTextTurn(open);
}

async function checkUnknownHostedTool(open: OpenBackend): Promise<void> {
  const { backend, models } = open;
  const hostedTools = [{ type: 'made_up_tool', settings: { type: 'made_up_tool' }, path: 'tools[0]' }];
  const turn = await backend.prepareTurn(plainRequest(models.text, 'hello', { hostedTools }));
  const reason = expect.any(String) as string;
  expect(turn.losses).toContainEqual({ path: 'tools[0].type', action: 'dropped', code: 'unsupported_value', reason });
}

async function checkInputTokens(open: OpenBackend): Promise<void> {
  const { backend, models } = open;
  const count = await within(
    open,
    backend.countInputTokens(plainRequest(models.text, 'hello there'), new AbortController().signal),
    'counting',
  );
  expect(count === null || (Number.isInteger(count) && count > 0)).toBe(true);
}

/** What was thrown; a promise that resolves, or does nothing for long, breaks the contract. */
async function expectThrow(open: OpenBackend, promise: Promise<unknown>, what: string): Promise<unknown> {
  const outcome = promise.then(
    () => ({ isThrown: false, thrown: undefined }),
    (thrown: unknown) => ({ isThrown: true, thrown }),
  );
  const { isThrown, thrown } = await within(open, outcome, what);
  expect(isThrown, `${what} must throw`).toBe(true);
  return thrown;
}

/** Fails, rather than hangs, when something that must happen does not. */
async function within<T>({ patience = usualPatience }: OpenBackend, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} took longer than ${String(patience)} ms`));
    }, patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
