import type { JsonObject } from '../../../src/lib/json.ts';
import { objectsOf, textOf } from '../../doubles/gemini-model/gemini-words.ts';
import { send, toolNamed, type ClientTurn, type Connection, type PortableClient, type UserWords } from './client.ts';

/** A client of `POST /v1/messages` that sends back every block as it came. */
export function createMessagesClient(connection: Connection, history: readonly JsonObject[] = []): PortableClient {
  const messages = [...history];

  async function turn(model: string, content: readonly JsonObject[]): Promise<ClientTurn> {
    messages.push({ role: 'user', content });
    const sent = await send(connection, '/v1/messages', {
      ...{ model, messages: [...messages], max_tokens: 4096 },
      tools: connection.tools.map((tool) => ({ ...tool, input_schema: { type: 'object', properties: {} } })),
      thinking: { type: 'enabled', budget_tokens: 1024 },
    });
    const blocks = objectsOf(sent.answer['content']);
    messages.push({ role: 'assistant', content: blocks });
    return {
      ...sent,
      text: blocks.map(({ text }) => textOf(text)).join(''),
      calls: blocks
        .filter(({ type }) => type === 'tool_use')
        .map(({ id, name, input }) => ({ id: textOf(id), tool: toolNamed(name, connection.tools), args: input })),
      hasThought: blocks.some(({ type }) => type === 'thinking' || type === 'redacted_thinking'),
    };
  }

  return {
    tellsFailures: true,
    returnsImages: true,
    ask: (model, words) => turn(model, toBlocks(words)),
    answer: (model, results) =>
      turn(
        model,
        results.map(({ call, isError = false, ...words }) => ({
          ...{ type: 'tool_result', tool_use_id: call.id, content: toBlocks(words) },
          ...(isError && { is_error: true }),
        })),
      ),
  };
}

function toBlocks({ text, image }: UserWords): JsonObject[] {
  return [
    { type: 'text', text },
    ...(image === undefined ? [] : [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } }]),
  ];
}
