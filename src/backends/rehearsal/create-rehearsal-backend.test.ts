import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { backendSuite, drainTurn, plainRequest, textOf } from '../../../test/backend-suite.ts';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { countTextTokens } from '../../lib/count-text-tokens.ts';
import type { StatelessBackend } from '../../model/backend.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { InputItem, ModelRequest } from '../../model/model-request.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';
import { createRehearsalBackend } from './create-rehearsal-backend.ts';

function openBackend(): StatelessBackend {
  const wait = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
    await setTimeout(milliseconds, undefined, { signal });
  };
  return createRehearsalBackend({ newId: counterId(), countTextTokens, wait });
}

function ask(model: string, text: string, change: Partial<ModelRequest> = {}): Promise<readonly ModelEvent[]> {
  return drainTurn(openBackend().prepareTurn(plainRequest(model, text, change)));
}

function user(text: string): InputItem {
  return { type: 'message', role: 'user', content: [{ type: 'text', text, path: 'input[0]' }], path: 'input[0]' };
}

function reasoning(state: ReasoningState | null): InputItem {
  return { type: 'reasoning', text: '', state, path: 'input[1]' };
}

const assistant: InputItem = {
  type: 'message',
  role: 'assistant',
  content: [{ type: 'text', text: 'ok', path: 'input[1]' }],
  path: 'input[1]',
};

backendSuite('rehearsal', () =>
  Promise.resolve({
    backend: openBackend(),
    models: { text: 'default', call: 'default', stall: 'stall', stallText: 'stall-text', refused: '429' },
    close: () => Promise.resolve(),
  }),
);

describe('an answer', () => {
  test('says what was asked', async () => {
    expect(textOf(await ask('default', 'Hello there'))).toMatchInlineSnapshot(
      `"You said: "Hello there". I am Antiphon's built-in rehearsal model; configure a backend to talk to a real one."`,
    );
    expect(textOf(await ask('echo', 'Hello there'))).toBe(textOf(await ask('default', 'Hello there')));
  });

  test('comes in several small pieces over several batches', async () => {
    const batches: (readonly ModelEvent[])[] = [];
    for await (const batch of openBackend()
      .prepareTurn(plainRequest('default', 'Hello there'))
      .stream(new AbortController().signal))
      batches.push(batch);
    expect(batches[0]).toEqual([]);
    expect(batches.length).toBeGreaterThan(4);
    for (const event of batches.flat())
      if (event.type === 'text-delta') expect(event.delta.trim().length).toBeLessThanOrEqual(16);
  });

  test('remembers the conversation, names instructions, tools and media', async () => {
    const input: InputItem[] = [
      user('My name is Ada'),
      assistant,
      {
        type: 'message',
        role: 'user',
        path: 'input[2]',
        content: [
          { type: 'text', text: 'Look', path: 'input[2].content[0]' },
          {
            type: 'image',
            source: { type: 'data', mediaType: 'image/png', base64: 'aGVsbG8=' },
            detail: null,
            path: 'input[2].content[1]',
          },
          {
            type: 'file',
            source: { type: 'url', url: 'https://example.com/a.pdf' },
            filename: 'a.pdf',
            path: 'input[2].content[2]',
          },
        ],
      },
    ];
    const tools = [{ name: 'get_time', description: null, parameters: null, strict: false, path: 'tools[0]' }];
    expect(textOf(await ask('default', '', { input, tools, instructions: 'Be kind.' }))).toMatchInlineSnapshot(
      `"You said: "Look". You sent: image (image/png, 5 bytes); file "a.pdf" at https://example.com/a.pdf. This is your message number 2; before it you said: "My name is Ada". My instructions begin: "Be kind.". I can call get_time: say "call get_time" to see it."`,
    );
  });

  test('is the same every time, ids aside', async () => {
    expect(await ask('default', 'call it', { reasoning: { effort: 'high', summary: 'auto' } })).toEqual(
      await ask('default', 'call it', { reasoning: { effort: 'high', summary: 'auto' } }),
    );
  });

  test('quotes of long texts are cut between characters', async () => {
    const text = textOf(await ask('default', '😀'.repeat(5_000)));
    expect(text).toBe(Buffer.from(text).toString());
    expect(text.length).toBeLessThan(1_200);
  });

  test('obeys a JSON format', async () => {
    const object = textOf(await ask('default', 'Hello', { format: { type: 'json-object' } }));
    expect(JSON.parse(object)).toHaveProperty('answer');
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 } },
      required: ['city', 'days'],
    };
    const format = { type: 'json-schema', name: 'trip', description: null, schema, strict: true } as const;
    expect(JSON.parse(textOf(await ask('default', 'Five days in Rome', { format })))).toEqual({ city: 'Rome', days: 3 });
  });

  test('carries logprobs when they are wanted', async () => {
    const events = await ask('default', 'Hello', { topLogprobs: 2 });
    const first = events.find((event) => event.type === 'text-delta');
    expect(first?.logprobs?.[0]).toMatchObject({ token: first?.delta, bytes: [...new TextEncoder().encode(first?.delta)] });
    expect(first?.logprobs?.[0]?.topLogprobs).toHaveLength(2);
    for (const event of events) if (event.type === 'text-delta') expect(event.logprobs?.[0]?.logprob).toBeLessThanOrEqual(0);
    expect((await ask('default', 'Hello')).some((event) => 'logprobs' in event)).toBe(false);
  });
});

describe('token counts', () => {
  test('are those of what was read and said', async () => {
    const events = await ask('default', 'Hello there');
    const usage = events.find((event) => event.type === 'usage')?.usage;
    const said = await countTextTokens(textOf(events));
    const request = plainRequest('default', 'Hello there');
    expect(usage).toEqual({
      inputTokens: await openBackend().countInputTokens(request, new AbortController().signal),
      cachedTokens: 0,
      outputTokens: said,
      reasoningTokens: 0,
      totalTokens: said + (usage?.inputTokens ?? 0),
    });
  });

  test('include instructions, tools and thinking', async () => {
    const backend = openBackend();
    const { signal } = new AbortController();
    const bare = await backend.countInputTokens(plainRequest('default', 'Hi'), signal);
    const tools = [{ name: 'get_time', description: 'Tells the time', parameters: null, strict: false, path: 'tools[0]' }];
    const full = await backend.countInputTokens(
      plainRequest('default', 'Hi', { tools, instructions: 'Be kind to everybody.' }),
      signal,
    );
    expect(full).toBeGreaterThan((bare ?? 0) + 8);
    const usage = (await ask('default', 'Hi', { reasoning: { effort: 'low', summary: null } })).find(
      (event) => event.type === 'usage',
    )?.usage;
    expect(usage?.reasoningTokens).toBeGreaterThan(0);
    expect(usage?.reasoningTokens).toBeLessThan(usage?.outputTokens ?? 0);
  });

  test('stop an answer at max_output_tokens', async () => {
    const whole = textOf(await ask('default', 'Hello there'));
    for (const maxOutputTokens of [1, 5, 12]) {
      const events = await ask('default', 'Hello there', { maxOutputTokens });
      expect(checkModelEvents(events)).toEqual([]);
      expect(events.at(-1)).toEqual({ type: 'finish', reason: 'length' });
      expect(whole.startsWith(textOf(events))).toBe(true);
      expect(events.find((event) => event.type === 'usage')?.usage.outputTokens).toBeLessThanOrEqual(maxOutputTokens);
    }
  });
});

describe('thinking', () => {
  const kinds = (events: readonly ModelEvent[]): string[] => [
    ...new Set(events.map(({ type }) => type).filter((type) => type.startsWith('reasoning'))),
  ];

  test('is shown when a summary is wanted, else only its state', async () => {
    expect(kinds(await ask('default', 'Hi'))).toEqual([]);
    expect(kinds(await ask('default', 'Hi', { reasoning: { effort: 'none', summary: 'auto' } }))).toEqual([]);
    expect(kinds(await ask('default', 'Hi', { reasoning: { effort: 'high', summary: null } }))).toEqual(['reasoning-state']);
    const shown = kinds(await ask('default', 'Hi', { reasoning: { effort: null, summary: 'auto' } }));
    expect(shown).toEqual(['reasoning-delta', 'reasoning-break', 'reasoning-state']);
  });

  test('its state is recognised when it comes back', async () => {
    const first = await ask('default', 'Hi', { reasoning: { effort: 'high', summary: null } });
    const state = first.find((event) => event.type === 'reasoning-state')?.state ?? null;
    const answerTo = async (input: InputItem[]): Promise<string> => textOf(await ask('default', '', { input }));
    expect(await answerTo([user('Hi'), reasoning(state), assistant, user('And now?')])).toContain(
      'My earlier thinking came back intact (1).',
    );
    expect(await answerTo([user('Other'), reasoning(state), assistant, user('And now?')])).toContain('does not belong here');
    expect(await answerTo([user('Hi'), reasoning(null), assistant, user('And now?')])).toContain('without its state');
  });

  test('of another backend is a loss', () => {
    const input = [user('Hi'), reasoning({ format: 'gemini', model: 'g', data: 'x' }), assistant, user('Go on')];
    expect(openBackend().prepareTurn(plainRequest('default', '', { input })).losses).toMatchObject([
      { path: 'input[1]', action: 'dropped' },
    ]);
  });
});

describe('losses', () => {
  const lossesOf = (change: Partial<ModelRequest>) =>
    openBackend()
      .prepareTurn(plainRequest('default', 'Hi', change))
      .losses.map(({ path, action, code }) => [path, action, code ?? '-'].join(' '));

  test('a tool that it has not', () => {
    const hostedTools = [{ type: 'web_search', settings: { type: 'web_search' }, path: 'tools[1]' }];
    expect(lossesOf({ hostedTools })).toEqual(['tools[1].type dropped unsupported_value']);
  });

  test('what it would have to fetch, in messages and in outputs', () => {
    const image = { type: 'image', detail: null } as const;
    const url = { type: 'url', url: 'https://example.com/a' } as const;
    const data = { type: 'data', mediaType: 'image/png', base64: 'QQ==' } as const;
    const input: InputItem[] = [
      {
        type: 'message',
        role: 'user',
        path: 'input[0]',
        content: [
          { ...image, source: url, path: 'input[0].content[0]' },
          { ...image, source: data, path: 'input[0].content[1]' },
          { type: 'file', source: url, filename: 'a', path: 'input[0].content[2]' },
        ],
      },
      { type: 'call', callId: 'c', name: 'f', arguments: '{}', path: 'input[1]' },
      {
        type: 'call-output',
        callId: 'c',
        name: 'f',
        content: [{ ...image, source: url, path: 'input[2].output[0]' }],
        path: 'input[2]',
      },
    ];
    expect(lossesOf({ input })).toEqual(
      ['input[0].content[0]', 'input[0].content[2]', 'input[2].output[0]'].map((path) => `${path} dropped -`),
    );
  });

  test('reasons have no period: the sentence around them ends with one', () => {
    const hostedTools = [{ type: 'web_search', settings: {}, path: 'tools[0]' }];
    const input = [user('Hi'), reasoning({ format: 'gemini', model: 'g', data: 'x' }), user('Go on')];
    const { losses } = openBackend().prepareTurn(plainRequest('default', '', { input, hostedTools }));
    expect(losses.map(({ reason }) => /[^.]$/.test(reason))).toEqual([true, true]);
  });

  test('the default verbosity is none', () => {
    expect(lossesOf({ verbosity: 'medium' })).toEqual([]);
  });
});

test('an unknown model is refused with a list of those there are', () => {
  expect(() => openBackend().prepareTurn(plainRequest('gpt-9', 'Hi'))).toThrow(/no model 'gpt-9'.*default.*stall.*429/);
  expect(() => openBackend().prepareTurn(plainRequest('constructor', 'Hi'))).toThrow(/no model/);
});
