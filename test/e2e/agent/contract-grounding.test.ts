import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GeminiCall, GeminiChunk, ScriptedAnswer } from '../../doubles/gemini-model/gemini-model-options.ts';
import type { StreamAnswer } from '../../doubles/post-response.ts';
import { startAgentGateway, type AgentGateway } from '../../doubles/start-agent-gateway.ts';
import { ask, callsOf, hiddenForms, messagesOf } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const tools = [functionTool('get_weather')];
const said = 'Ånstad is cold: minus 4.';
const page = { url: 'https://weather.test/oslo', title: 'Weather' };
/** Google counts bytes: the first letter has two. */
const segment = { startIndex: 17, endIndex: 25, text: 'minus 4.' };
const grounding = {
  webSearchQueries: ['weather oslo'],
  groundingChunks: [{ web: { uri: page.url, title: page.title } }],
  groundingSupports: [{ segment, groundingChunkIndices: [0] }],
};
const usageMetadata = { promptTokenCount: 20, candidatesTokenCount: 9, totalTokenCount: 29 };

function toChunk(parts: readonly object[], more: object = {}): GeminiChunk {
  return { candidates: [{ content: { role: 'model', parts }, index: 0, ...more }], usageMetadata, modelVersion: 'gemini-3-pro' };
}

/** Sources come in the last chunk, behind the text and whatever is called. */
const scripts: Readonly<Record<string, readonly GeminiChunk[]>> = {
  text: [toChunk([{ text: said.slice(0, 7) }]), toChunk([{ text: said.slice(7) }])],
  call: [
    toChunk([{ text: said }]),
    toChunk([{ functionCall: { name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: 'c2ln' }]),
  ],
  own: [
    toChunk([{ text: said }]),
    toChunk([{ functionCall: { name: 'read_note', args: { name: 'a' } }, thoughtSignature: 'c2ln' }]),
  ],
};

function answer({ model, text, body }: GeminiCall): ScriptedAnswer | undefined {
  const [, name = ''] = /grounded:(\w+)/.exec(text) ?? [];
  const hasOutput = JSON.stringify(body['contents']).includes('"functionResponse"');
  const chunks = scripts[hasOutput ? 'text' : name];
  if (model !== 'gemini-3-pro' || chunks === undefined) return undefined;
  return { chunks: [...chunks, toChunk([], { finishReason: 'STOP', groundingMetadata: grounding })] };
}

/** What a client reads of an answer, without ids. */
function shownOf({ body }: StreamAnswer): unknown {
  return JSON.parse(
    JSON.stringify(body.output, (key, value: unknown) => (key === 'id' || key === 'call_id' ? undefined : value)),
  );
}

const annotations = [{ type: 'url_citation', ...page, start_index: 16, end_index: 24 }];

describe.each(['reverse', 'forward'] as const)('sources of an answer, through a %s tap', (mode) => {
  let bench: AgentGateway;
  beforeAll(async () => {
    bench = await startAgentGateway({ mode, agent: { notes: { a: 'x' } }, model: { answer, forbidden: hiddenForms } });
  });
  afterAll(() => bench.close());

  test.each(['text', 'call'])('are those that the model gave, as without an agent: %s', async (name) => {
    const request = { input: `Hello grounded:${name}`, tools, include: ['web_search_call.action.sources'] };
    const reference = shownOf(await ask(bench, { ...request, model: 'gemini/gemini-3-pro', stream: true }));
    expect(reference).toContainEqual(expect.objectContaining({ type: 'web_search_call' }));
    for (const stream of [true, false]) expect(shownOf(await ask(bench, { ...request, stream }))).toEqual(reference);
  });

  test('stand at the message of their own model call', async () => {
    for (const stream of [true, false]) {
      const { body } = await ask(bench, { input: 'Hello grounded:own', tools, stream });
      expect([messagesOf(body), callsOf(body)]).toEqual([[said, said], []]);
      const found = body.output.flatMap(({ content }) =>
        (content ?? []).map((part) => (part as { annotations?: unknown }).annotations),
      );
      expect(found).toEqual([annotations, annotations]);
    }
  });
});
