import type { JsonObject } from '../../../src/lib/json.ts';
import { objectOf, objectsOf, textOf } from '../../doubles/gemini-model/gemini-words.ts';
import { nameOf, send, toolNamed, type ClientTurn, type Connection, type PortableClient, type UserWords } from './client.ts';

/** A client of `generateContent` that sends back every part as it came. */
export function createGeminiClient(connection: Connection, history: readonly JsonObject[] = []): PortableClient {
  const contents = [...history];

  async function turn(model: string, parts: readonly JsonObject[]): Promise<ClientTurn> {
    contents.push({ role: 'user', parts });
    const declarations = connection.tools.map((tool) => ({ ...tool, parametersJsonSchema: { type: 'object', properties: {} } }));
    const sent = await send(connection, `/v1beta/models/${model}:generateContent`, {
      contents: [...contents],
      tools: [{ functionDeclarations: declarations }],
      generationConfig: { thinkingConfig: { includeThoughts: true, thinkingLevel: 'LOW' } },
    });
    const content = objectOf(objectsOf(sent.answer['candidates'])[0]?.['content']);
    const got = objectsOf(content['parts']);
    contents.push(content);
    return {
      ...sent,
      text: got
        .filter(({ thought }) => thought !== true)
        .map(({ text }) => textOf(text))
        .join(''),
      calls: got.flatMap(({ functionCall }) => {
        if (functionCall === undefined) return [];
        const { id, name, args = {} } = objectOf(functionCall);
        return [{ id: textOf(id), tool: toolNamed(name, connection.tools), args }];
      }),
      hasThought: got.some(({ thought, thoughtSignature }) => thought === true || thoughtSignature !== undefined),
    };
  }

  return {
    tellsFailures: true,
    returnsImages: true,
    ask: (model, words) => turn(model, [{ text: words.text }, ...toMedia(words)]),
    answer: (model, results) =>
      turn(
        model,
        results.map(({ call, text, isError = false, ...words }) => ({
          functionResponse: {
            ...(call.id !== '' && { id: call.id }),
            name: nameOf(call.tool, connection.tools),
            response: isError ? { error: text } : { result: text },
            ...(words.image !== undefined && { parts: toMedia({ text, ...words }) }),
          },
        })),
      ),
  };
}

function toMedia({ image }: UserWords): JsonObject[] {
  return image === undefined ? [] : [{ inlineData: { mimeType: 'image/png', data: image } }];
}
