import { afterAll, beforeAll, describe, test } from 'vitest';
import { postResponse, readStream, type StreamAnswer } from '../doubles/post-response.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { createConformanceCheck } from './conformance-check.ts';
import { findSchema, loadOpenResponsesSchema, type OpenResponsesSchema } from './open-responses-schema.ts';
import { tinyImage, weather } from './scenarios.ts';

const model = 'rehearsal/default';
const message = (role: string, content: unknown, more: object = {}): object => ({ type: 'message', role, content, ...more });

/** What the public compliance suite sends over HTTP (protocol.md §3.2), by the names it gives its tests; the words are ours. */
const requests: Readonly<Record<string, object>> = {
  'basic-response': { input: [message('user', 'Greet me in three words.')] },
  'assistant-phase': {
    input: [
      message('assistant', 'I will look it up.', { phase: 'commentary' }),
      message('assistant', 'It is 4 degrees.', { phase: 'final_answer' }),
      message('user', 'And tomorrow?'),
    ],
  },
  'system-prompt': { input: [message('system', 'You are a lighthouse keeper.'), message('user', 'Who are you?')] },
  'image-input': {
    input: [
      message('user', [
        { type: 'input_text', text: 'What do you see?' },
        { type: 'input_image', image_url: tinyImage },
      ]),
    ],
  },
  'multi-turn': { input: [message('user', 'I am Ada.'), message('assistant', 'Hello, Ada.'), message('user', 'Who am I?')] },
};

// All of it at once, as the suite does.
describe.skipIf(!findSchema()).concurrent('the checks of the public compliance suite', () => {
  let gateway: StartedGateway;
  let schema: OpenResponsesSchema;

  beforeAll(async () => {
    gateway = await startGateway('store: { url: "memory:" }');
    schema = loadOpenResponsesSchema();
  });

  afterAll(() => gateway.close());

  function faultsOf(answer: StreamAnswer): readonly string[] {
    const { response, event, faults } = createConformanceCheck(schema);
    response('body', answer.body);
    for (const one of answer.events) event('event', one);
    return [...faults, ...answer.faults];
  }

  test.for(Object.entries(requests))('%s', async ([, request], { expect }) => {
    const answer = await postResponse(gateway.url, { model, ...request });
    expect(answer.status).toBe(200);
    expect(faultsOf(answer)).toEqual([]);
    expect(answer.body.status).toBe('completed');
    expect(answer.body.output.length).toBeGreaterThan(0);
  });

  test('streaming-response', async ({ expect }) => {
    const answer = await postResponse(gateway.url, { model, input: [message('user', 'Count to five.')], stream: true });
    expect(answer.status).toBe(200);
    expect(answer.events.length).toBeGreaterThan(0);
    expect(faultsOf(answer)).toEqual([]);
    expect(answer.body.status).toBe('completed');
  });

  test('tool-calling', async ({ expect }) => {
    const tools = [{ type: 'function', name: weather.name, description: weather.description, parameters: weather.parameters }];
    const answer = await postResponse(gateway.url, {
      model,
      input: [message('user', "What's the weather like in Oslo?")],
      tools,
    });
    expect(answer.status).toBe(200);
    expect(faultsOf(answer)).toEqual([]);
    expect(answer.body.output.map(({ type }) => type)).toContain('function_call');
  });

  // Its reader loses an event when a piece of the body ends between the event's lines, and does not know CR.
  test('every piece of a stream is whole events, with LF only', async ({ expect }) => {
    const answer = await fetch(`${gateway.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'rehearsal/slow', input: 'Count to five.', stream: true }),
    });
    const pieces: string[] = [];
    const decoder = new TextDecoder();
    if (answer.body === null) throw new Error('no body');
    for await (const piece of answer.body) pieces.push(decoder.decode(piece as Uint8Array, { stream: true }));
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.filter((piece) => !piece.endsWith('\n\n') || piece.includes('\r'))).toEqual([]);
    expect(readStream(pieces.join('')).faults).toEqual([]);
  });
});
