import type { JsonObject } from '../../../src/lib/json.ts';
import { listOf, loose, words, type Loose } from '../loose.ts';
import { withoutNothing } from './without-nothing.ts';

const sealedReasoning = 'reasoning.encrypted_content';

/** A recorded body of the Responses API as the `responses` backend writes the same (docs/normal-form.md). */
export function toResponsesNormalForm(body: JsonObject): JsonObject {
  const tools = toTools(body);
  const { model, max_output_tokens, temperature, top_p, top_logprobs, service_tier, prompt_cache_key, stream } = body;
  const { instructions, safety_identifier, user, parallel_tool_calls, text, reasoning, include } = body;
  return withoutNothing({
    ...{ model, max_output_tokens, temperature, top_p, top_logprobs, service_tier, prompt_cache_key },
    ...{ safety_identifier: safety_identifier ?? user, store: false },
    instructions: instructions === '' ? undefined : instructions,
    input: toInput(body['input']),
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: toChoice(body['tool_choice'], tools),
    parallel_tool_calls: parallel_tool_calls === false && tools.length > 0 ? false : undefined,
    text: toText(loose(text)),
    reasoning: toReasoning(loose(reasoning)),
    include: listOf(include).map(String).includes('message.output_text.logprobs') ? ['message.output_text.logprobs'] : undefined,
    stream: stream === true ? true : undefined,
  });
}

/** What was sent, without the wish for sealed reasoning: the backend has it for each model that thinks, whoever asks. */
export function withoutOwnWishes(sent: JsonObject): JsonObject {
  const include = listOf(sent['include'])
    .map(String)
    .filter((one) => one !== sealedReasoning);
  return withoutNothing({ ...sent, include: include.length === 0 ? undefined : include });
}

function toInput(input: unknown): JsonObject[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  const items = listOf(input);
  return items.flatMap((item, at) => toItem(item, { before: items.slice(0, at), after: items.slice(at + 1) }));
}

/** Where an item stands. */
interface Place {
  readonly before: readonly Loose[];
  readonly after: readonly Loose[];
}

/** Of a history of the server's own tools the text that was said with them stays. Reasoning stays where an answer follows it. */
function toItem(item: Loose, { before, after }: Place): JsonObject[] {
  const { type, call_id, name, arguments: text } = item;
  switch (typeOf(item)) {
    case 'message':
      return toMessage(item);
    case 'function_call':
      return [{ type, call_id, name, arguments: text }];
    case 'function_call_output':
      return isAnswer(item, before) ? [{ type, call_id, output: toContent(item['output']) ?? '' }] : [];
    case 'reasoning':
      return leadsToAnswer(after) ? [toReasoningItem(item)] : [];
    default:
      return [];
  }
}

function typeOf({ type, role }: Loose): string {
  return words(type) === '' && words(role) !== '' ? 'message' : words(type);
}

/** What answers a call that cannot be shown (a search for tools) cannot be shown either. */
function isAnswer({ call_id }: Loose, before: readonly Loose[]): boolean {
  return before.some((item) => typeOf(item) === 'function_call' && words(item['call_id']) === words(call_id));
}

function leadsToAnswer(following: readonly Loose[]): boolean {
  const next = following.find((item) => ['message', 'function_call', 'function_call_output'].includes(typeOf(item)));
  return next !== undefined && (typeOf(next) === 'function_call' || words(next['role']) === 'assistant');
}

function toMessage({ role, content, phase }: Loose): JsonObject[] {
  const said = toContent(content) ?? (listOf(content).some(isRemote) ? '(an attachment that cannot be shown)' : undefined);
  return said === undefined ? [] : [withoutNothing({ type: 'message', role, content: said, phase })];
}

/** A server in this network (as the one of this test is) must not fetch what a client names. */
function isRemote({ image_url, file_url }: Loose): boolean {
  return [image_url, file_url].some((url) => words(url).startsWith('http'));
}

/** A single text is a string; empty texts are left out, and messages that say nothing. */
function toContent(content: unknown): unknown {
  if (typeof content === 'string') return content === '' ? undefined : content;
  const parts = listOf(content)
    .filter((part) => !isRemote(part))
    .flatMap(toPart);
  const [only] = parts;
  if (only === undefined) return undefined;
  return parts.length === 1 && ['input_text', 'output_text'].includes(words(only['type'])) ? only['text'] : parts;
}

function toPart({ type, text, refusal, image_url, detail, filename, file_data }: Loose): JsonObject[] {
  switch (words(type)) {
    case 'input_text':
    case 'output_text':
      return words(text) === '' ? [] : [{ type, text }];
    case 'refusal':
      return [{ type, refusal }];
    case 'input_image':
      return [withoutNothing({ type, image_url, detail })];
    default:
      return [withoutNothing({ type, filename, file_data })];
  }
}

function toReasoningItem({ type, id, summary, content, encrypted_content }: Loose): JsonObject {
  const thoughts = listOf(content);
  return withoutNothing({
    ...{ type, summary, encrypted_content },
    id: words(id) === '' ? undefined : id,
    content: thoughts.length > 0 ? thoughts : undefined,
  });
}

/** Tools that the server runs are passed on behind the functions; others, whose calls nobody could see, are reported as lost. A choice leaves only the chosen ones. */
function toTools({ tools, tool_choice }: JsonObject): JsonObject[] {
  const declared = listOf(tools);
  const chosen = words(loose(tool_choice)['name']);
  const functions = declared.filter(({ type, name }) => words(type) === 'function' && (chosen === '' || words(name) === chosen));
  const hosted = tool_choice === 'none' || chosen !== '' ? [] : declared.filter(({ type }) => isRunByServer(words(type)));
  return [...functions.map(toFunction), ...hosted];
}

function isRunByServer(type: string): boolean {
  return !['function', 'tool_search', 'local_shell', 'apply_patch', 'computer_use_preview', 'namespace'].includes(type);
}

/** Where `strict` is left out, this gateway says false: a schema is not changed behind the client's back. */
function toFunction({ type, name, description, parameters, strict }: Loose): JsonObject {
  const schema = parameters ?? { type: 'object', properties: {} };
  return { ...withoutNothing({ type, name, description, parameters: schema }), strict: Boolean(strict) };
}

/** The use of the server's own tools cannot be demanded. */
function toChoice(choice: unknown, tools: readonly JsonObject[]): unknown {
  const hasFunctions = tools.some(({ type }) => type === 'function');
  if (choice === 'auto' || tools.length === 0) return undefined;
  if (choice === 'required') return hasFunctions ? choice : undefined;
  if (choice === 'none') return choice;
  return words(loose(choice)['type']) === 'function' ? choice : undefined;
}

function toText({ format, verbosity }: Loose): JsonObject | undefined {
  const isPlain = format === undefined || words(format['type']) === 'text';
  const text = withoutNothing({ format: isPlain ? undefined : toFormat(format), verbosity });
  return Object.keys(text).length === 0 ? undefined : text;
}

function toFormat({ type, name, description, schema, strict }: Loose): JsonObject {
  if (words(type) === 'json_object') return { type };
  return { ...withoutNothing({ type, name, description, schema }), strict: Boolean(strict) };
}

function toReasoning({ effort, summary }: Loose): JsonObject | undefined {
  const reasoning = withoutNothing({ effort, summary });
  return Object.keys(reasoning).length === 0 ? undefined : reasoning;
}
