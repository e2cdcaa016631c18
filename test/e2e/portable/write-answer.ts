import type { JsonObject } from '../../../src/lib/json.ts';
import type { Protocol } from './read-view.ts';
import type { ServerState } from './strict-upstream.ts';

/** What a model says. Names of tools are the server's. */
export interface Said {
  readonly thinking: string;
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly args: JsonObject }[];
}

/** An answer as a server of this protocol writes it, with the ids and the state that are usual there. */
export function writeAnswer(protocol: Protocol, said: Said, state: ServerState): object {
  switch (protocol) {
    case 'anthropic':
      return writeMessage(said, state);
    case 'chat':
      return writeCompletion(said, state);
    case 'gemini':
      return writeContent(said, state);
    case 'responses':
      return writeResponse(said, state);
  }
}

function writeMessage({ thinking, text, calls }: Said, state: ServerState): object {
  return {
    ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-test' },
    content: [
      ...(thinking === '' ? [] : [{ type: 'thinking', thinking, signature: state.anthropic.issue(thinking) }]),
      ...(text === '' ? [] : [{ type: 'text', text }]),
      ...calls.map(({ name, args }) => ({
        type: 'tool_use',
        id: `toolu_01${'A'.repeat(20)}${nextCall(state)}`,
        name,
        input: args,
      })),
    ],
    ...{ stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null },
    usage: { input_tokens: 9, output_tokens: 4 },
  };
}

/** Ids of vLLM are longer than OpenAI's may be, and those of Kimi hold characters that Anthropic forbids. */
function writeCompletion({ thinking, text, calls }: Said, state: ServerState): object {
  const ids = ['functions.get_weather:', `chatcmpl-tool-${'0123456789abcdef'.repeat(2)}-`, 'long_'.repeat(20)];
  const message = {
    role: 'assistant',
    content: text === '' ? null : text,
    ...(thinking !== '' && { reasoning_content: thinking }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ name, args }, at) => ({
        id: `${ids[at] ?? ''}${nextCall(state)}`,
        type: 'function',
        function: { name, arguments: JSON.stringify(args) },
      })),
    }),
  };
  return {
    ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm' },
    choices: [{ index: 0, message, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }],
    usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
  };
}

/** The first call carries the signature, else the text; every second answer gives its calls no ids. */
function writeContent({ thinking, text, calls }: Said, state: ServerState): object {
  const hasIds = state.calls % 2 === 0;
  const signed = (thoughtSignature: string): object => (thinking === '' ? {} : { thoughtSignature });
  const parts = [
    ...(thinking === '' ? [] : [{ text: thinking, thought: true }]),
    ...(text === '' ? [] : [{ text, ...(calls.length === 0 && signed(state.gemini.issue(null))) }]),
    ...calls.map(({ name, args }, at) => {
      const id = nextCall(state);
      const functionCall = { ...(hasIds && { id }), name, args };
      return {
        functionCall,
        ...(at === 0 && { thoughtSignature: state.gemini.issue({ name, args, id: hasIds ? id : undefined }) }),
      };
    }),
  ];
  return {
    candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 4, totalTokenCount: 13 },
    modelVersion: 'gemini-3-pro',
  };
}

function writeResponse({ thinking, text, calls }: Said, state: ServerState): object {
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: thinking }] };
  const content = [{ type: 'output_text', text, annotations: [] }];
  return {
    ...{ id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'gpt-5', error: null },
    output: [
      ...(thinking === '' ? [] : [{ ...reasoning, encrypted_content: state.responses.issue(thinking) }]),
      ...(text === '' ? [] : [{ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content }]),
      ...calls.map(({ name, args }, at) => {
        const id = nextCall(state);
        // As long as an id may be there.
        const call_id = `call_${id}`.padEnd(64, 'x');
        return { type: 'function_call', id: `fc_${at}`, call_id, name, arguments: JSON.stringify(args), status: 'completed' };
      }),
    ],
    usage: { input_tokens: 9, output_tokens: 4, total_tokens: 13 },
  };
}

function nextCall(state: ServerState): string {
  state.calls += 1;
  return String(state.calls);
}
