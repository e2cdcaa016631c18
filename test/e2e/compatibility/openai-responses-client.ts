import OpenAI from 'openai';
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseInput,
  ResponseInputContent,
  ResponseInputItem,
} from 'openai/resources/responses/responses';
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

/** `openai`, its `responses`: a client that keeps its own history (`store: false`). */
export function createOpenAiResponsesClient({ url, headers }: ClientOptions): ClientUnderTest {
  const openClient = (watch: LossWatch): OpenAI =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none needed', maxRetries: 0, defaultHeaders: headers, fetch: watch.fetch });
  const watch = createLossWatch();
  const client = openClient(watch);
  return {
    dialect: 'responses',
    settings: ['temperature', 'topP', 'maxTokens'],
    open: (options) => openConversation(openClient, options),
    countTokens: async (model, text) => {
      const counted = await client.responses.inputTokens.count({ model, input: text });
      return { count: counted.input_tokens, losses: watch.take() };
    },
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
  const input: ResponseInput = [];
  let last: Response['output'] = [];
  async function ask({ stream, signal, onPiece }: HowToAsk): Promise<Reply> {
    const request = { ...settings, input };
    let pieces = 0;
    let response: Response;
    const more = signal === undefined ? {} : { signal };
    if (stream) {
      const events = client.responses.stream(request, more);
      for await (const { type } of events) {
        if (type !== 'response.output_text.delta') continue;
        pieces++;
        onPiece?.();
      }
      response = await events.finalResponse();
    } else response = await client.responses.create(request, more);
    last = response.output;
    // What a client gives back is what it got, verbatim.
    input.push(...(last as ResponseInputItem[]));
    return toReply(response, pieces, watch);
  }
  return {
    say({ text, image }, how) {
      const content: ResponseInputContent[] = [{ type: 'input_text', text }];
      if (image !== undefined) content.push({ type: 'input_image', image_url: `data:image/png;base64,${image}`, detail: 'auto' });
      input.push({ role: 'user', content });
      return ask(how);
    },
    giveResults(results, how) {
      const calls = last.filter((item) => item.type === 'function_call');
      for (const [at, { call_id }] of calls.entries())
        input.push({ type: 'function_call_output', call_id, output: results[at] ?? '' });
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
}: ConversationOptions): Omit<ResponseCreateParamsNonStreaming, 'input' | 'stream'> {
  const { temperature, topP, maxTokens } = sampling;
  return {
    model,
    store: false,
    include: ['reasoning.encrypted_content'],
    ...(tools !== undefined && {
      tools: tools.map(({ name, parameters }) => ({
        ...{ type: 'function' as const, name, parameters, strict: false },
        description: `Runs ${name}`,
      })),
    }),
    ...(schema !== undefined && { text: { format: { type: 'json_schema' as const, name: 'answer', strict: true, schema } } }),
    ...(thinks === true && { reasoning: { effort: 'low' as const, summary: 'auto' as const } }),
    ...(samples === true && { temperature, top_p: topP, max_output_tokens: maxTokens }),
  };
}

function toReply(response: Response, pieces: number, watch: LossWatch): Reply {
  const { output, usage } = response;
  return {
    id: response.id,
    text: output
      .flatMap((item) => (item.type === 'message' ? item.content : []))
      .map((part) => (part.type === 'output_text' ? part.text : ''))
      .join(''),
    pieces,
    thinking: output
      .flatMap((item) => (item.type === 'reasoning' ? [...item.summary, ...(item.content ?? [])] : []))
      .map(({ text }) => text)
      .join(''),
    calls: output.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, arguments: JSON.parse(item.arguments) as unknown }] : [],
    ),
    usage: usage ? { input: usage.input_tokens, output: usage.output_tokens } : null,
    failure: response.status === 'failed' ? (response.error?.message ?? 'failed') : null,
    losses: watch.take(),
  };
}
