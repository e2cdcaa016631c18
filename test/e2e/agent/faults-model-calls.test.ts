import { afterAll, describe, expect, test } from 'vitest';
import type { GeminiCall, GeminiChunk, ScriptedAnswer } from '../../doubles/gemini-model/gemini-model-options.ts';
import { objectOf } from '../../doubles/gemini-model/gemini-words.ts';
import type { StreamAnswer } from '../../doubles/post-response.ts';
import { startAgentGateway, type AgentGateway } from '../../doubles/start-agent-gateway.ts';
import { ask, callsOf, errorCodeOf, hiddenForms, mainCallsOf, messagesOf } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const tools = [functionTool('get_weather')];
const said = 'A text before the trouble. ';
const closing: (() => Promise<void>)[] = [];
const seen = { bad: 0, tried: 0 };
afterAll(async () => {
  for (const close of closing) await close();
  console.log(`a model API that fails behind the tap: ${String(seen.bad)} bad / ${String(seen.tried)} tried`);
});

/** How main calls are answered: by the end of the user's text, `… fault:NAME`. */
const answers: Readonly<Record<string, () => ScriptedAnswer>> = {
  '400': () => ({ status: 400 }),
  '401': () => ({ status: 401 }),
  '403': () => ({ status: 403 }),
  '404': () => ({ status: 404 }),
  '429': () => ({ status: 429, headers: { 'retry-after': '7' }, body: '{"error":{"code":429,"message":"slowly"}}' }),
  '500': () => ({ status: 500 }),
  '503': () => ({ status: 503 }),
  html: () => ({ status: 502, body: '<html>Bad gateway</html>', headers: { 'content-type': 'text/html' } }),
  'html-200': () => ({ body: '<html>Welcome</html>', headers: { 'content-type': 'text/html' } }),
  'empty-body': () => ({ body: '', headers: { 'content-type': 'text/event-stream' } }),
  'no-json': () => ({ body: 'data: {"candidates":\r\n\r\n', headers: { 'content-type': 'text/event-stream' } }),
  'error-first': () => ({ chunks: [errorChunk] }),
  'error-after-text': () => ({ chunks: [textChunk, errorChunk] }),
  'error-after-call': () => ({ chunks: [textChunk, callChunk, errorChunk] }),
  'no-finish': () => ({ chunks: [textChunk] }),
  'call-no-finish': () => ({ chunks: [callChunk] }),
  'malformed-call': () => ({ chunks: [textChunk, toChunk([], { finishReason: 'MALFORMED_FUNCTION_CALL' })] }),
  'cut-before': () => ({ chunks: [], cutAfterBytes: 0 }),
  'cut-in-text': () => ({ chunks: [textChunk, textChunk], cutAfterBytes: 150 }),
};

function toChunk(parts: readonly object[], more: object = {}): GeminiChunk {
  return { candidates: [{ content: { role: 'model', parts }, index: 0, ...more }], modelVersion: 'gemini-3-pro' };
}
const textChunk = toChunk([{ text: said }]);
const callChunk = toChunk([{ functionCall: { name: 'get_weather', args: { city: 'Oslo' } } }]);
const errorChunk: GeminiChunk = { error: { code: 500, message: 'inside', status: 'INTERNAL' } };

function answer({ verb, text }: GeminiCall): ScriptedAnswer | undefined {
  const [, name = ''] = /fault:([\w-]+)/.exec(text) ?? [];
  return verb === 'streamGenerateContent' ? answers[name]?.() : undefined;
}

/** Never completed, nothing that did not arrive, and nothing twice. */
function judge({ status, body }: StreamAnswer): string[] {
  const wrong: string[] = [];
  if (status === 401 || status === 403) wrong.push(`status ${String(status)} is for the client's own key`);
  if (status !== 200) return status >= 400 ? wrong : [`status ${String(status)}`];
  if (body.status !== 'failed') wrong.push(`${body.status}: ${JSON.stringify(body.output)}`);
  if (!said.startsWith(messagesOf(body).join(''))) wrong.push(`text ${JSON.stringify(messagesOf(body))}`);
  return wrong;
}

describe.each(['reverse', 'forward'] as const)('the model API behind a %s tap (U43, U41)', (mode) => {
  test.each([
    ['an agent that gives up', false],
    ['an agent that asks again after a cut', true],
  ] as const)(
    'whatever it does, the response is failed: %s',
    async (_name, retriesCut) => {
      const bench = await open({ mode, retriesCut });
      const asked = Object.keys(answers).flatMap((name) =>
        [true, false].map(async (stream): Promise<string[]> => {
          const input = `Please. fault:${name}`;
          const found = judge(await ask(bench, { input, tools, stream }));
          seen.tried += 1;
          if (found.length > 0) seen.bad += 1;
          return found.map((word) => `${name}, stream ${String(stream)}: ${word}`);
        }),
      );
      expect((await Promise.all(asked)).flat()).toEqual([]);
      // Where text or a call was shown, nobody asked the model again behind the client's back.
      for (const name of ['error-after-text', 'error-after-call', 'cut-in-text', 'call-no-finish'])
        expect([
          name,
          mainCallsOf(bench).filter(({ text }) => text.includes(`fault:${name}"`) || text.includes(`fault:${name}\\n`)).length,
        ]).toEqual([name, 2]);
      const next = await ask(bench, { input: '[[say Fine again.]]', tools, stream: true });
      expect(messagesOf(next.body)).toEqual(['Fine again.']);
    },
    120_000,
  );

  test('refused connections are a failure with a name, and the next turn works as soon as it listens', async () => {
    const bench = await open({ mode });
    const comeBack = await bench.model.leave();
    for (const stream of [true, false]) {
      const refused = await ask(bench, { input: '[[say Hello]]', tools, stream });
      expect(judge(refused)).toEqual([]);
      expect(['upstream_unreachable', 'upstream_error', 'upstream_overloaded']).toContain(errorCodeOf(refused));
    }
    expect(bench.model.calls).toEqual([]);
    await comeBack();
    for (const stream of [true, false])
      expect(messagesOf((await ask(bench, { input: '[[say Hello again.]]', tools, stream })).body)).toEqual(['Hello again.']);
  });

  test('a 429 that stays is a 429 with its Retry-After; the agent tried it as often as it likes, injected each time', async () => {
    const bench = await open({ mode });
    const limited = await ask(bench, { input: 'fault:429', tools });
    expect([limited.status, errorCodeOf(limited), limited.headers.get('retry-after')]).toEqual([429, 'rate_limit_exceeded', '7']);
    expect(declaredIn(mainCallsOf(bench))).toEqual(Array.from({ length: 4 }, () => 1));
  });

  test.each([
    [429, 2],
    [503, 1],
    [429, 3],
  ])('a model call that is repeated after %d (%d times) is injected again, once, and counted once', async (status, times) => {
    const bench = await open({ mode });
    const input = `[[status ${String(status)} ${String(times)}]] [[say Once.]] [[call get_weather {"city":"Oslo"}]]`;
    for (const stream of [true, false]) {
      const from = bench.model.calls.length;
      const { body } = await ask(bench, { input: `${input} ${String(stream)}`, tools, stream });
      expect([body.status, messagesOf(body), callsOf(body)]).toEqual(['completed', ['Once.'], ['get_weather {"city":"Oslo"}']]);
      const calls = mainCallsOf(bench, from);
      expect(declaredIn(calls)).toEqual(Array.from({ length: times + 1 }, () => 1));
      expect(new Set(calls.map(({ text }) => text)).size).toBe(1);
      const counts = objectOf(calls.at(-1)?.chunks.at(-1)?.['usageMetadata']);
      expect(body.usage?.input_tokens).toBe(counts['promptTokenCount']);
    }
  });
});

async function open({
  mode,
  retriesCut = false,
}: {
  readonly mode: 'reverse' | 'forward';
  readonly retriesCut?: boolean;
}): Promise<AgentGateway> {
  const bench = await startAgentGateway({ mode, model: { answer, forbidden: hiddenForms }, agent: { quirks: { retriesCut } } });
  closing.push(() => bench.close());
  return bench;
}

/** How often each call declares the client's tool. */
function declaredIn(calls: readonly GeminiCall[]): number[] {
  return calls.map(({ body }) => JSON.stringify(body['tools']).split('"get_weather"').length - 1);
}
