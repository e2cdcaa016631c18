import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import { toInputItems } from '../../engine/to-input-items.ts';
import { toModelRequest } from '../../engine/to-model-request.ts';
import { createReasoningEnvelope } from '../../engine/reasoning-envelope.ts';
import type { CallInput, ContentPart, FunctionTool, InputItem, ModelRequest } from '../../model/model-request.ts';
import { createChatProfile } from './chat-profile.ts';
import { fromChatRequest } from './from-chat-request.ts';
import { toChatRequest } from './to-chat-request.ts';

const profile = createChatProfile({ baseUrl: 'https://api.openai.com/v1' });
const envelope = createReasoningEnvelope({ keys: [new Uint8Array(32)], randomBytes: (size) => new Uint8Array(size) });

/** Chat body → what a backend gets of it. */
function toModel(body: unknown): ModelRequest {
  // The wish to see thoughts is the door's own, and no word of chat.
  const request = { ...fromChatRequest(body).request, wishes_summary: false };
  const own = request.input.map((item, at) => ({ item, path: `input[${String(at)}]` }));
  const history = toInputItems({ inherited: [], own }, { owner: 'me', strict: false }, envelope);
  return toModelRequest(request, { model: request.model ?? '', input: history.items, session: null }).value;
}

function toBody(request: ModelRequest, server = profile): unknown {
  return JSON.parse(JSON.stringify(toChatRequest(request, server).value));
}

/** Paths say where a client wrote something: another place in every dialect. */
function withoutPaths(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, member: unknown) => (key === 'path' ? undefined : member)));
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 });
const toText = (said: string): ContentPart => ({ type: 'text', text: said, path: '' });
const image: fc.Arbitrary<ContentPart> = fc.record({
  type: fc.constant('image' as const),
  source: fc.constantFrom(
    { type: 'url' as const, url: 'https://example.org/a.png' },
    { type: 'data' as const, mediaType: 'image/png', base64: 'aGVsbG8=' },
  ),
  detail: fc.constantFrom(null, 'low', 'high', 'auto'),
  path: fc.constant(''),
});
const file: ContentPart = {
  type: 'file',
  source: { type: 'data', mediaType: 'application/pdf', base64: 'aGVsbG8=' },
  filename: 'a.pdf',
  path: '',
};
/** Texts that stand side by side become one, so text is alone or beside media. */
const userContent = fc.oneof(
  text.map((said) => [toText(said)]),
  fc.tuple(text, image).map(([said, shown]) => [toText(said), shown]),
  fc.tuple(image, text).map(([shown, said]) => [shown, toText(said), file]),
);

const args = fc.dictionary(text, fc.string(), { maxKeys: 2 }).map((value) => JSON.stringify(value));
const names = ['search', 'get_weather'] as const;

/** What a model said between two messages of others: a text or a refusal, calls, and their outputs in the order of the calls. */
const turn = fc
  .record({
    said: fc.option(fc.tuple(fc.constantFrom('text' as const, 'refusal' as const), text), { nil: null }),
    calls: fc.array(fc.record({ name: fc.constantFrom(...names), arguments: args, output: text }), { maxLength: 3 }),
  })
  .filter(({ said, calls }) => said !== null || calls.length > 0);
const others = fc.oneof(
  userContent.map((content): InputItem => ({ type: 'message', role: 'user', content, path: '' })),
  fc
    .tuple(fc.constantFrom('system' as const, 'developer' as const), text)
    .map(([role, said]): InputItem => ({ type: 'message', role, content: [toText(said)], path: '' })),
);
const input = fc.array(fc.tuple(others, fc.option(turn, { nil: null })), { minLength: 1, maxLength: 4 }).map((rounds) =>
  rounds.flatMap(([other, made], round): InputItem[] => {
    const calls = (made?.calls ?? []).map((call, at) => ({ ...call, callId: `call_${String(round)}_${String(at)}` }));
    const said: InputItem[] =
      made?.said == null
        ? []
        : [{ type: 'message', role: 'assistant', content: [{ type: made.said[0], text: made.said[1], path: '' }], path: '' }];
    return [
      other,
      ...said,
      ...calls.map(({ callId, name, arguments: json }): CallInput => ({ type: 'call', callId, name, arguments: json, path: '' })),
      ...calls.map(({ callId, name, output }): InputItem => {
        return { type: 'call-output', callId, name, content: [toText(output)], path: '' };
      }),
    ];
  }),
);

const schema = { type: 'object', properties: { a: { type: 'string' } } };
const tools: FunctionTool[] = names.map((name, at) => ({
  ...{ name, description: at === 0 ? 'Finds' : null, parameters: schema, strict: at === 0, path: '' },
}));
const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

/** Everything that chat and the hub can both say. */
const sayable: fc.Arbitrary<ModelRequest> = fc
  .record({
    input,
    hasTools: fc.boolean(),
    toolChoice: fc.constantFrom<ModelRequest['toolChoice'][]>(
      { type: 'none' },
      { type: 'auto' },
      { type: 'required' },
      { type: 'required-of', names: ['search'] },
    ),
    parallelToolCalls: fc.boolean(),
    format: fc.constantFrom<ModelRequest['format'][]>(
      { type: 'text' },
      { type: 'json-object' },
      { type: 'json-schema', name: 'answer', description: null, schema, strict: true },
      { type: 'json-schema', name: 'answer', description: 'What for', schema, strict: false },
    ),
    verbosity: nullable(fc.constantFrom('low', 'medium', 'high')),
    effort: nullable(fc.constantFrom('none', 'minimal', 'low', 'xhigh')),
    maxOutputTokens: nullable(fc.integer({ min: 1, max: 9999 })),
    numbers: fc.tuple(
      nullable(fc.constantFrom(0, 0.5, 2)),
      nullable(fc.constantFrom(0.1, 1)),
      nullable(fc.constantFrom(-2, 1.5)),
    ),
    topLogprobs: nullable(fc.integer({ min: 0, max: 20 })),
    stop: fc.array(text, { maxLength: 4 }),
    seed: nullable(fc.maxSafeInteger()),
    words: fc.tuple(nullable(fc.constantFrom('auto', 'flex')), nullable(text), nullable(text)),
    stream: fc.boolean(),
  })
  .map(({ hasTools, toolChoice, parallelToolCalls, effort, numbers, words, ...others }) => {
    const isNamed = toolChoice.type === 'required-of';
    return {
      ...{
        model: 'gpt-x',
        instructions: null,
        hostedTools: [],
        thinkingBudget: null,
        topK: null,
        session: null,
      },
      ...others,
      tools: hasTools ? tools.slice(0, isNamed ? 1 : 2) : [],
      // Without tools there is nothing to say about them.
      toolChoice: hasTools ? toolChoice : { type: 'auto' },
      parallelToolCalls: hasTools ? parallelToolCalls : true,
      reasoning: { effort, summary: null },
      ...{ temperature: numbers[0], topP: numbers[1], presencePenalty: numbers[2], frequencyPenalty: numbers[2] },
      ...{ serviceTier: words[0], promptCacheKey: words[1], safetyIdentifier: words[2] },
    };
  });

describe('the square of requests', () => {
  test('what chat can say comes back from its own body unchanged', () => {
    fc.assert(
      fc.property(sayable, (request) => {
        expect(withoutPaths(toModel(toBody(request)))).toEqual(withoutPaths(request));
      }),
      { numRuns: 300 },
    );
  });

  test('top_k too, where a server takes it', () => {
    const vllm = createChatProfile({ baseUrl: 'http://127.0.0.1:8000/v1' });
    fc.assert(
      fc.property(fc.nat(), fc.maxSafeInteger(), fc.array(text), (topK, seed, stop) => {
        const request = plainRequest('m', 'Hi', { topK, seed, stop: stop.slice(0, 4) });
        expect(withoutPaths(toModel(toBody(request, vllm)))).toEqual(withoutPaths(request));
      }),
    );
  });
});
