import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { fromGeminiChunks } from './from-gemini-chunks.ts';
import { geminiToolNameRule } from './to-gemini-tools.ts';

const folder = new URL('__fixtures__/', import.meta.url);

function read(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8').trim();
}

function play(chunks: readonly unknown[]): ModelEvent[] {
  const stage = fromGeminiChunks({
    newId: counterId(),
    model: 'gemini-x',
    toolNames: createToolNames([], geminiToolNameRule),
    mapError: (error) => new GatewayError('upstream_error', String(error['message'])),
  });
  const events = [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
  expect(checkModelEvents(events)).toEqual([]);
  return events;
}

/** One line per event; signatures are shortened. */
function replay(name: string): string[] {
  const text = read(name);
  const chunks = name.endsWith('.jsonl')
    ? text.split('\n').map((line) => JSON.parse(line) as unknown)
    : [JSON.parse(text) as unknown];
  return play(chunks).map((event) => {
    const { type, ...rest } = event;
    return `${type} ${JSON.stringify(rest, (key, value: unknown) => (shortened.has(key) && typeof value === 'string' ? `${value.slice(0, 8)}…` : value))}`;
  });
}

const shortened = new Set(['signature', 'url']);

describe('recorded answers', () => {
  test('parallel calls: only the first one is signed, and its state stands before it', () => {
    expect(replay('parallel-calls.2-5.chunks.jsonl')).toMatchInlineSnapshot(`
      [
        "reasoning-state {"state":{"format":"gemini","model":"gemini-x","data":{"textLength":0,"entries":[{"on":"call","callId":"call_1","signature":"CikB0e2K…"}]}}}",
        "call-start {"callId":"call_1","name":"secret_retrieval_tool"}",
        "call-delta {"callId":"call_1","delta":"{\\"password\\":\\"mellon\\"}"}",
        "call-end {"callId":"call_1"}",
        "call-start {"callId":"call_2","name":"secret_retrieval_tool"}",
        "call-delta {"callId":"call_2","delta":"{\\"password\\":\\"radiance\\"}"}",
        "call-end {"callId":"call_2"}",
        "served-model {"model":"gemini-2.5-flash"}",
        "usage {"usage":{"inputTokens":70,"cachedTokens":0,"outputTokens":121,"reasoningTokens":81,"totalTokens":191}}",
        "finish {"reason":"stop"}",
      ]
    `);
  });

  test('a signature on an empty text part is a state behind the message', () => {
    expect(replay('text-then-empty-signature.3.chunks.jsonl')).toMatchInlineSnapshot(`
      [
        "text-delta {"delta":"There are **3**"}",
        "text-delta {"delta":" \\"r\\"s in strawberry.\\n\\nst**r**awbe**rr**y"}",
        "reasoning-state {"state":{"format":"gemini","model":"gemini-x","data":{"textLength":55,"entries":[{"on":"text","start":55,"length":0,"signature":"EqsFCqgF…"}]}}}",
        "served-model {"model":"gemini-3-pro-preview"}",
        "usage {"usage":{"inputTokens":9,"cachedTokens":0,"outputTokens":208,"reasoningTokens":185,"totalTokens":217}}",
        "finish {"reason":"stop"}",
      ]
    `);
  });

  test('text, then a signed call', () => {
    expect(replay('text-then-call.3.chunks.jsonl')).toMatchInlineSnapshot(`
      [
        "text-delta {"delta":"I will read the content of the file to identify its"}",
        "text-delta {"delta":" language.\\n"}",
        "reasoning-state {"state":{"format":"gemini","model":"gemini-x","data":{"textLength":0,"entries":[{"on":"call","callId":"call_1","signature":"EvkCCvYC…"}]}}}",
        "call-start {"callId":"call_1","name":"read_file"}",
        "call-delta {"callId":"call_1","delta":"{\\"file_path\\":\\"test.txt\\"}"}",
        "call-end {"callId":"call_1"}",
        "usage {"usage":{"inputTokens":7969,"cachedTokens":6082,"outputTokens":145,"reasoningTokens":81,"totalTokens":8114}}",
        "finish {"reason":"stop"}",
      ]
    `);
  });

  test("a whole body with thinking and a call that has Gemini's own id", () => {
    expect(replay('thinking-then-call-with-id.3-1.json')).toMatchInlineSnapshot(`
      [
        "reasoning-delta {"delta":"**My Analysis of the User's Weather Query**\\n\\nOkay, so the user wants the weather for Berlin, and they've given me the latitude and longitude: 52.5200 and 13.4050. That's straightforward; they're essentially giving me the precise location. My task here is to get them that weather information.\\n\\nThe \`default_api:weather\` tool is the obvious choice for this, given the nature of the request. No need to overthink it. Now, it's just a matter of extracting the necessary parameters. The latitude and longitude are explicitly provided, so I'll grab those values – \\"52.5200\\" and \\"13.4050\\" respectively.\\n\\nFinally, I'll format the tool call correctly, adhering to the specified system instructions. I'm ready to craft that call and get the information back to the user.\\n\\n\\n"}",
        "reasoning-state {"state":{"format":"gemini","model":"gemini-x","data":{"textLength":0,"entries":[{"on":"call","callId":"call_883098","signature":"ErkECrYE…","geminiId":"call_883098"}]}}}",
        "call-start {"callId":"call_883098","name":"weather"}",
        "call-delta {"callId":"call_883098","delta":"{\\"latitude\\":\\"52.5200\\",\\"longitude\\":\\"13.4050\\"}"}",
        "call-end {"callId":"call_883098"}",
        "served-model {"model":"gemini-3.1-pro-preview"}",
        "usage {"usage":{"inputTokens":120,"cachedTokens":0,"outputTokens":164,"reasoningTokens":132,"totalTokens":284}}",
        "finish {"reason":"stop"}",
      ]
    `);
  });

  test('arguments in pieces are one delta once they are whole', () => {
    expect(replay('partial-arguments.vertex.chunks.jsonl')).toMatchInlineSnapshot(`
      [
        "reasoning-state {"state":{"format":"gemini","model":"gemini-x","data":{"textLength":0,"entries":[{"on":"call","callId":"call_1","signature":"CiMBjz1r…"}]}}}",
        "call-start {"callId":"call_1","name":"getWeather"}",
        "call-delta {"callId":"call_1","delta":"{\\"location\\":\\"Boston\\"}"}",
        "call-end {"callId":"call_1"}",
        "call-start {"callId":"call_2","name":"getWeather"}",
        "call-delta {"callId":"call_2","delta":"{\\"location\\":\\"San Francisco\\"}"}",
        "call-end {"callId":"call_2"}",
        "served-model {"model":"gemini-3.1-pro-preview"}",
        "usage {"usage":{"inputTokens":26,"cachedTokens":0,"outputTokens":155,"reasoningTokens":132,"totalTokens":181}}",
        "finish {"reason":"stop"}",
      ]
    `);
  });

  test('grounding becomes annotations, and a web search behind the text', () => {
    expect(replay('web-search.2-5.json')).toMatchInlineSnapshot(`
      [
        "text-delta {"delta":"On January 1, 2026, the CoinDesk Bitcoin Price Index (XBX) traded at $88,151.80 at its 4 p.m. ET level."}",
        "annotation {"annotation":{"url":"https://…","title":"morningstar.com","startIndex":0,"endIndex":103}}",
        "web-search {"queries":["bitcoin price January 1 2026","BTC price Jan 1 2026"],"sources":["https://vertexaisearch.cloud.google.com/grounding-api-redirect/AUZIYQGDCo14JAF7S8lYQTQ-5iBiapR4EsRdIoI22FAM7Mm-C6VsWqB-Vkc7kADF_pCNaWLM59wgXhXMbF1Z3F6PrezRY-E3kHnH5GLYlhtpw5tOEa_siwGDE93hPmskFxkXM-1M_RtibnvCDw4GaH9tUUZS0zIfI-5cgOrz5g6iKy03m5GnkSoGzUU1-pszJ4wXd5iAvrmyoz-tc3TGUXSy-aUWbLpRtVjm44yXYYSU0w=="]}",
        "served-model {"model":"gemini-2.5-flash"}",
        "usage {"usage":{"inputTokens":166,"cachedTokens":0,"outputTokens":401,"reasoningTokens":324,"totalTokens":567}}",
        "finish {"reason":"stop"}",
      ]
    `);
  });

  test('a limit reached while thinking is an empty answer of that length', () => {
    expect(replay('max-tokens-while-thinking.2-5.json')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"gemini-2.5-pro"}",
        "usage {"usage":{"inputTokens":15,"cachedTokens":0,"outputTokens":2,"reasoningTokens":2,"totalTokens":17}}",
        "finish {"reason":"length"}",
      ]
    `);
  });

  test('a refused prompt ends by content filter', () => {
    expect(replay('blocked-prompt.vertex.json')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"gemini-2.5-flash"}",
        "finish {"reason":"content-filter"}",
      ]
    `);
  });

  test('an unexpected tool call fails, although there is a call', () => {
    expect(replay('unexpected-tool-call.3.json')).toMatchInlineSnapshot(`
      [
        "reasoning-state {"state":{"format":"gemini","model":"gemini-x","data":{"textLength":0,"entries":[{"on":"call","callId":"call_1","signature":"CtAEAY89…"}]}}}",
        "call-start {"callId":"call_1","name":"list_files"}",
        "call-delta {"callId":"call_1","delta":"{}"}",
        "call-end {"callId":"call_1"}",
        "served-model {"model":"gemini-3-flash-preview"}",
        "usage {"usage":{"inputTokens":22,"cachedTokens":0,"outputTokens":145,"reasoningTokens":142,"totalTokens":167}}",
        "failure {"error":{"name":"GatewayError","code":"upstream_error","param":null,"status":502,"retryAfter":null}}",
      ]
    `);
  });

  test('an error inside an answer is a failure and nothing else', () => {
    expect(replay('bad-key.json')).toMatchInlineSnapshot(`
      [
        "failure {"error":{"name":"GatewayError","code":"upstream_error","param":null,"status":502,"retryAfter":null}}",
      ]
    `);
    expect(play([[JSON.parse(read('bad-key.json'))]]).map((event) => event.type)).toEqual(['failure']);
  });
});
