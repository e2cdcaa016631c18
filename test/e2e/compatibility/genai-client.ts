import {
  GoogleGenAI,
  type Chat,
  type FunctionCall,
  type GenerateContentConfig,
  type GenerateContentResponse,
  type Part,
} from '@google/genai';
import {
  readLosses,
  sampling,
  type ClientOptions,
  type ClientUnderTest,
  type Conversation,
  type ConversationOptions,
  type HowToAsk,
  type Reply,
} from './client-under-test.ts';

/** `@google/genai`, its chat helper, which keeps the history. */
export function createGenAiClient({ url, headers }: ClientOptions): ClientUnderTest {
  const client = new GoogleGenAI({ apiKey: 'none needed', httpOptions: { baseUrl: url, headers: { ...headers } } });
  return {
    dialect: 'gemini',
    settings: ['temperature', 'topP', 'topK', 'seed', 'stop', 'maxTokens'],
    open: (options) =>
      openConversation(client.chats.create({ model: options.model, config: toConfig(options) }), toConfig(options)),
    countTokens: async (model, text) => {
      const { totalTokens = 0, sdkHttpResponse } = await client.models.countTokens({ model, contents: text });
      return { count: totalTokens, losses: readLosses(sdkHttpResponse?.headers?.['antiphon-losses']) };
    },
    listModels: async () => {
      const names: string[] = [];
      for await (const { name = '' } of await client.models.list()) names.push(name.replace(/^models\//, ''));
      return names;
    },
  };
}

function openConversation(chat: Chat, config: GenerateContentConfig): Conversation {
  let last: FunctionCall[] = [];
  async function ask(message: Part[], { stream, signal, onPiece }: HowToAsk): Promise<Reply> {
    const request = { message, config: { ...config, ...(signal !== undefined && { abortSignal: signal }) } };
    const chunks: GenerateContentResponse[] = [];
    if (stream) {
      for await (const chunk of await chat.sendMessageStream(request)) {
        chunks.push(chunk);
        if (textsOf([chunk], false) !== '') onPiece?.();
      }
    } else chunks.push(await chat.sendMessage(request));
    last = partsOf(chunks).flatMap(({ functionCall }) => functionCall ?? []);
    return toReply(chunks, last);
  }
  return {
    say({ text, image }, how) {
      const picture = image === undefined ? [] : [{ inlineData: { mimeType: 'image/png', data: image } }];
      return ask([{ text }, ...picture], how);
    },
    giveResults: (results, how) =>
      ask(
        last.map(({ id, name }, at) => ({
          functionResponse: {
            ...(id !== undefined && { id }),
            ...(name !== undefined && { name }),
            response: { output: results[at] ?? '' },
          },
        })),
        how,
      ),
  };
}

function toConfig({ tools, schema, thinks, samples }: ConversationOptions): GenerateContentConfig {
  const { temperature, topP, topK, seed, stop, maxTokens } = sampling;
  return {
    ...(tools !== undefined && {
      tools: [
        {
          functionDeclarations: tools.map(({ name, parameters }) => ({
            name,
            description: `Runs ${name}`,
            parametersJsonSchema: parameters,
          })),
        },
      ],
    }),
    ...(schema !== undefined && { responseMimeType: 'application/json', responseJsonSchema: schema }),
    ...(thinks === true && { thinkingConfig: { includeThoughts: true } }),
    ...(samples === true && { temperature, topP, topK, seed, stopSequences: [stop], maxOutputTokens: maxTokens }),
  };
}

function partsOf(chunks: readonly GenerateContentResponse[]): Part[] {
  return chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
}

function textsOf(chunks: readonly GenerateContentResponse[], areThoughts: boolean): string {
  return partsOf(chunks)
    .map(({ text = '', thought = false }) => (thought === areThoughts ? text : ''))
    .join('');
}

function usageOf(chunks: readonly GenerateContentResponse[]): Reply['usage'] {
  const usage = chunks.findLast(({ usageMetadata }) => usageMetadata !== undefined)?.usageMetadata;
  if (usage === undefined) return null;
  const { promptTokenCount = 0, candidatesTokenCount = 0, thoughtsTokenCount = 0 } = usage;
  return { input: promptTokenCount, output: candidatesTokenCount + thoughtsTokenCount };
}

function toReply(chunks: readonly GenerateContentResponse[], calls: readonly FunctionCall[]): Reply {
  return {
    id: chunks[0]?.responseId ?? '',
    text: textsOf(chunks, false),
    pieces: chunks.filter((chunk) => textsOf([chunk], false) !== '').length,
    thinking: textsOf(chunks, true),
    calls: calls.map(({ name = '', args }) => ({ name, arguments: args })),
    usage: usageOf(chunks),
    failure: null,
    losses: readLosses(chunks[0]?.sdkHttpResponse?.headers?.['antiphon-losses']),
  };
}
