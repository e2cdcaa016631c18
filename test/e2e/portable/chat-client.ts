import { parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { objectOf, objectsOf, textOf } from '../../doubles/gemini-model/gemini-words.ts';
import { dataUrl, send, toolNamed, type ClientTurn, type Connection, type PortableClient } from './client.ts';

/** A client of `POST /v1/chat/completions` that sends back every message as it came. Its tools return text. */
export function createChatClient(connection: Connection, history: readonly JsonObject[] = []): PortableClient {
  const messages = [...history];

  async function turn(model: string, own: readonly JsonObject[]): Promise<ClientTurn> {
    messages.push(...own);
    const tools = connection.tools.map((tool) => ({
      type: 'function',
      function: { ...tool, parameters: { type: 'object', properties: {} } },
    }));
    const sent = await send(connection, '/v1/chat/completions', {
      model,
      messages: [...messages],
      tools,
      reasoning_effort: 'low',
    });
    const message = objectOf(objectsOf(sent.answer['choices'])[0]?.['message']);
    messages.push(message);
    return {
      ...sent,
      text: textOf(message['content']),
      calls: objectsOf(message['tool_calls']).map((call) => {
        const { name, arguments: args } = objectOf(call['function']);
        return { id: textOf(call['id']), tool: toolNamed(name, connection.tools), args: parseJson(textOf(args)) };
      }),
      hasThought: message['reasoning_details'] !== undefined || textOf(message['reasoning_content']) !== '',
    };
  }

  const shown = (text: string, image: string): JsonObject => ({
    role: 'user',
    content: [
      { type: 'text', text },
      { type: 'image_url', image_url: { url: dataUrl(image) } },
    ],
  });
  return {
    tellsFailures: false,
    returnsImages: false,
    ask: (model, { text, image }) => turn(model, [image === undefined ? { role: 'user', content: text } : shown(text, image)]),
    answer: (model, results) =>
      turn(
        model,
        results.map(({ call, text }) => ({ role: 'tool', tool_call_id: call.id, content: text })),
      ),
  };
}
