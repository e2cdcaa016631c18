import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { drainTurn, plainRequest, textOf } from '../../../test/backend-suite.ts';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { countTextTokens } from '../../lib/count-text-tokens.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { FunctionTool, InputItem, ModelRequest, ToolChoice } from '../../model/model-request.ts';
import { createRehearsalBackend } from './create-rehearsal-backend.ts';

const string = { type: 'string' };

function tool(name: string, properties: object = {}, required: readonly string[] = Object.keys(properties)): FunctionTool {
  return { name, description: null, parameters: { type: 'object', properties, required }, strict: false, path: 'tools[0]' };
}

const weather = tool('get_weather', { city: string });
const time = tool('getTime', { zone: string });
const readFile = tool('read_file', { path: string });
const tools = [weather, time, readFile];

async function ask(text: string, change: Partial<ModelRequest> = {}, model = 'default'): Promise<readonly ModelEvent[]> {
  const wait = (milliseconds: number, signal: AbortSignal): Promise<void> => setTimeout(milliseconds, undefined, { signal });
  const backend = createRehearsalBackend({ newId: counterId(), countTextTokens, wait });
  const events = await drainTurn(backend.prepareTurn(plainRequest(model, text, { tools, ...change })));
  expect(checkModelEvents(events)).toEqual([]);
  return events;
}

function callsOf(events: readonly ModelEvent[]): string[] {
  return events.flatMap((start) => {
    if (start.type !== 'call-start') return [];
    const pieces = events.map((event) => (event.type === 'call-delta' && event.callId === start.callId ? event.delta : ''));
    return [start.name + pieces.join('')];
  });
}

async function calls(text: string, change: Partial<ModelRequest> = {}, model = 'default'): Promise<string[]> {
  return callsOf(await ask(text, change, model));
}

describe('a tool is called', () => {
  const asked: [text: string, expected: string[]][] = [
    ['call get_weather', ['get_weather{"city":"city"}']],
    ['Use getTime for Oslo, please', ['getTime{"zone":"Oslo"}']],
    ['please get time', ['getTime{"zone":"zone"}']],
    ["What's the weather in Paris?", ['get_weather{"city":"Paris"}']],
    ['Read the file "notes.txt"', ['read_file{"path":"notes.txt"}']],
    ['Weather in Paris and London, in parallel', ['get_weather{"city":"Paris"}', 'get_weather{"city":"London"}']],
    ['Call get_weather and getTime for Rome', ['get_weather{"city":"Rome"}', 'getTime{"zone":"zone"}']],
    ['Call getTime, then get_weather', ['getTime{"zone":"zone"}']],
    ['Hello', []],
    ['Do not call get_weather', []],
    ["Please don't use the get_weather tool", []],
    ['The whether is fine', []],
  ];
  test.each(asked)('%s', async (text, expected) => {
    expect(await calls(text)).toEqual(expected);
  });

  test('one at a time where parallel calls are off', async () => {
    expect(await calls('Weather in Paris and London, both', { parallelToolCalls: false })).toEqual([
      'get_weather{"city":"Paris"}',
    ]);
  });

  const choices: [ToolChoice, text: string, expected: string[]][] = [
    [{ type: 'none' }, 'call get_weather', []],
    [{ type: 'required' }, 'Hello', ['get_weather{"city":"city"}']],
    [{ type: 'required' }, 'call getTime', ['getTime{"zone":"zone"}']],
    [{ type: 'required-of', names: ['read_file'] }, 'call getTime', ['read_file{"path":"path"}']],
    [{ type: 'allowed', names: ['getTime'] }, 'call get_weather', []],
    [{ type: 'allowed', names: ['getTime'] }, 'call get_weather and getTime', ['getTime{"zone":"zone"}']],
  ];
  test.each(choices)('as tool_choice %j lets it: %s', async (toolChoice, text, expected) => {
    expect(await calls(text, { toolChoice })).toEqual(expected);
  });

  test('with arguments for the schema it has, also when it has none', async () => {
    expect(await calls('call ping', { tools: [{ ...tool('ping'), parameters: null }] })).toEqual(['ping{}']);
  });

  test('and its thinking says so', async () => {
    const events = await ask('call getTime', { reasoning: { effort: 'low', summary: 'auto' } });
    expect(events.map((event) => (event.type === 'reasoning-delta' ? event.delta : '')).join('')).toContain('asks for getTime');
    expect(events.findIndex(({ type }) => type === 'reasoning-state')).toBeLessThan(
      events.findIndex(({ type }) => type === 'call-start'),
    );
  });
});

describe('an agent loop', () => {
  /** Answers every call with `<name> is fine` until the model answers with text. */
  async function runAgent(
    text: string,
    change: Partial<ModelRequest> = {},
    model = 'default',
  ): Promise<{ turns: string[][]; answer: string }> {
    const input: InputItem[] = [...plainRequest('', text).input];
    const turns: string[][] = [];
    for (let turn = 0; turn < 6; turn++) {
      const events = await ask(text, { ...change, input }, model);
      const made = events.filter((event) => event.type === 'call-start');
      if (made.length === 0) return { turns, answer: textOf(events) };
      const texts = callsOf(events);
      turns.push(texts);
      made.forEach(({ callId, name }, index) => {
        const id = `${String(turn)}-${callId}`;
        input.push({ type: 'call', callId: id, name, arguments: (texts[index] ?? '').slice(name.length), path: 'input' });
        const content = [{ type: 'text' as const, text: `${name} is fine`, path: 'input' }];
        input.push({ type: 'call-output', callId: id, name, content, path: 'input' });
      });
    }
    return { turns, answer: '' };
  }

  test('ends with an answer that quotes the outputs', async () => {
    const { turns, answer } = await runAgent('Call get_weather and getTime for Rome');
    expect(turns).toEqual([['get_weather{"city":"Rome"}', 'getTime{"zone":"zone"}']]);
    expect(answer).toContain('get_weather returned: "get_weather is fine". getTime returned: "getTime is fine".');
  });

  test('goes step by step where that is asked for', async () => {
    const { turns, answer } = await runAgent('First call getTime for Oslo, then read_file');
    expect(turns).toEqual([['getTime{"zone":"Oslo"}'], ['read_file{"path":"path"}']]);
    expect(answer).toContain('read_file returned');
  });

  test('asks for the second city when parallel calls are off', async () => {
    const { turns } = await runAgent('Weather in Paris and London, both', { parallelToolCalls: false });
    expect(turns).toEqual([['get_weather{"city":"Paris"}'], ['get_weather{"city":"London"}']]);
  });

  test('of a model that always calls in pairs ends too', async () => {
    const { turns, answer } = await runAgent('Hello', { parallelToolCalls: false }, 'parallel');
    expect(turns.map(({ length }) => length)).toEqual([2]);
    expect(answer).toContain('returned');
  });

  test('goes on as long as tool_choice demands calls', async () => {
    const { turns } = await runAgent('call getTime', { toolChoice: { type: 'required' } });
    expect(turns).toHaveLength(6);
  });
});
