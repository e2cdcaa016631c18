import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAgentGateway, type AgentGateway } from '../../test/doubles/start-agent-gateway.ts';
import { ask, mainCallsOf, messagesOf } from '../../test/e2e/agent/ask-agent.ts';

let bench: AgentGateway;
beforeAll(async () => {
  bench = await startAgentGateway({ model: { allowsSkipSignatures: true } });
});
afterAll(() => bench.close());

const tools = [{ type: 'function', name: 'get_weather', parameters: { type: 'object', properties: {} }, strict: false }];

/** A conversation that some other server had, as a client sends it whole: no reasoning items, no signatures. */
const elsewhere = [
  { type: 'message', role: 'user', content: 'Weather in Oslo?' },
  { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Let me look.', annotations: [] }] },
  { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' },
  { type: 'function_call', call_id: 'call_2', name: 'get_weather', arguments: '{"city":"Rome"}' },
  { type: 'function_call_output', call_id: 'call_2', output: 'warm' },
  { type: 'function_call_output', call_id: 'call_1', output: 'cold' },
];

test.each([
  ['outputs alone', []],
  ['outputs with a text', [{ type: 'message', role: 'user', content: 'And tomorrow? [[say who knows]]' }]],
])('a history from elsewhere that ends in %s is one that a strict model takes', async (_, more) => {
  const from = bench.model.calls.length;
  const answer = await ask(bench, { input: [...elsewhere, ...more], tools, store: false });
  expect(answer.body).toMatchObject({ status: 'completed' });
  expect(messagesOf(answer.body).join('')).not.toBe('');
  expect(bench.model.violations).toEqual([]);
  expect(mainCallsOf(bench, from)).toHaveLength(1);
  const sent = mainCallsOf(bench, from)[0]?.text ?? '';
  expect(sent.match(/skip_thought_signature_validator/g)).toHaveLength(1);
});
