import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { createChatProfile, type ChatVendor } from './chat-profile.ts';
import { fromChatChunks, type ChatTurnStage } from './from-chat-chunks.ts';

const folder = new URL('./__fixtures__/', import.meta.url);

function chunksOf(name: string): unknown[] {
  const lines = readFileSync(new URL(name, folder), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as unknown);
}

function stageFor(vendor: ChatVendor): ChatTurnStage {
  const profile = createChatProfile({ baseUrl: 'https://example.com/v1', vendor });
  return fromChatChunks({
    newId: counterId(),
    model: 'm',
    profile,
    toolNames: createToolNames([], profile.toolNameRule),
    cleanMessage: (text) => text,
  });
}

function eventsOf(chunks: readonly unknown[], vendor: ChatVendor): ModelEvent[] {
  const stage = stageFor(vendor);
  return [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
}

/** One line per run of equal events, so that a snapshot shows the order at a glance. */
function outline(events: readonly ModelEvent[]): string[] {
  const lines: { type: string; callId: string; text: string }[] = [];
  for (const event of events) {
    const { type, ...rest } = event;
    const callId = 'callId' in event ? event.callId : '';
    const text =
      'delta' in event ? event.delta : type === 'failure' ? `${event.error.code}: ${event.error.message}` : JSON.stringify(rest);
    const last = lines.at(-1);
    if (last !== undefined && 'delta' in event && last.type === type && last.callId === callId) last.text += text;
    else lines.push({ type, callId, text });
  }
  return lines.map(({ type, text }) => `${type} ${text.length > 160 ? `${text.slice(0, 120)}… (${String(text.length)})` : text}`);
}

function replay(name: string, vendor: ChatVendor): string[] {
  return outline(eventsOf(chunksOf(name), vendor));
}

describe('recorded answers', () => {
  test('OpenAI: parallel calls', () => {
    expect(replay('openai-parallel-calls.chunks.jsonl', 'openai')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"gpt-4o-2024-08-06"}",
        "call-start {"callId":"call_NS4iQj14cDFwc0BnrKqDHavt","name":"get_weather"}",
        "call-delta {"city": "Mexico City"}",
        "call-start {"callId":"call_SkGkkGDvHQEEk0CGbnAh2AQw","name":"get_product_name"}",
        "call-delta {}",
        "usage {"usage":{"inputTokens":417,"cachedTokens":0,"outputTokens":44,"reasoningTokens":0,"totalTokens":461}}",
        "call-end {"callId":"call_NS4iQj14cDFwc0BnrKqDHavt"}",
        "call-end {"callId":"call_SkGkkGDvHQEEk0CGbnAh2AQw"}",
        "finish {"reason":"stop"}",
      ]
    `);
  });
  test('OpenAI: a refusal', () => {
    expect(replay('openai-refusal.chunks.jsonl', 'openai')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"gpt-4o-2024-08-06"}",
        "refusal-delta I'm very sorry, but I can't assist with that request.",
        "usage {"usage":{"inputTokens":64,"cachedTokens":0,"outputTokens":13,"reasoningTokens":0,"totalTokens":77}}",
        "finish {"reason":"stop"}",
      ]
    `);
  });
  test('OpenRouter: reasoning details become one signed block before the call', () => {
    expect(replay('openrouter-thinking-then-call.chunks.jsonl', 'openrouter')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"anthropic/claude-haiku-4.5"}",
        "reasoning-delta The user is asking for the weather in Berlin and specifically requesting that I use the reasoning_weather tool. I have a… (211)",
        "reasoning-state {"state":{"format":"chat","model":"m","data":{"details":[{"type":"reasoning.text","text":"The user is asking for the wea… (880)",
        "call-start {"callId":"toolu_bdrk_01L9pX1Wp4FAEq9TT2Z6UAe7","name":"reasoning_weather"}",
        "call-delta {"city": "Berlin"}",
        "usage {"usage":{"inputTokens":626,"cachedTokens":0,"cacheWriteTokens":0,"outputTokens":106,"reasoningTokens":54,"totalTokens":732}}",
        "call-end {"callId":"toolu_bdrk_01L9pX1Wp4FAEq9TT2Z6UAe7"}",
        "finish {"reason":"stop"}",
      ]
    `);
  });
  test('OpenRouter: an error after finish still fails the turn', () => {
    expect(replay('openrouter-error-after-finish.chunks.jsonl', 'openrouter')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"minimax/minimax-m2:free"}",
        "reasoning-delta We need to respond to a greeting. The user",
        "usage {"usage":{"inputTokens":43,"cachedTokens":0,"outputTokens":10,"reasoningTokens":11,"totalTokens":53}}",
        "failure upstream_error: The model server reported an error: Token limit reached",
      ]
    `);
  });
  test('OpenRouter: a stream that never says why it ended was cut, and its call has no end', () => {
    expect(replay('openrouter-no-finish.chunks.jsonl', 'openrouter')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"moonshotai/kimi-k2"}",
        "call-start {"callId":"0","name":"llm_version"}",
        "call-delta {}",
        "usage {"usage":{"inputTokens":57,"cachedTokens":0,"outputTokens":17,"reasoningTokens":0,"totalTokens":74}}",
        "failure upstream_truncated: The model server ended the answer without saying that it was finished.",
      ]
    `);
  });
  test('DeepSeek: reasoning text is kept for the next turn', () => {
    expect(replay('deepseek-thinking-then-call.chunks.jsonl', 'deepseek')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"deepseek-reasoner"}",
        "reasoning-delta The user is asking for the weather in San Francisco. I need to use the weather tool to get this information. Let me invo… (191)",
        "reasoning-state {"state":{"format":"chat","model":"m","data":{"text":"The user is asking for the weather in San Francisco. I need to use… (251)",
        "call-start {"callId":"call_00_ioIn7yN9p1ZOMNpDLwd4MgAF","name":"weather"}",
        "call-delta {"location": "San Francisco"}",
        "usage {"usage":{"inputTokens":339,"cachedTokens":320,"outputTokens":83,"reasoningTokens":39,"totalTokens":422}}",
        "call-end {"callId":"call_00_ioIn7yN9p1ZOMNpDLwd4MgAF"}",
        "finish {"reason":"stop"}",
      ]
    `);
  });
  test('Ollama: a whole call in one chunk', () => {
    expect(replay('ollama-thinking-then-call.chunks.jsonl', 'ollama')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"gpt-oss:120b"}",
        "reasoning-delta We need to call weather function with latitude and longitude. Provide as strings.",
        "reasoning-state {"state":{"format":"chat","model":"m","data":{"text":"We need to call weather function with latitude and longitude. Provide as strings."}}}",
        "call-start {"callId":"call_x7rn5sl5","name":"weather"}",
        "call-delta {"latitude":"52.5200","longitude":"13.4050"}",
        "usage {"usage":{"inputTokens":169,"outputTokens":55,"totalTokens":224}}",
        "call-end {"callId":"call_x7rn5sl5"}",
        "finish {"reason":"stop"}",
      ]
    `);
  });
  test('Snowflake: a stream without finish_reason fails, a whole body without one is complete', () => {
    expect(replay('snowflake-no-finish.chunks.jsonl', 'generic')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"claude-sonnet-4-6"}",
        "text-delta 4",
        "usage {"usage":{"inputTokens":22,"cachedTokens":0,"outputTokens":5,"reasoningTokens":0,"totalTokens":27}}",
        "failure upstream_truncated: The model server ended the answer without saying that it was finished.",
      ]
    `);
    expect(replay('snowflake-empty-finish.json', 'generic')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"claude-sonnet-4-6"}",
        "call-start {"callId":"toolu_bdrk_015BgHUFs4HS1TVWWwNRNxip","name":"get_weather"}",
        "call-delta {"city":"Mexico City"}",
        "usage {"usage":{"inputTokens":568,"cachedTokens":0,"outputTokens":55,"reasoningTokens":0,"totalTokens":623}}",
        "loss {"loss":{"path":"status","action":"estimated","reason":"the model server did not say why it stopped; its answer was taken as complete"}}",
        "call-end {"callId":"toolu_bdrk_015BgHUFs4HS1TVWWwNRNxip"}",
        "finish {"reason":"stop"}",
      ]
    `);
  });
  test("Gemini's compatible endpoint: the signature is kept, an empty call id is replaced, thinking counts as output", () => {
    expect(replay('gemini-compatible-signature.json', 'generic')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"gemini-2.5-pro-preview-05-06"}",
        "reasoning-state {"state":{"format":"chat","model":"m","data":{"message":{"google":{"thought":true,"thought_signature":"AVSoXO4AzAXs7GGvO… (461)",
        "call-start {"callId":"call_1","name":"get_current_time"}",
        "call-delta {}",
        "usage {"usage":{"inputTokens":35,"outputTokens":74,"totalTokens":109}}",
        "call-end {"callId":"call_1"}",
        "finish {"reason":"stop"}",
      ]
    `);
  });
  test('Mistral: thinking parts', () => {
    expect(replay('mistral-thinking.json', 'mistral')).toMatchInlineSnapshot(`
      [
        "served-model {"model":"mistral-small-latest"}",
        "reasoning-delta The user is asking for the result of 2+2. The instruction is to reply with just the number, so I should respond with "4".",
        "reasoning-state {"state":{"format":"chat","model":"m","data":{"text":"The user is asking for the result of 2+2. The instruction is to re… (181)",
        "text-delta 4",
        "usage {"usage":{"inputTokens":28,"cachedTokens":0,"outputTokens":35,"totalTokens":63}}",
        "finish {"reason":"stop"}",
      ]
    `);
  });
});

describe('a cut stream', () => {
  test.each([
    ['openai-parallel-calls.chunks.jsonl', 'openai'],
    ['openrouter-thinking-then-call.chunks.jsonl', 'openrouter'],
    ['deepseek-thinking-then-call.chunks.jsonl', 'deepseek'],
    ['ollama-thinking-then-call.chunks.jsonl', 'ollama'],
  ] as const)('%s: cut after any chunk before the finish it fails and ends no call', (name, vendor) => {
    const chunks = chunksOf(name);
    const finishAt = chunks.findIndex((chunk) => /"finish_reason":"/.test(JSON.stringify(chunk)));
    const whole = eventsOf(chunks, vendor);
    expect(whole.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
    for (let length = 0; length <= finishAt; length += 1) {
      const events = eventsOf(chunks.slice(0, length), vendor);
      expect(events.at(-1)).toMatchObject({ type: 'failure', error: { code: 'upstream_truncated' } });
      expect(events.filter(({ type }) => type === 'call-end' || type === 'finish')).toEqual([]);
      const before = events.filter(({ type }) => type === 'text-delta' || type === 'call-delta');
      expect(whole.filter(({ type }) => type === 'text-delta' || type === 'call-delta').slice(0, before.length)).toEqual(before);
    }
  });

  test('it settles with the finish reason, not before', () => {
    const stage = stageFor('openai');
    const settled = chunksOf('openai-parallel-calls.chunks.jsonl').map((chunk) => {
      stage.push(chunk);
      return stage.settled;
    });
    expect(settled.at(0)).toBe(false);
    expect(settled.slice(-2)).toEqual([true, true]);
  });
});
