import { describe, expect, test } from 'vitest';
import { createReasoningEnvelope } from '../../engine/reasoning-envelope.ts';
import { toInputItems } from '../../engine/to-input-items.ts';
import { toModelRequest } from '../../engine/to-model-request.ts';
import type { JsonObject } from '../../lib/json.ts';
import { createChatProfile, type ChatVendor } from './chat-profile.ts';
import { fromChatRequest } from './from-chat-request.ts';
import { takesChatNatively } from './takes-chat-natively.ts';

const envelope = createReasoningEnvelope({ keys: [new Uint8Array(32)], randomBytes: (size) => new Uint8Array(size) });
const user = { role: 'user', content: 'Hi' };
const tools = [{ type: 'function', function: { name: 'search' } }];

/** Whether a server of the vendor gets the body as it is. */
function takes(vendor: ChatVendor, more: object, model = 'some-model'): boolean {
  const body: JsonObject = { messages: [user], ...more };
  const { request } = fromChatRequest(body);
  const own = request.input.map((item, at) => ({ item, path: `input[${String(at)}]` }));
  const { items: input } = toInputItems({ inherited: [], own }, { owner: 'me', strict: false }, envelope);
  const asked = toModelRequest(request, { model, input, session: null }).value;
  return takesChatNatively(asked, body, createChatProfile({ baseUrl: 'https://models.example/v1', vendor }));
}

/** A conversation in which the model called something; its message has these members too. */
function called(more: object, id = 'call_1', output: unknown = 'found', name = 'search'): { messages: object[] } {
  const call = { id, type: 'function', function: { name, arguments: '{}' } };
  const answer = { role: 'assistant', content: null, tool_calls: [call], ...more };
  return { messages: [user, answer, { role: 'tool', tool_call_id: id, content: output }] };
}

const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] };
const thought = [user, { role: 'assistant', content: [thinking, { type: 'text', text: 'a' }] }, user];
const file = { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGVsbG8=' } };
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,aGVsbG8=' } };

describe('a body goes to the server as it is', () => {
  test.each<[string, ChatVendor, object, string?]>([
    ['with all that it knows', 'openai', { tools, tool_choice: 'auto', stop: ['a', 'b'], max_tokens: 9, seed: 1 }],
    ['with fields that nobody knows', 'generic', { repetition_penalty: 1.1, reasoning_effort: 'low' }],
    ['with reasoning that it wrote itself', 'openrouter', called({ reasoning_details: [{ type: 'reasoning.text', text: 'a' }] })],
    ['with reasoning where nothing is known of the server', 'generic', called({ reasoning_content: 'a' })],
    ['with the reasoning that it demands', 'deepseek', called({ reasoning_content: '' }), 'deepseek-chat'],
    ['with thinking in its own form', 'mistral', { messages: thought }],
    ['with images', 'openai', { messages: [{ role: 'user', content: [image] }] }],
    ['with an image that a tool showed', 'openai', called({}, 'call_1', [image])],
    ['with null for nothing', 'openai', { tools: null, stop: null, max_tokens: null }],
  ])('%s (%s)', (_why, vendor, body, model) => {
    expect(takes(vendor, body, model)).toBe(true);
  });
});

describe('a body is said in other words', () => {
  test.each<[string, ChatVendor, object, string?]>([
    ['an empty list of tools, which servers refuse', 'openai', { tools: [] }],
    ['a choice among no tools', 'openai', { tools: [], tool_choice: 'none' }],
    ['a choice without tools', 'generic', { tool_choice: 'auto' }],
    ['parallel calls without tools', 'openai', { parallel_tool_calls: true }],
    ['a tool without a type', 'openai', { tools: [{ function: { name: 'search' } }] }],
    ['a custom tool', 'generic', { tools: [{ type: 'custom', custom: { name: 'patch' } }] }],
    ["Mistral's word for required", 'openai', { tools, tool_choice: 'any' }],
    ['no limit, written as 0', 'generic', { max_tokens: 0 }],
    ['the old limit, for a model that thinks', 'openai', { max_tokens: 9 }, 'gpt-5-mini'],
    ['stops, for a model that thinks', 'openai', { stop: ['a'] }, 'o3'],
    ['a temperature, for a model that thinks', 'openai', { temperature: 0.2 }, 'gpt-5'],
    ['an effort, for a model that does not think', 'openai', { reasoning_effort: 'low' }, 'gpt-4o'],
    ['an empty stop', 'openai', { stop: [''] }],
    ['more stops than it takes', 'groq', { stop: ['a', ''] }],
    ["Groq's word for the default effort", 'openai', { reasoning_effort: 'default' }],
    ["Groq's word for the default tier", 'openai', { service_tier: 'on_demand' }],
    ['reasoning of another server', 'openai', called({ reasoning_content: 'a' })],
    ['reasoning under the name of another server', 'vllm', called({ reasoning_content: 'a' })],
    ['thinking in the form of Mistral', 'openai', { messages: thought }],
    ['thinking in the form of Mistral', 'generic', { messages: thought }],
    ['reasoning that R1 refuses', 'deepseek', called({ reasoning_content: 'a' }), 'deepseek-r1'],
    ['missing reasoning that it demands', 'deepseek', called({}), 'deepseek-chat'],
    ['a name in the history that it refuses', 'openai', called({}, 'call_1', 'found', 'mcp.server/tool')],
    ['an image that a tool showed', 'generic', called({}, 'call_1', [image])],
    ['content without parts', 'openai', { messages: [{ role: 'user', content: [] }] }],
    ['an id of a call that is too long', 'openai', called({}, 'c'.repeat(41))],
    ['a file that a tool showed', 'openai', called({}, 'call_1', [file])],
    ['a file where it takes none', 'generic', { messages: [{ role: 'user', content: [file] }] }],
    ['an image where it takes none', 'deepseek', { messages: [{ role: 'user', content: [image] }] }],
    [
      'an image as a mere URL',
      'openai',
      { messages: [{ role: 'user', content: [{ ...image, image_url: image.image_url.url }] }] },
    ],
    ['a name of a participant', 'groq', { messages: [{ ...user, name: 'Ann' }] }],
    ['what only OpenAI knows, for servers that refuse strangers', 'groq', { logprobs: true }],
    ['what only OpenAI knows, for servers that refuse strangers', 'mistral', { store: true, logit_bias: { 1: 1 } }],
  ])('%s (%s)', (_why, vendor, body, model) => {
    expect(takes(vendor, body, model)).toBe(false);
  });
});
