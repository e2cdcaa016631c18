import { existsSync, readFileSync } from 'node:fs';
import type { JsonObject } from '../../../src/lib/json.ts';
import { recordingsFolder } from '../../recorded-traffic/open-replay.ts';
import { createChatClient } from './chat-client.ts';
import type { ClientCall, Connection, PortableClient } from './client.ts';
import { createGeminiClient } from './gemini-client.ts';
import { createMessagesClient } from './messages-client.ts';
import { googleTools, openaiTools } from './portable-gateway.ts';
import type { ViewEntry } from './read-view.ts';
import { createResponsesClient } from './responses-client.ts';

/** What Google documents for "there is no signature". */
const dummy = 'skip_thought_signature_validator';

/** What other servers signed or sealed, as clients bring it along: out of recorded traffic where that is here. */
export const foreignStates: Readonly<Record<string, string>> = {
  'a signature of Anthropic': find('anthropic-sync', /"signature":"([\w+/=]{100,})"/) ?? `EugFCkYICxgCKkBAMZAz${'A'.repeat(80)}=`,
  'a signature of Gemini': find('gemini-sync', /"thoughtSignature":"([\w+/=]{100,})"/) ?? `CoYHAXLI2nxzTPBNFalY${'B'.repeat(80)}`,
  "OpenAI's encrypted_content":
    find('openai-responses-sync', /"encrypted_content":"([\w=-]{100,})"/) ?? `gAAAAABp-r_nDEFD_pLd6MEz${'C'.repeat(80)}`,
  'what another Antiphon sealed': `antiphon.v1.${'D'.repeat(120)}`,
  "Google's dummy": dummy,
  'no base64': '{"v":1, "note": "é"}',
};

function find(file: string, form: RegExp): string | undefined {
  const path = new URL(`dev/${file}.jsonl`, recordingsFolder);
  return existsSync(path) ? form.exec(readFileSync(path, 'utf8'))?.[1] : undefined;
}

/** Ids that some server would not take. */
const ids = ['call 1/ü', 'x'.repeat(64), 'fc.2:1'] as const;
const said = { thought: 'They want the weather.', text: 'One moment.' } as const;
const args = { city: 'Oslo' };

/** A conversation that begins elsewhere: thinking with that state, words, three parallel calls; their results come next. */
export interface ForeignHistory {
  readonly client: PortableClient;
  /** What a model should see of it. */
  readonly expected: readonly ViewEntry[];
  readonly calls: readonly ClientCall[];
}

const question = 'Weather in three cities?';
const calls = ids.map((id, at) => ({ id, tool: `tool ${String(at)}`, args }));
const expected: readonly ViewEntry[] = [
  { kind: 'user', text: question },
  { kind: 'thought' },
  { kind: 'assistant', text: said.text },
  ...calls.map(({ tool }) => ({ kind: 'call', tool, args }) as const),
];

/** The same history in the words of each dialect. */
export const foreignHistories: Readonly<Record<string, (to: Omit<Connection, 'tools'>, state: string) => ForeignHistory>> = {
  responses: (to, state) =>
    toHistory(createResponsesClient({ ...to, tools: openaiTools }, { way: 'full history' }, responsesItems(state))),
  messages: (to, state) =>
    toHistory(
      createMessagesClient(
        { ...to, tools: openaiTools },
        messages({ type: 'thinking', thinking: said.thought, signature: state }),
      ),
    ),
  'messages, redacted': (to, state) =>
    toHistory(createMessagesClient({ ...to, tools: openaiTools }, messages({ type: 'redacted_thinking', data: state }))),
  gemini: (to, state) => {
    const history = toHistory(createGeminiClient({ ...to, tools: googleTools }, contents(state)));
    return state === dummy ? { ...history, expected: expected.filter(({ kind }) => kind !== 'thought') } : history;
  },
  'chat, encrypted': (to, state) =>
    toHistory(
      createChatClient(
        { ...to, tools: openaiTools },
        chat({ type: 'reasoning.encrypted', data: state, id: 'r', format: 'x', index: 0 }),
      ),
    ),
  'chat, signed': (to, state) =>
    toHistory(
      createChatClient(
        { ...to, tools: openaiTools },
        chat({ type: 'reasoning.text', text: said.thought, signature: state, index: 0 }),
      ),
    ),
};

function toHistory(client: PortableClient): ForeignHistory {
  return { client, expected, calls };
}

function responsesItems(state: string): JsonObject[] {
  return [
    { role: 'user', content: question },
    { type: 'reasoning', id: 'rs_0123', summary: [{ type: 'summary_text', text: said.thought }], encrypted_content: state },
    { type: 'message', id: 'msg_0123', role: 'assistant', content: [{ type: 'output_text', text: said.text, annotations: [] }] },
    ...ids.map((call_id, at) => ({
      ...{ type: 'function_call', id: `fc_${String(at)}`, call_id, name: openaiTools[at]?.name },
      arguments: JSON.stringify(args),
    })),
  ];
}

function messages(thought: JsonObject): JsonObject[] {
  const uses = ids.map((id, at) => ({ type: 'tool_use', id, name: openaiTools[at]?.name, input: args }));
  return [
    { role: 'user', content: question },
    { role: 'assistant', content: [thought, { type: 'text', text: said.text }, ...uses] },
  ];
}

function contents(state: string): JsonObject[] {
  const parts = ids.map((id, at) => ({
    functionCall: { id, name: googleTools[at]?.name, args },
    ...(at === 0 && { thoughtSignature: state }),
  }));
  return [
    { role: 'user', parts: [{ text: question }] },
    { role: 'model', parts: [{ text: said.thought, thought: true }, { text: said.text }, ...parts] },
  ];
}

function chat(detail: JsonObject): JsonObject[] {
  const tool_calls = ids.map((id, at) => ({
    ...{ id, type: 'function' },
    function: { name: openaiTools[at]?.name, arguments: JSON.stringify(args) },
  }));
  return [
    { role: 'user', content: question },
    { role: 'assistant', content: said.text, reasoning_content: said.thought, reasoning_details: [detail], tool_calls },
  ];
}
