import { describe, expect, test } from 'vitest';
import { startAgentServer } from '../../doubles/agent-server/start-agent-server.ts';
import type { AgentQuirks } from '../../doubles/agent-server/quirks.ts';
import { startGeminiModel } from '../../doubles/gemini-model/start-gemini-model.ts';
import { startAgentGateway } from '../../doubles/start-agent-gateway.ts';
import { startGateway } from '../../doubles/start-gateway.ts';
import { ask, callsOf, messagesOf } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const text = 'One two three four five six seven eight nine ten 😀 eleven.';
const request = { input: `[[think Let me count]] [[say ${text}]]` };

/** What builds show of the same answer. None of them may change a word of it, or say one twice. */
const variants: readonly Partial<AgentQuirks>[] = [
  { stateStream: 'unimplemented', reactiveStream: 'works' },
  { stateStream: 'unimplemented', reactiveStream: 'disabled' },
  { stateStream: 'unimplemented', reactiveStream: 'deprecated' },
  { stateStream: 'unimplemented', reactiveStream: 'unimplemented' },
  { stateStream: 'unimplemented', reactiveStream: 'silent' },
  { stateStream: 'missing' },
  { stateStream: 'silent' },
  { stateStream: 'eof' },
  { stateStream: 'fails' },
  { firstFrame: false },
  { sparseUpdates: false },
  { splitFrames: true },
  { pageSize: 1 },
  { enums: 'bare' },
  { enums: 'numbers' },
  { omitZeros: false },
  { nullSteps: true },
  { growsResponse: true },
  { textShrinks: true },
  { stepsShrink: true },
  { slowStartMs: 300 },
  { template: 'bare', titleCall: false, checkpoint: false },
];

describe('the way a build shows its steps changes nothing', () => {
  test.each(variants)('without a tap, streamed, synced and after another turn: %j', async (quirks) => {
    const bench = await startAgentGateway({ mode: 'none', agent: { quirks }, model: { pauseMs: 15 } });
    const first = await ask(bench, { ...request, stream: true });
    const next = await ask(bench, { ...request, previous_response_id: first.body.id });
    for (const { body } of [first, next]) {
      expect([body.status, messagesOf(body)]).toEqual(['completed', [text]]);
      expect(body.output.some(({ summary }) => summary?.[0]?.text === 'Let me count')).toBe(true);
      expect(body.usage?.output_tokens_details.reasoning_tokens).toBe(3);
    }
    await bench.close();
  });

  test.each(variants)('with a tap: %j', async (quirks) => {
    const bench = await startAgentGateway({ agent: { quirks } });
    const tools = [functionTool('get_weather')];
    const { body } = await ask(bench, { input: `${request.input} [[call get_weather {}]]`, tools, stream: true });
    expect([body.status, messagesOf(body), callsOf(body)]).toEqual(['completed', [text], ['get_weather {}']]);
    expect(bench.model.violations).toEqual([]);
    await bench.close();
  });

  test('text that was rewritten at the end: a client has the last one whole, and with a tap only what the model said', async () => {
    const bench = await startAgentGateway({ mode: 'none', agent: { quirks: { rewriteAtDone: true } }, model: { pauseMs: 30 } });
    const streamed = messagesOf((await ask(bench, { ...request, stream: true })).body);
    expect(streamed.at(-1)).toBe(`Edited: ${text}`);
    expect(text.startsWith(streamed.slice(0, -1).join(''))).toBe(true);
    expect(messagesOf((await ask(bench, request)).body)).toEqual([`Edited: ${text}`]);
    await bench.close();
    const tapped = await startAgentGateway({ agent: { quirks: { rewriteAtDone: true } }, model: { pauseMs: 10 } });
    expect(messagesOf((await ask(tapped, { ...request, stream: true })).body)).toEqual([text]);
    await tapped.close();
  });

  test('without a tap the usage comes from the trajectory, and the checkpoint of another model does not count', async () => {
    const bench = await startAgentGateway({ mode: 'none' });
    const { body } = await ask(bench, request);
    const main = bench.agent.modelCalls.find(({ purpose }) => purpose === 'main');
    const { promptTokenCount } = main?.chunks.at(-1)?.['usageMetadata'] as Record<string, number>;
    expect(body.usage?.input_tokens).toBe(promptTokenCount);
    await bench.close();
  });

  test('without a tap client tools are no tools: reported, or refused where one is demanded', async () => {
    const bench = await startAgentGateway({ mode: 'none' });
    const tools = [functionTool('get_weather')];
    const answer = await ask(bench, { input: '[[say Hi]]', tools });
    expect(answer.headers.get('antiphon-losses')).toContain('tools');
    expect(callsOf(answer.body)).toEqual([]);
    await bench.close();
  });
});

describe('an agent server with a certificate of its own', () => {
  test.each([
    { h2: false, trusted: true },
    { h2: true, trusted: true },
    { h2: true, trusted: false },
  ])('%j', async ({ h2, trusted }) => {
    const model = await startGeminiModel();
    const agent = await startAgentServer({ tls: 'self-signed', h2, modelUrl: model.url, csrf: 'csrf-0123' });
    const ca = trusted ? `, ca_file: "${agent.caFile ?? ''}"` : '';
    const gateway = await startGateway(
      `backends: { agent: { type: cascade, base_url: "${agent.url}", csrf_token: "csrf-0123"${ca} } }\nstore: { url: "memory:" }`,
    );
    for (const stream of [true, false]) {
      const answer = await ask(gateway, { ...request, stream });
      expect(answer.status).toBe(trusted ? 200 : 502);
      if (trusted) expect(messagesOf(answer.body)).toEqual([text]);
    }
    expect(agent.requests.length > 0).toBe(trusted);
    await gateway.close();
    await agent.close();
    await model.close();
  });
});
