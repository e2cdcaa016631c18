import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkGeminiStream } from '../../../test/check-gemini-stream.ts';
import { counterId } from '../../../test/counter-id.ts';
import { anyTurn } from '../../../test/doubles/model-events.ts';
import { newTestResponse } from '../../../test/doubles/new-test-response.ts';
import { addUpGemini } from '../../../test/read-gemini-stream.ts';
import type { BuilderInput } from '../../engine/model-event-log.ts';
import { ResponseBuilder } from '../../engine/response-builder.ts';
import { GatewayError } from '../../model/errors.ts';
import type { GeminiAnswer } from '../../protocol/gemini/answer.ts';
import type { InputItemParam, OutputItem } from '../../protocol/responses/items.ts';
import { createToolNames } from '../tool-names.ts';
import { fromGeminiChunks } from './from-gemini-chunks.ts';
import { fromGeminiCount } from './from-gemini-request.ts';
import { createGeminiChunks } from './to-gemini-chunks.ts';
import { toGeminiAnswer } from './to-gemini-answer.ts';
import { geminiToolNameRule } from './to-gemini-tools.ts';

interface Played {
  readonly builder: ResponseBuilder;
  readonly chunks: readonly unknown[];
}

function play(turn: readonly (readonly BuilderInput[])[]): Played {
  let seals = 0;
  const builder = new ResponseBuilder(newTestResponse(), {
    newId: counterId(),
    completedAt: () => 200,
    seal: () => `sealed.${String(++seals)}`,
  });
  const stage = createGeminiChunks({ showsThoughts: true }, builder);
  const batches = [builder.begin(), ...turn.map((batch) => builder.push(batch)), builder.end()];
  // Over the wire and back.
  const chunks = JSON.parse(JSON.stringify(batches.flatMap((batch) => stage.push(batch)))) as unknown[];
  return { builder, chunks };
}

const left: ReadonlySet<string> = new Set(['failure', 'finish', 'annotation', 'usage', 'call-start', 'call-delta', 'call-end']);

function withoutLineBreaks(event: BuilderInput): BuilderInput {
  return 'delta' in event ? { ...event, delta: event.delta.replaceAll('\n', 'x') } : event;
}

/** Turns that end well, with usage, and without the blank lines that keep items apart in this dialect. */
const goodTurn = anyTurn.map((turn): BuilderInput[][] => {
  const usage = { inputTokens: 9, cachedTokens: 2, outputTokens: 7, reasoningTokens: 3, totalTokens: 16 };
  const kept = turn.map((batch) => batch.filter(({ type }) => !left.has(type)).map(withoutLineBreaks));
  return [
    ...kept,
    [
      { type: 'usage', usage },
      { type: 'finish', reason: 'stop' },
    ],
  ];
});

const call = fc
  .tuple(fc.nat(), fc.constantFrom('get_weather', 'search'), fc.constantFrom('{}', '{"city":"Oslo"}'))
  .map(([id, name, json]): BuilderInput[] => [
    { type: 'call-start', callId: `call_${String(id)}`, name },
    { type: 'call-delta', callId: `call_${String(id)}`, delta: json },
    { type: 'call-end', callId: `call_${String(id)}` },
  ]);

const goodTurnWithCalls = fc
  .tuple(
    goodTurn,
    fc.uniqueArray(call, { maxLength: 3, selector: ([first]) => (first?.type === 'call-start' ? first.callId : '') }),
  )
  .map(([turn, calls]) => [...turn.slice(0, 1), ...calls, ...turn.slice(1)]);

describe('whatever a model does', () => {
  test('the stream is one of Gemini, and adds up to the whole answer', () => {
    fc.assert(
      fc.property(anyTurn, (turn) => {
        const { builder, chunks } = play(turn);
        const isCounted = builder.failure !== null || builder.response.usage !== null;
        expect(isCounted ? checkGeminiStream(chunks) : []).toEqual([]);
        if (builder.failure !== null) return;
        const whole = JSON.parse(JSON.stringify(toGeminiAnswer(builder.response, { showsThoughts: true }))) as unknown;
        expect(addUpGemini(chunks as GeminiAnswer[])).toEqual(whole);
      }),
      { numRuns: 1000 },
    );
  });

  test('the reader of Gemini streams finds in it what the model did', () => {
    fc.assert(
      fc.property(goodTurnWithCalls, (turn) => {
        const { builder, chunks } = play(turn);
        const stage = fromGeminiChunks({
          newId: counterId(),
          model: 'gemini-x',
          toolNames: createToolNames([], geminiToolNameRule),
          mapError: () => new GatewayError('upstream_error', 'no'),
        });
        const events = [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
        const again = new ResponseBuilder(newTestResponse(), {
          newId: counterId(),
          completedAt: () => 200,
          seal: () => undefined,
        });
        again.push(events);
        expect(again.failure).toBeNull();
        expect(contentOf(again.response.output)).toEqual(contentOf(builder.response.output));
        expect(again.response.usage).toEqual(builder.response.usage);
        expect(again.response.status).toBe('completed');
      }),
      { numRuns: 500 },
    );
  });

  test('a client that brings the answer back brings back the same items in the same order, however it kept the stream', () => {
    fc.assert(
      fc.property(goodTurnWithCalls, fc.boolean(), (turn, keepsChunks) => {
        const { builder, chunks } = play(turn);
        const answers = keepsChunks ? (chunks as GeminiAnswer[]) : [addUpGemini(chunks as GeminiAnswer[])];
        const contents = answers.map(({ candidates: [{ content }] }) => content);
        const { request } = fromGeminiCount({ contents }, null);
        expect(request.input.filter(({ type }) => type !== 'function_call_output').map(summarise)).toEqual(
          joinNeighbours(builder.response.output),
        );
      }),
      { numRuns: 500 },
    );
  });
});

interface Content {
  text: string;
  reasoning: string;
  calls: { id: string; name: string; arguments: unknown }[];
}

/** What is said, without where one item ends and the next begins: blank lines that keep them apart count as nothing. */
function contentOf(output: readonly OutputItem[]): Content {
  const content: Content = { text: '', reasoning: '', calls: [] };
  for (const item of output) {
    if (item.type === 'message')
      content.text += item.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join('');
    else if (item.type === 'reasoning') content.reasoning += item.summary.map(({ text }) => text).join('');
    else if (item.type === 'function_call')
      content.calls.push({ id: item.call_id, name: item.name, arguments: JSON.parse(item.arguments) as unknown });
  }
  return { ...content, text: withoutBlanks(content.text), reasoning: withoutBlanks(content.reasoning) };
}

function withoutBlanks(text: string): string {
  return text.replaceAll('\n\n', '');
}

/** One item in few words: kind, text without blank lines, signature, call. */
function summarise(item: InputItemParam | OutputItem): string {
  switch (item.type) {
    case 'message':
      return `message ${withoutBlanks(item.content.map((part) => ('text' in part ? part.text : 'refusal' in part ? part.refusal : '')).join(''))}`;
    case 'reasoning':
      return `reasoning ${withoutBlanks(item.summary.map(({ text }) => text).join(''))} ${item.encrypted_content ?? ''}`;
    case 'function_call':
      return `call ${item.call_id} ${item.name} ${item.arguments}`;
    default:
      return item.type;
  }
}

/** Items that say nothing are not there; neighbours that no signature parts are one. */
function joinNeighbours(output: readonly OutputItem[]): string[] {
  const joined: string[] = [];
  for (const item of output) {
    const words = summarise(item);
    const last = joined.at(-1);
    if (item.type === 'web_search_call' || words === 'message ' || words === 'reasoning  ') continue;
    if (item.type === 'message' && last?.startsWith('message ') === true)
      joined[joined.length - 1] = last + words.slice('message '.length);
    else if (item.type === 'reasoning' && last?.startsWith('reasoning ') === true && last.endsWith(' '))
      joined[joined.length - 1] = last.slice(0, -1) + words.slice('reasoning '.length);
    else joined.push(words);
  }
  return joined;
}
