import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { createIssuedSignatures } from '../../doubles/gemini-model/issued-signatures.ts';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';
import type { PortableClient } from './client.ts';
import { checkTurn, Conversation } from './conversation.ts';
import { foreignHistories } from './foreign-history.ts';
import { createIssuedState } from './issued-state.ts';
import { portableYaml } from './portable-gateway.ts';
import { readView, type Protocol, type ViewEntry } from './read-view.ts';
import { checkBody, openStrictUpstream, type StrictUpstream } from './strict-upstream.ts';

const state = {
  gemini: createIssuedSignatures({ allowsSkipValues: true }),
  anthropic: createIssuedState('anthropic'),
  responses: createIssuedState('responses'),
  calls: 0,
};
const args = { a: 1 };
const signature = state.anthropic.issue('Hm.');
const sealed = state.responses.issue('Hm.');
const signed = state.gemini.issue({ name: 'f', args, id: undefined });

/** A call and its result, as each server wants it. */
const good: Readonly<Record<Protocol, JsonObject>> = {
  anthropic: {
    max_tokens: 2048,
    thinking: { type: 'enabled', budget_tokens: 1024 },
    tools: [{ name: 'f', description: 'tool 0', input_schema: { type: 'object' } }],
    messages: [
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature },
          { type: 'tool_use', id: 'id-1', name: 'f', input: args },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'id-1', content: 'Done' }] },
    ],
  },
  chat: {
    tools: [{ type: 'function', function: { name: 'f', description: 'tool 0' } }],
    messages: [
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'Hm.',
        tool_calls: [{ id: 'id-1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'id-1', content: 'Done' },
    ],
  },
  gemini: {
    tools: [{ functionDeclarations: [{ name: 'f', description: 'tool 0' }] }],
    contents: [
      { role: 'user', parts: [{ text: 'Go' }] },
      { role: 'model', parts: [{ functionCall: { name: 'f', args }, thoughtSignature: signed }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { result: 'Done' } } }] },
    ],
  },
  responses: {
    store: false,
    tools: [{ type: 'function', name: 'f', description: 'tool 0' }],
    input: [
      { type: 'message', role: 'user', content: 'Go' },
      { type: 'reasoning', summary: [], encrypted_content: sealed },
      { type: 'function_call', call_id: 'id-1', name: 'f', arguments: '{"a":1}' },
      { type: 'function_call_output', call_id: 'id-1', output: 'Done' },
    ],
  },
};
const view: readonly ViewEntry[] = [
  { kind: 'user', text: 'Go' },
  { kind: 'thought' },
  { kind: 'call', tool: 'tool 0', args },
  { kind: 'result', text: 'Done', isError: false },
];

/** A text that stands in the request, another one in its place, and what the server says then. */
const mistakes: readonly (readonly [Protocol, string, string, RegExp])[] = [
  ['anthropic', signature, sealed, /Invalid `signature`/],
  ['anthropic', '"thinking":"Hm."', '"thinking":"Hm"', /Invalid `signature`/],
  ['anthropic', '"id":"id-1"', '"id":"id.1"', /should match pattern/],
  ['anthropic', '"id":"id-1"', `"id":"${'x'.repeat(65)}"`, /should match pattern/],
  ['anthropic', '"tool_use_id":"id-1"', '"tool_use_id":"id-2"', /without `tool_result`/],
  ['anthropic', '{"type":"tool_result"', '{"type":"text","text":"x"},{"type":"tool_result"', /must come first/],
  ['anthropic', '"name":"f","input"', '"name":"f.g","input"', /not a tool name/],
  ['anthropic', '"role":"assistant"', '"role":"user"', /must alternate/],
  ['anthropic', `{"type":"thinking","thinking":"Hm.","signature":"${signature}"},`, '', /Expected `thinking`/],
  ['anthropic', '"content":"Go"', '"content":""', /must be non-empty/],
  ['anthropic', '"budget_tokens":1024', '"budget_tokens":2048', /budget_tokens/],
  ['chat', '"id":"id-1"', `"id":"${'x'.repeat(41)}"`, /maximum length 40/],
  ['chat', '"tool_call_id":"id-1"', '"tool_call_id":"id-2"', /must be a response/],
  ['chat', '{"role":"tool"', '{"role":"user","content":"x"},{"role":"tool"', /must be followed by tool messages/],
  ['chat', '"name":"f","arguments"', '"name":"f g","arguments"', /pattern/],
  ['chat', '"content":"Done"', '"content":[{"type":"image_url"}]', /only text/],
  ['gemini', signed, 'CoYHAXLI', /Corrupted thought signature/],
  ['gemini', `,"thoughtSignature":"${signed}"`, '', /missing a thought_signature/],
  ['gemini', '{"a":1}', '{"a":2}', /were changed/],
  ['gemini', '{"functionResponse"', '{"text":"x"},{"functionResponse"', /must come first/],
  ['responses', sealed, signature, /could not be verified/],
  [
    'responses',
    '"type":"function_call_output","call_id":"id-1"',
    '"type":"function_call_output","call_id":"id-2"',
    /No tool call found/,
  ],
  ['responses', '"call_id":"id-1","name"', `"call_id":"${'x'.repeat(65)}","name"`, /maximum length 64/],
  [
    'responses',
    '{"type":"function_call",',
    '{"type":"message","role":"user","content":"x"},{"type":"function_call",',
    /required following item/,
  ],
  ['responses', '"name":"f","arguments"', '"name":"f.g","arguments"', /pattern/],
];

describe('the strict servers', () => {
  test.each(Object.keys(good) as Protocol[])('take what is right, and it reads the same: %s', (protocol) => {
    expect(checkBody(protocol, good[protocol], state)).toEqual([]);
    expect(readView(protocol, good[protocol])).toEqual(view);
  });

  test.each(mistakes)('refuse a planted mistake: %s, %s', (protocol, text, other, fault) => {
    const json = JSON.stringify(good[protocol]);
    expect(json).toContain(text);
    const planted = JSON.parse(json.replace(text, other)) as JsonObject;
    expect(checkBody(protocol, planted, state).join('\n')).toMatch(fault);
  });
});

describe('the judge of a turn', () => {
  const told = [{ path: 'input[1]', action: 'dropped', reason: 'the reasoning was made elsewhere' }];
  const without = (kind: ViewEntry['kind']): ViewEntry[] => view.filter((entry) => entry.kind !== kind);
  const failed: ViewEntry[] = [...without('result'), { kind: 'result', text: 'Done', isError: true }];

  test.each<[string, readonly ViewEntry[], readonly ViewEntry[], RegExp]>([
    ['thinking', without('thought'), view, /thinking is gone/],
    ['a call', without('call'), view, /calls are/],
    ['a result', without('result'), view, /result text is gone/],
    ['a mark of failure', view, failed, /is_error is gone/],
    ['words', without('user'), view, /user text is gone/],
    ['the order', [...without('user'), { kind: 'user', text: 'Go' }], view, /in another place/],
    ['an image', view, [...view, { kind: 'image', data: 'iVBO' }], /image is gone/],
  ])('sees that %s is missing', (_what, seen, expected, fault) => {
    expect(checkTurn({ losses: [] }, { view: seen, faults: [] }, expected).join('\n')).toMatch(fault);
  });

  test('is content with what is whole, and with what was told', () => {
    expect(checkTurn({ losses: [] }, { view, faults: [] }, view)).toEqual([]);
    expect(checkTurn({ losses: told }, { view: without('thought'), faults: [] }, view)).toEqual([]);
  });
});

describe('a whole conversation', () => {
  let upstream: StrictUpstream;
  let gateway: StartedGateway;
  beforeAll(async () => {
    upstream = await openStrictUpstream();
    gateway = await startGateway(portableYaml(upstream.url));
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  async function play(change: (client: PortableClient) => PortableClient): Promise<readonly string[]> {
    const history = foreignHistories['messages']?.({ url: gateway.url }, 'somebody else signed this');
    if (history === undefined) throw new Error('no such dialect');
    const conversation = new Conversation(change(history.client), upstream, history.expected);
    await conversation.answer(
      'gemini/gemini-3-pro',
      history.calls.map((call) => ({ call, text: 'Done' })),
    );
    return conversation.faults;
  }

  test('is judged: a loss that is kept back, words that are not sent, and losses in the words of the hub', async () => {
    expect(await play((client) => client)).toEqual([]);
    const silent = await play((client) => ({
      ...client,
      answer: async (...asked) => ({ ...(await client.answer(...asked)), losses: [] }),
    }));
    expect(silent.join('\n')).toContain('thinking is gone without a loss');
    const changed = await play((client) => ({
      ...client,
      answer: (model, results) =>
        client.answer(
          model,
          results.map((result) => ({ ...result, text: 'Other' })),
        ),
    }));
    expect(changed.join('\n')).toContain('result text is gone');
    const foreign = await play((client) => ({
      ...client,
      answer: async (...asked) => {
        const turn = await client.answer(...asked);
        return { ...turn, losses: turn.losses.map((loss) => ({ ...loss, path: 'input[1]' })) };
      },
    }));
    expect(foreign.join('\n')).toContain("somebody else's words");
  });
});
