import { describe, expect, test } from 'vitest';
import { GatewayError } from '../src/model/errors.ts';
import type { Backend, BackendTurn } from '../src/model/backend.ts';
import type { ModelEvent } from '../src/model/model-event.ts';
import type { ModelRequest } from '../src/model/model-request.ts';
import { backendContract, backendSuite, type OpenBackend } from './backend-suite.ts';

type Stream = BackendTurn['stream'];

/** A small backend that keeps the contract, with a count of what a server would have seen. Each planted mistake changes one thing of it. */
function openSmallBackend(plant: (whole: SmallParts) => Partial<SmallParts> = () => ({})): OpenBackend {
  const seen = { requests: 0, open: 0 };
  const sound: SmallParts = { losses: hostedLosses, stream: (request) => (signal) => answer(request, signal, seen), seen };
  const parts = { ...sound, ...plant(sound) };
  const backend: Backend = {
    name: 'small',
    prepareTurn: (request) => ({ losses: parts.losses(request), stream: parts.stream(request) }),
    listModels: () => Promise.resolve([]),
    countInputTokens: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
  return {
    backend,
    patience: 1_000,
    models: { text: 'text', call: 'call', stall: 'stall', stallText: 'stall-text', refused: 'refused' },
    server: {
      requests: () => seen.requests,
      async idle() {
        while (seen.open > 0) await new Promise((resolve) => setImmediate(resolve));
      },
    },
    close: () => Promise.resolve(),
  };
}

interface SmallParts {
  readonly losses: (request: ModelRequest) => BackendTurn['losses'];
  readonly stream: (request: ModelRequest) => Stream;
  readonly seen: { requests: number; open: number };
}

function hostedLosses({ hostedTools }: ModelRequest): BackendTurn['losses'] {
  return hostedTools.map(({ path }) => ({
    path: `${path}.type`,
    action: 'dropped',
    code: 'unsupported_value',
    reason: 'not here',
  }));
}

async function* answer(
  request: ModelRequest,
  signal: AbortSignal,
  seen: SmallParts['seen'],
): AsyncGenerator<readonly ModelEvent[]> {
  signal.throwIfAborted();
  seen.requests++;
  seen.open++;
  try {
    if (request.model === 'refused') throw new GatewayError('rate_limit_exceeded', 'later');
    yield [];
    if (request.model === 'stall-text') yield [{ type: 'text-delta', delta: 'some words' }];
    if (request.model.startsWith('stall')) await aborted(signal);
    yield request.model === 'call' ? callEvents : textEvents(request);
    signal.throwIfAborted();
    yield ending;
  } finally {
    seen.open--;
  }
}

const usage: ModelEvent = { type: 'usage', usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } };
const ending: readonly ModelEvent[] = [usage, { type: 'finish', reason: 'stop' }];
const callEvents: readonly ModelEvent[] = [
  { type: 'call-start', callId: 'call_1', name: 'get_weather' },
  { type: 'call-delta', callId: 'call_1', delta: '{"city":"Oslo"}' },
  { type: 'call-end', callId: 'call_1' },
];

function textEvents({ input }: ModelRequest): readonly ModelEvent[] {
  const first = input[0];
  const part = first?.type === 'message' ? first.content[0] : undefined;
  return [{ type: 'text-delta', delta: `you said ${part?.type === 'text' ? part.text : ''}` }];
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const leave = (): void => {
      reject(new Error('left'));
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave);
  });
}

/** The stream of the sound backend with every batch changed. */
function changing(change: (batch: readonly ModelEvent[]) => readonly ModelEvent[]): (whole: SmallParts) => Partial<SmallParts> {
  return (whole) => ({
    stream: (request) =>
      async function* (signal) {
        for await (const batch of whole.stream(request)(signal)) yield change(batch);
      },
  });
}

backendSuite('a small backend', () => Promise.resolve(openSmallBackend()));

describe('the contract notices', () => {
  let lastText = '';
  const planted: [mistake: string, sentence: string, plant: (whole: SmallParts) => Partial<SmallParts>][] = [
    [
      'a second finish',
      'a text turn',
      changing((batch) => (batch.includes(usage) ? [...batch, { type: 'finish', reason: 'stop' }] : batch)),
    ],
    ['a missing finish', 'a text turn', changing((batch) => batch.filter(({ type }) => type !== 'finish'))],
    ['a call-end without a start', 'a tool turn', changing((batch) => batch.filter(({ type }) => type !== 'call-start'))],
    ['a call that is never ended', 'a tool turn', changing((batch) => batch.filter(({ type }) => type !== 'call-end'))],
    [
      'negative counts',
      'usage adds up',
      changing((batch) => batch.map((event) => (event === usage ? { type: 'usage', usage: { inputTokens: -1 } } : event))),
    ],
    ['a silent loss', 'a tool that nobody has is a loss at its path', () => ({ losses: () => [] })],
    [
      'a call sent while preparing',
      'preparing a turn sends nothing',
      (whole) => ({ losses: (request) => (whole.seen.requests++, whole.losses(request)) }),
    ],
    [
      'a first batch that waits for the first word',
      'the first batch comes when the server has accepted the call',
      (whole) => ({ stream: (request) => (signal) => skipEmpty(whole.stream(request)(signal)) }),
    ],
    [
      'a refusal after acceptance',
      'a refused call is thrown before the first batch',
      (whole) => ({ stream: (request) => (signal) => acceptFirst(whole.stream(request)(signal)) }),
    ],
    [
      'a signal that is not passed on',
      'an abort after some words ends the turn at once',
      (whole) => ({ stream: (request) => () => whole.stream(request)(new AbortController().signal) }),
    ],
    [
      'an abort that looks like a normal end',
      'an abort after some words ends the turn at once',
      (whole) => ({ stream: (request) => (signal) => swallow(whole.stream(request)(signal)) }),
    ],
    [
      'state shared by all turns',
      'turns at the same time do not mix',
      (whole) => ({
        stream: (request) =>
          async function* (signal) {
            lastText = JSON.stringify(request.input);
            for await (const batch of whole.stream(request)(signal)) {
              yield batch.map((event) => (event.type === 'text-delta' ? { ...event, delta: lastText } : event));
            }
          },
      }),
    ],
  ];
  test.each(planted)('%s', async (_mistake, sentence, plant) => {
    const contractCase = backendContract.find(({ name }) => name === sentence);
    await expect(contractCase?.check(openSmallBackend(plant))).rejects.toThrow();
  });
});

async function* skipEmpty(batches: AsyncIterable<readonly ModelEvent[]>): AsyncGenerator<readonly ModelEvent[]> {
  for await (const batch of batches) if (batch.length > 0) yield batch;
}

async function* acceptFirst(batches: AsyncIterable<readonly ModelEvent[]>): AsyncGenerator<readonly ModelEvent[]> {
  yield [];
  yield* batches;
}

async function* swallow(batches: AsyncIterable<readonly ModelEvent[]>): AsyncGenerator<readonly ModelEvent[]> {
  const iterator = batches[Symbol.asyncIterator]();
  for (;;) {
    const next = await iterator.next().catch(() => undefined);
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}
