import type { JsonObject } from '../../../src/lib/json.ts';
import { parseJson } from '../../../src/lib/json.ts';
import { objectsOf, textOf } from '../../doubles/gemini-model/gemini-words.ts';
import { dataUrl, send, toolNamed, type ClientTurn, type Connection, type PortableClient, type UserWords } from './client.ts';

/** How a client of the Responses API goes on. */
export type ResponsesWay = 'previous_response_id' | 'conversation' | 'full history';

/** A client of `POST /v1/responses`. `conversation`: its name, for that way. */
export function createResponsesClient(
  connection: Connection,
  { way, conversation = '' }: { readonly way: ResponsesWay; readonly conversation?: string },
  begun: readonly JsonObject[] = [],
): PortableClient {
  const history = [...begun];
  let previous: string | null = null;

  async function turn(model: string, items: readonly JsonObject[]): Promise<ClientTurn> {
    const isFull = way === 'full history';
    const request = {
      model,
      input: [...history, ...items],
      tools: connection.tools.map((tool) => ({ type: 'function', ...tool, parameters: { type: 'object', properties: {} } })),
      reasoning: { effort: 'low', summary: 'auto' },
      ...(way === 'previous_response_id' && previous !== null && { previous_response_id: previous }),
      ...(way === 'conversation' && { conversation }),
      ...(isFull && { store: false, include: ['reasoning.encrypted_content'] }),
    };
    const sent = await send(connection, '/v1/responses', request);
    const output = objectsOf(sent.answer['output']);
    if (isFull) history.push(...items, ...output);
    previous = textOf(sent.answer['id']);
    return {
      ...sent,
      text: output.flatMap(({ content }) => objectsOf(content).map(({ text }) => textOf(text))).join(''),
      calls: output
        .filter(({ type }) => type === 'function_call')
        .map(({ call_id, name, arguments: args }) => ({
          id: textOf(call_id),
          tool: toolNamed(name, connection.tools),
          args: parseJson(textOf(args)),
        })),
      hasThought: output.some(({ type }) => type === 'reasoning'),
    };
  }

  return {
    tellsFailures: false,
    returnsImages: true,
    ask: (model, words) => turn(model, [{ role: 'user', content: toParts(words) }]),
    answer: (model, results) =>
      turn(
        model,
        results.map((result) => ({
          type: 'function_call_output',
          call_id: result.call.id,
          output: result.image === undefined ? result.text : toParts(result),
        })),
      ),
  };
}

function toParts({ text, image }: UserWords): JsonObject[] {
  return [{ type: 'input_text', text }, ...(image === undefined ? [] : [{ type: 'input_image', image_url: dataUrl(image) }])];
}
