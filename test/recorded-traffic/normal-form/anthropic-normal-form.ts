import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { listOf, loose, words, type Loose } from '../loose.ts';
import { without, withoutNothing } from './without-nothing.ts';

/** A recorded body of the Messages API as the Anthropic backend writes the same (docs/normal-form.md). */
export function toAnthropicNormalForm(body: JsonObject): JsonObject {
  const tools = toTools(body);
  const { max_tokens, metadata, stop_sequences, model, temperature, top_p, top_k, stream, system } = body;
  const choice = loose(body['tool_choice']);
  const isDemand = ['any', 'tool'].includes(words(choice['type']));
  const kind = words(loose(body['thinking'])['type']);
  const isThinking = kind !== '' && kind !== 'disabled' && !isDemand;
  return withoutNothing({
    ...{ model, max_tokens, metadata, stop_sequences, top_p, top_k },
    system: toSystem(system),
    messages: toMessages(listOf(body['messages'])),
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: tools.length === 0 || isPlainAuto(choice) ? undefined : body['tool_choice'],
    thinking: isDemand && kind !== '' ? { type: 'disabled' } : toThinking(body['thinking']),
    output_config: toOutputConfig(body, isThinking && kind === 'adaptive'),
    temperature: isThinking && temperature === 1 ? undefined : temperature,
    stream: stream === true ? true : undefined,
  });
}

/** What was sent, without the cache markers: where those stand is the backend's own matter. */
export function withoutMarkers(sent: JsonObject): JsonObject {
  const text = JSON.stringify(sent, (key, member: unknown) => (key === 'cache_control' ? undefined : member));
  return JSON.parse(text) as JsonObject;
}

function toSystem(system: unknown): JsonObject[] | undefined {
  const text =
    typeof system === 'string'
      ? system
      : listOf(system)
          .map((block) => words(block['text']))
          .filter(Boolean)
          .join('\n\n');
  return text === '' ? undefined : [{ type: 'text', text }];
}

interface Message {
  readonly role: string;
  readonly content: JsonObject[];
}

/** Neighbours of one role are one message; results of tools stand first in theirs. */
function toMessages(messages: readonly Loose[]): Message[] {
  const merged: Message[] = [];
  for (const { role, content } of messages) {
    const blocks =
      typeof content === 'string' ? toBlock(loose({ type: 'text', text: content })) : listOf(content).flatMap(toBlock);
    const last = merged.at(-1);
    if (last !== undefined && last.role === words(role)) last.content.push(...blocks);
    else if (blocks.length > 0) merged.push({ role: words(role), content: blocks });
  }
  return merged.map((message) => ({ ...message, content: inOrder(message.content) }));
}

/** Results first, calls last. */
function inOrder(blocks: readonly JsonObject[]): JsonObject[] {
  const placeOf = ({ type }: JsonObject): number => (type === 'tool_result' ? 0 : type === 'tool_use' ? 2 : 1);
  return [...blocks].sort((one, other) => placeOf(one) - placeOf(other));
}

/** Blocks of tools that a server ran are left out: what was said with them is there. So are blank texts, which Anthropic refuses. */
function toBlock(block: Loose): JsonObject[] {
  const { type, text, id, name, input, source, thinking, signature, data } = block;
  switch (words(type)) {
    case 'text':
      return words(text).trim() === '' ? [] : [{ type, text }];
    case 'image':
      return [{ type, source }];
    case 'document':
      return [toDocument(block)];
    case 'thinking':
      return words(signature) === '' ? [] : [{ type, thinking, signature }];
    case 'redacted_thinking':
      return [{ type, data }];
    case 'tool_use':
      return [{ type, id, name, input }];
    case 'tool_result':
      return [toResult(block)];
    default:
      return [];
  }
}

/** A document of plain text is text, with its name before it. */
function toDocument({ type, source, title, context }: Loose): JsonObject {
  if (words(loose(source)['type']) !== 'text') return withoutNothing({ type, source, title });
  const texts = [title, context, loose(source)['data']].map(words).filter(Boolean);
  return { type: 'text', text: texts.join('\n\n') };
}

/** A single text is a string; success need not be said. */
function toResult({ type, tool_use_id, content, is_error }: Loose): JsonObject {
  const blocks = typeof content === 'string' ? toBlock(loose({ type: 'text', text: content })) : listOf(content).flatMap(toBlock);
  const [first] = blocks;
  const said = blocks.length === 1 && first?.['type'] === 'text' ? first['text'] : blocks;
  return withoutNothing({
    type,
    tool_use_id,
    content: blocks.length === 0 ? undefined : said,
    is_error: is_error ? true : undefined,
  });
}

/**
 * Functions, of which a choice leaves only the chosen one; tools of Anthropic's that the client runs; and web search, in the version that needs nothing beside it. The loss of others, which
 * Anthropic runs, is reported.
 */
function toTools({ tools, tool_choice }: JsonObject): JsonObject[] {
  const declared = listOf(tools);
  const chosen = words(loose(tool_choice)['name']);
  const functions = declared.filter(
    ({ type, name }) => ['', 'custom'].includes(words(type)) && (chosen === '' || words(name) === chosen),
  );
  const searches = declared.filter(({ type }) => words(type).startsWith('web_search_'));
  const ownTools = declared.filter(({ type }) => /^(bash|text_editor|memory)_\d{8}$/.test(words(type)));
  return [...functions.map(toFunction), ...ownTools.map((tool) => without(tool, 'cache_control')), ...searches.map(toSearch)];
}

/** What only steers when and how a tool is loaded is left out; all tools are. */
function toFunction({ name, description, input_schema, strict }: Loose): JsonObject {
  return withoutNothing({
    ...{ name, input_schema },
    description: words(description) === '' ? undefined : description,
    strict: strict ? true : undefined,
  });
}

function toSearch({ name, allowed_domains, blocked_domains, max_uses, user_location }: Loose): JsonObject {
  return withoutNothing({ type: 'web_search_20250305', name, allowed_domains, blocked_domains, max_uses, user_location });
}

function isPlainAuto(choice: Loose): boolean {
  return ['', 'auto'].includes(words(choice['type'])) && !choice['disable_parallel_tool_use'];
}

/** A budget goes without `display`; who lets the model decide sees what it thinks, unless it says otherwise. */
function toThinking(thinking: unknown): unknown {
  if (!isJsonObject(thinking)) return undefined;
  const { type, budget_tokens, display } = thinking;
  if (type === 'enabled') return { type, budget_tokens };
  if (type !== 'adaptive') return { type };
  return withoutNothing({ type, display: display === 'omitted' ? undefined : 'summarized' });
}

/** `output_format` is the older name. An effort that is not named is `high`. */
function toOutputConfig({ output_config, output_format }: JsonObject, isAdaptive: boolean): JsonObject | undefined {
  const { effort, format } = loose(output_config);
  const config = withoutNothing({ effort: effort ?? (isAdaptive ? 'high' : undefined), format: format ?? output_format });
  return Object.keys(config).length === 0 ? undefined : config;
}
