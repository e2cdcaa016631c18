import Anthropic from '@anthropic-ai/sdk';
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

/** `@anthropic-ai/sdk`. */
export function createAnthropicClient({ url, headers }: ClientOptions): ClientUnderTest {
  const openClient = (watch: LossWatch): Anthropic =>
    new Anthropic({ baseURL: url, apiKey: 'none needed', maxRetries: 0, defaultHeaders: headers, fetch: watch.fetch });
  const watch = createLossWatch();
  const client = openClient(watch);
  return {
    dialect: 'anthropic',
    settings: ['temperature', 'topP', 'topK', 'stop', 'maxTokens'],
    open: (options) => openConversation(openClient, options),
    countTokens: async (model, text) => {
      const counted = await client.messages.countTokens({ model, messages: [{ role: 'user', content: text }] });
      return { count: counted.input_tokens, losses: watch.take() };
    },
    listModels: async () => {
      const names: string[] = [];
      for await (const { id } of client.models.list()) names.push(id);
      return names;
    },
  };
}

function openConversation(openClient: (watch: LossWatch) => Anthropic, options: ConversationOptions): Conversation {
  const watch = createLossWatch();
  const client = openClient(watch);
  const settings = toSettings(options);
  const messages: Anthropic.MessageParam[] = [];
  let last: Anthropic.ContentBlock[] = [];
  async function ask({ stream, signal, onPiece }: HowToAsk): Promise<Reply> {
    const request = { ...settings, messages };
    const more = signal === undefined ? {} : { signal };
    let pieces = 0;
    let message: Anthropic.Message;
    if (stream) {
      const events = client.messages.stream(request, more);
      events.on('text', () => {
        pieces++;
        onPiece?.();
      });
      message = await events.finalMessage();
    } else message = await client.messages.create(request, more);
    last = message.content;
    messages.push({ role: 'assistant', content: last });
    return toReply(message, pieces, watch);
  }
  return {
    say({ text, image }, how) {
      const content: Anthropic.ContentBlockParam[] = [{ type: 'text', text }];
      if (image !== undefined) content.push({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } });
      messages.push({ role: 'user', content });
      return ask(how);
    },
    giveResults(results, how) {
      const calls = last.filter((block) => block.type === 'tool_use');
      const content = calls.map(({ id }, at) => ({ type: 'tool_result' as const, tool_use_id: id, content: results[at] ?? '' }));
      messages.push({ role: 'user', content });
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
}: ConversationOptions): Omit<Anthropic.MessageCreateParamsNonStreaming, 'messages'> {
  const { temperature, topP, topK, stop, maxTokens } = sampling;
  return {
    model,
    max_tokens: 4000,
    ...(tools !== undefined && {
      tools: tools.map(({ name, parameters }) => ({
        name,
        description: `Runs ${name}`,
        input_schema: { ...parameters, type: 'object' as const },
      })),
    }),
    ...(schema !== undefined && { output_config: { format: { type: 'json_schema' as const, schema } } }),
    ...(thinks === true && { thinking: { type: 'adaptive' as const, display: 'summarized' as const } }),
    ...(samples === true && { temperature, top_p: topP, top_k: topK, stop_sequences: [stop], max_tokens: maxTokens }),
  };
}

function toReply({ id, content, usage }: Anthropic.Message, pieces: number, watch: LossWatch): Reply {
  const input = usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  return {
    id,
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    pieces,
    thinking: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    calls: content.flatMap((block) => (block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [])),
    usage: { input, output: usage.output_tokens },
    failure: null,
    losses: watch.take(),
  };
}
