import { parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { contentsOf, declarationsOf, objectOf, objectsOf, textOf } from '../../doubles/gemini-model/gemini-words.ts';

/** What a model sees of a conversation, in order, whatever its server's protocol. */
export type ViewEntry =
  | { readonly kind: 'user' | 'assistant'; readonly text: string }
  /** Thinking that came back with the state its server gave for it, or as text in a field for it. */
  | { readonly kind: 'thought' }
  /** `tool`: the description of the tool; names differ from server to server. */
  | { readonly kind: 'call'; readonly tool: string; readonly args: unknown }
  | { readonly kind: 'result'; readonly text: string; readonly isError: boolean }
  /** Base64. */
  | { readonly kind: 'image'; readonly data: string };

export type Protocol = 'anthropic' | 'chat' | 'gemini' | 'responses';

/** The tools of a request, in order: how this server knows them, and what they are. */
export function toolsOf(protocol: Protocol, body: JsonObject): readonly { readonly name: string; readonly tool: string }[] {
  const tools = protocol === 'gemini' ? declarationsOf(body) : objectsOf(body['tools']);
  return tools
    .map((tool) => (protocol === 'chat' ? objectOf(tool['function']) : tool))
    .map(({ name, description }) => ({ name: textOf(name), tool: textOf(description) }));
}

/** The conversation in a request's body. */
export function readView(protocol: Protocol, body: JsonObject): readonly ViewEntry[] {
  const names = new Map(toolsOf(protocol, body).map(({ name, tool }) => [name, tool]));
  const toTool = (name: unknown): string => names.get(textOf(name)) ?? `unknown tool ${textOf(name)}`;
  switch (protocol) {
    case 'anthropic':
      return objectsOf(body['messages']).flatMap(({ role, content }) =>
        blocksOf(content).flatMap((block) => fromBlock(block, role, toTool)),
      );
    case 'chat':
      return objectsOf(body['messages']).flatMap((message) => fromMessage(message, toTool));
    case 'gemini':
      return contentsOf(body).flatMap(({ role, parts }) => parts.flatMap((part) => fromPart(part, role, toTool)));
    case 'responses':
      return objectsOf(body['input']).flatMap((item) => fromItem(item, toTool));
  }
}

type ToTool = (name: unknown) => string;

function said(role: unknown, text: unknown): ViewEntry[] {
  return textOf(text) === ''
    ? []
    : [{ kind: role === 'assistant' || role === 'model' ? 'assistant' : 'user', text: textOf(text) }];
}

function blocksOf(content: unknown): readonly JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content);
}

function fromBlock(block: JsonObject, role: unknown, toTool: ToTool): ViewEntry[] {
  switch (block['type']) {
    case 'text':
      return said(role, block['text']);
    case 'thinking':
    case 'redacted_thinking':
      return [{ kind: 'thought' }];
    case 'image':
      return [{ kind: 'image', data: textOf(objectOf(block['source'])['data']) }];
    case 'tool_use':
      return [{ kind: 'call', tool: toTool(block['name']), args: block['input'] }];
    case 'tool_result': {
      const inner = blocksOf(block['content'] ?? []);
      return [
        { kind: 'result', text: joined(inner), isError: block['is_error'] === true },
        ...inner.filter(({ type }) => type === 'image').flatMap((image) => fromBlock(image, role, toTool)),
      ];
    }
    default:
      return [];
  }
}

function fromMessage(message: JsonObject, toTool: ToTool): ViewEntry[] {
  const { role, content } = message;
  if (role === 'tool') return [{ kind: 'result', text: joined(blocksOf(content)), isError: false }];
  const thought = message['reasoning_content'] ?? message['reasoning'] ?? message['reasoning_details'];
  return [
    ...(thought === undefined ? [] : [{ kind: 'thought' } as const]),
    ...blocksOf(content ?? []).flatMap((part) =>
      part['type'] === 'image_url' ? [imageOf(objectOf(part['image_url'])['url'])] : said(role, part['text']),
    ),
    ...objectsOf(message['tool_calls']).map((call): ViewEntry => {
      const { name, arguments: args } = objectOf(call['function']);
      return { kind: 'call', tool: toTool(name), args: parseJson(textOf(args)) };
    }),
  ];
}

function fromPart(part: JsonObject, role: unknown, toTool: ToTool): ViewEntry[] {
  const thought: ViewEntry[] = isState(part['thoughtSignature']) ? [{ kind: 'thought' }] : [];
  if (part['inlineData'] !== undefined) return [{ kind: 'image', data: textOf(objectOf(part['inlineData'])['data']) }];
  if (part['functionCall'] !== undefined) {
    const { name, args = {} } = objectOf(part['functionCall']);
    return [...thought, { kind: 'call', tool: toTool(name), args }];
  }
  if (part['functionResponse'] === undefined) return [...thought, ...said(role, part['text'])];
  const { response, parts } = objectOf(part['functionResponse']);
  const text = Object.values(objectOf(response)).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return [
    { kind: 'result', text: text.join('\n'), isError: objectOf(response)['error'] !== undefined },
    ...objectsOf(parts).flatMap((inner) => fromPart(inner, role, toTool)),
  ];
}

/** Google's dummy value says that there is none. */
function isState(signature: unknown): boolean {
  return typeof signature === 'string' && !signature.startsWith('skip_thought');
}

function fromItem(item: JsonObject, toTool: ToTool): ViewEntry[] {
  switch (item['type']) {
    case 'reasoning':
      return [{ kind: 'thought' }];
    case 'function_call':
      return [{ kind: 'call', tool: toTool(item['name']), args: parseJson(textOf(item['arguments'])) }];
    case 'function_call_output': {
      const parts = blocksOf(item['output']);
      return [{ kind: 'result', text: joined(parts), isError: false }, ...parts.flatMap((part) => imagesOf(part))];
    }
    default:
      return blocksOf(item['content']).flatMap((part) => [...imagesOf(part), ...said(item['role'], part['text'])]);
  }
}

function imagesOf({ type, image_url }: JsonObject): ViewEntry[] {
  return type === 'input_image' ? [imageOf(image_url)] : [];
}

function imageOf(url: unknown): ViewEntry {
  return { kind: 'image', data: textOf(url).replace(/^data:[^,]*,/, '') };
}

function joined(parts: readonly JsonObject[]): string {
  return parts
    .map(({ text }) => textOf(text))
    .filter((text) => text !== '')
    .join('\n');
}
