import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { InputItem, ModelRequest } from '../../model/model-request.ts';
import { toCascadeLosses } from './to-cascade-losses.ts';

const user = (text: string, path = 'input[2]'): InputItem => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'text', text, path }],
  path,
});
const assistant: InputItem = {
  type: 'message',
  role: 'assistant',
  content: [{ type: 'text', text: 'Hello', path: 'x' }],
  path: 'input[1]',
};
const linked: InputItem = {
  type: 'message',
  role: 'user',
  content: [
    { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' }, detail: null, path: 'input[0].content[0]' },
  ],
  path: 'input[0]',
};
const tool = { name: 'get_weather', description: 'x', parameters: null, strict: false, path: 'tools[0]' };

function lossesOf(change: Partial<ModelRequest>, place: { isFresh?: boolean; hasTap?: boolean } = {}): readonly string[] {
  const losses = toCascadeLosses({ ...plainRequest('one', 'Hi'), ...change }, { isFresh: true, hasTap: false, ...place });
  return losses.map(({ path, action }) => `${path} ${action}`);
}

test('a plain turn loses nothing, with or without a tap', () => {
  expect(lossesOf({})).toEqual([]);
  expect(lossesOf({}, { hasTap: true })).toEqual([]);
  expect(lossesOf({ maxOutputTokens: 100, toolChoice: { type: 'none' } })).toEqual([]);
});

describe('history', () => {
  const input = [user('Hi', 'previous_response_id'), assistant, user('Bye')];

  test('that must be told again is one loss at its first item, with a tap too', () => {
    expect(lossesOf({ input })).toEqual(['previous_response_id emulated']);
    expect(lossesOf({ input }, { hasTap: true })).toEqual(['previous_response_id emulated']);
  });

  test('that the cascade knows is none', () => {
    const session = { owner: 'o', responseId: 'b', previousResponseId: 'a', conversation: null, inheritedItems: 2 };
    expect(lossesOf({ input, session }, { isFresh: false })).toEqual([]);
    expect(lossesOf({ input, session }, { isFresh: false, hasTap: true })).toEqual([]);
  });
});

describe('without a tap', () => {
  test('tools, outputs, system text and settings are honest losses at their path', () => {
    const hosted = { type: 'web_search', settings: { type: 'web_search' }, path: 'tools[1]' };
    expect(
      lossesOf({
        ...{
          tools: [tool],
          hostedTools: [hosted],
          toolChoice: { type: 'required' },
          instructions: 'Be brief',
          temperature: 1,
          topP: 0.5,
        },
        ...{
          presencePenalty: 1,
          frequencyPenalty: 1,
          topLogprobs: 2,
          format: { type: 'json-object' },
          verbosity: 'low',
          serviceTier: 'flex',
        },
        reasoning: { effort: 'low', summary: 'auto' },
        ...{ topK: 1, stop: ['END'], seed: 7 },
      }),
    ).toEqual([
      ...[
        'tools[0] dropped',
        'tool_choice dropped',
        'tools[1].type dropped',
        'instructions emulated',
        'temperature dropped',
        'top_p dropped',
      ],
      ...['top_k dropped', 'stop dropped', 'seed dropped'],
      ...[
        'presence_penalty dropped',
        'frequency_penalty dropped',
        'top_logprobs dropped',
        'text.format dropped',
        'text.verbosity dropped',
      ],
      ...['reasoning.effort dropped', 'service_tier dropped'],
    ]);
    expect(
      toCascadeLosses({ ...plainRequest('one', 'Hi'), tools: [tool] }, { isFresh: true, hasTap: false })[0]?.reason,
    ).toContain('tap');
  });

  test('tokens to think for are one loss, also with the effort beside them', () => {
    expect(lossesOf({ thinkingBudget: 2048, reasoning: { effort: 'low', summary: null } })).toEqual(['thinking_budget dropped']);
  });

  test('outputs told as text are emulated', () => {
    const call: InputItem = { type: 'call', callId: 'c', name: 'x', arguments: '{}', path: 'input[1]' };
    const output: InputItem = { type: 'call-output', callId: 'c', name: 'x', content: [], path: 'input[2]' };
    expect(lossesOf({ input: [user('Hi', 'input[0]'), call, output] })).toEqual(['input[0] emulated', 'input[2] emulated']);
  });
});

describe('with a tap', () => {
  test('what the model API can say is no loss; what it cannot is the same as with Gemini', () => {
    expect(
      lossesOf({ tools: [tool], toolChoice: { type: 'required' }, instructions: 'Be brief', temperature: 1 }, { hasTap: true }),
    ).toEqual([]);
    expect(
      lossesOf({ verbosity: 'low', hostedTools: [{ type: 'made_up', settings: {}, path: 'tools[0]' }] }, { hasTap: true }),
    ).toEqual([...['tools[0].type dropped', 'text.verbosity dropped']]);
    expect(lossesOf({ topK: 1, stop: ['END'], seed: 7 }, { hasTap: true })).toEqual([]);
    expect(lossesOf({ stop: ['1', '2', '3', '4', '5', '6'] }, { hasTap: true })).toEqual(['stop approximated']);
  });

  test('signatures made by the real model under another name are none', () => {
    const state = {
      format: 'gemini',
      model: 'gemini-3-flash',
      data: { textLength: 0, entries: [{ on: 'call', callId: 'c', signature: 's' }] },
    };
    const input: readonly InputItem[] = [
      user('Hi', 'previous_response_id'),
      { type: 'reasoning', text: '', state, path: 'previous_response_id' },
      { type: 'call', callId: 'c', name: 'get_weather', arguments: '{}', path: 'previous_response_id' },
      {
        type: 'call-output',
        callId: 'c',
        name: 'get_weather',
        content: [{ type: 'text', text: 'sunny', path: 'x' }],
        path: 'input[0]',
      },
    ];
    const session = { owner: 'o', responseId: 'b', previousResponseId: 'a', conversation: null, inheritedItems: 3 };
    expect(lossesOf({ input, session, tools: [tool] }, { isFresh: false, hasTap: true })).toEqual([]);
  });
});

test('a URL in the message of the user is never fetched', () => {
  expect(lossesOf({ input: [linked, user('What is it?')] })).toEqual(['input[0].content[0] dropped']);
  expect(lossesOf({ input: [linked, user('What is it?')] }, { hasTap: true })).toEqual(['input[0].content[0] dropped']);
});

test('a signature on a text that the cascade knows is none either', () => {
  const state = {
    format: 'gemini',
    model: 'other',
    data: { textLength: 5, entries: [{ on: 'text', start: 5, length: 0, signature: 's' }] },
  };
  const reasoning: InputItem = { type: 'reasoning', text: '', state, path: 'previous_response_id' };
  const session = { owner: 'o', responseId: 'b', previousResponseId: 'a', conversation: null, inheritedItems: 3 };
  expect(lossesOf({ input: [user('Hi'), assistant, reasoning, user('Bye')], session }, { isFresh: false, hasTap: true })).toEqual(
    [],
  );
});
