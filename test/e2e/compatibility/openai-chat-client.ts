import OpenAI from 'openai';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionContentPart,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessage,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import {
  createLossWatch,
  sampling,
  type ClientOptions,
  type ClientUnderTest,
  type Conversation,
  type ConversationOptions,
  type HowToAsk,
  type LossWatch,
  type Reply,
} from './client-under-test.ts';

/** What servers add to a message for thinking; the client's types do not know it. */
interface Thinking {
  readonly reasoning_content?: string;
  readonly reasoning?: string;
  readonly reasoning_details?: readonly object[];
}

/** `openai`, its `chat.completions`. */
export function createOpenAiChatClient({ url, headers }: ClientOptions): ClientUnderTest {
  const openClient = (watch: LossWatch): OpenAI =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none needed', maxRetries: 0, defaultHeaders: headers, fetch: watch.fetch });
  const client = openClient(createLossWatch());
  return {
    dialect: 'chat',
    settings: ['temperature', 'topP', 'seed', 'stop', 'maxTokens'],
    open: (options) => openConversation(openClient, options),
    countTokens: null,
    listModels: async () => {
      const names: string[] = [];
      for await (const { id } of client.models.list()) names.push(id);
      return names;
    },
  };
}

function openConversation(openClient: (watch: LossWatch) => OpenAI, options: ConversationOptions): Conversation {
  const watch = createLossWatch();
  const client = openClient(watch);
  const settings = toSettings(options);
  const messages: ChatCompletionMessageParam[] = [];
  let last: ChatCompletionMessage | undefined;
  async function ask({ stream, signal, onPiece }: HowToAsk): Promise<Reply> {
    const request = { ...settings, messages };
    const more = signal === undefined ? {} : { signal };
    let pieces = 0;
    let completion: ChatCompletion;
    if (stream) {
      const thinking = new ThinkingJoiner();
      const chunks = client.chat.completions.stream({ ...request, stream_options: { include_usage: true } }, more);
      for await (const chunk of chunks) {
        thinking.add(chunk);
        if (!chunk.choices[0]?.delta.content) continue;
        pieces++;
        onPiece?.();
      }
      completion = await chunks.finalChatCompletion();
      Object.assign(completion.choices[0]?.message ?? {}, thinking.joined());
    } else completion = await client.chat.completions.create(request, more);
    last = completion.choices[0]?.message;
    if (last !== undefined) messages.push(last);
    return toReply(completion, pieces, watch);
  }
  return {
    say({ text, image }, how) {
      const content: ChatCompletionContentPart[] = [{ type: 'text', text }];
      if (image !== undefined) content.push({ type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } });
      messages.push({ role: 'user', content });
      return ask(how);
    },
    giveResults(results, how) {
      for (const [at, { id }] of (last?.tool_calls ?? []).entries())
        messages.push({ role: 'tool', tool_call_id: id, content: results[at] ?? '' });
      return ask(how);
    },
  };
}

function toSettings({
  model,
  tools,
  schema,
  thinks,
  samples,
}: ConversationOptions): Omit<ChatCompletionCreateParamsNonStreaming, 'messages' | 'stream'> {
  const { temperature, topP, seed, stop, maxTokens } = sampling;
  const settings = { temperature, top_p: topP, seed, stop: [stop], max_completion_tokens: maxTokens };
  return {
    model,
    ...(tools !== undefined && {
      tools: tools.map(({ name, parameters }) => ({
        type: 'function' as const,
        function: { name, parameters, description: `Runs ${name}` },
      })),
    }),
    ...(schema !== undefined && {
      response_format: { type: 'json_schema' as const, json_schema: { name: 'answer', strict: true, schema } },
    }),
    ...(thinks === true && { reasoning_effort: 'low' as const }),
    ...(samples === true && settings),
  };
}

/** The client's stream helper keeps the last piece only of a member it does not know. Pieces of a detail with the same index are one. */
class ThinkingJoiner {
  readonly #texts = new Map<string, string>();
  readonly #details = new Map<unknown, Record<string, unknown>>();

  add({ choices }: ChatCompletionChunk): void {
    const delta = (choices[0]?.delta ?? {}) as Thinking;
    for (const name of ['reasoning_content', 'reasoning'] as const) {
      const text = delta[name];
      if (text) this.#texts.set(name, (this.#texts.get(name) ?? '') + text);
    }
    for (const detail of (delta.reasoning_details ?? []) as readonly Record<string, unknown>[]) {
      const before = this.#details.get(detail['index']) ?? {};
      const texts = [before['text'], detail['text']].filter((text) => typeof text === 'string');
      this.#details.set(detail['index'], { ...before, ...detail, ...(texts.length > 0 && { text: texts.join('') }) });
    }
  }

  joined(): Thinking {
    return {
      ...Object.fromEntries(this.#texts),
      ...(this.#details.size > 0 && { reasoning_details: [...this.#details.values()] }),
    };
  }
}

function toReply(completion: ChatCompletion, pieces: number, watch: LossWatch): Reply {
  const message = completion.choices[0]?.message;
  const { reasoning_content, reasoning } = (message ?? {}) as Thinking;
  const { usage } = completion;
  return {
    id: completion.id,
    text: message?.content ?? '',
    pieces,
    thinking: reasoning_content ?? reasoning ?? '',
    calls: (message?.tool_calls ?? []).flatMap((call) =>
      call.type === 'function' ? [{ name: call.function.name, arguments: JSON.parse(call.function.arguments) as unknown }] : [],
    ),
    usage: usage ? { input: usage.prompt_tokens, output: usage.completion_tokens } : null,
    failure: null,
    losses: watch.take(),
  };
}
