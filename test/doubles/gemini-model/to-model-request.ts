import type { JsonObject } from '../../../src/lib/json.ts';
import type { ContentPart, FunctionTool, InputItem, ModelRequest, ToolChoice } from '../../../src/model/model-request.ts';
import { contentsOf, declarationsOf, member, objectOf, objectsOf, textOf, withoutTemplate } from './gemini-words.ts';

/** A Gemini request as the rehearsal backend wants it, as far as it makes a difference there. The template of an agent server is taken off the user's texts. */
export function toModelRequest(body: JsonObject, rehearsalModel: string, stream: boolean): ModelRequest {
  const config = objectOf(member(body, 'generationConfig'));
  const thinking = objectOf(member(config, 'thinkingConfig'));
  const limit = member(config, 'maxOutputTokens');
  const system = objectsOf(objectOf(member(body, 'systemInstruction'))['parts']).map((part) => textOf(part['text']));
  const level = member(thinking, 'thinkingLevel');
  return {
    model: rehearsalModel,
    instructions: system.length === 0 ? null : system.join('\n'),
    input: toInput(body),
    tools: declarationsOf(body).map(toTool),
    hostedTools: [],
    toolChoice: toChoice(objectOf(member(objectOf(member(body, 'toolConfig')), 'functionCallingConfig'))),
    parallelToolCalls: true,
    format: toFormat(config),
    verbosity: null,
    reasoning: {
      effort: typeof level === 'string' ? level.toLowerCase() : null,
      summary: member(thinking, 'includeThoughts') === true ? 'auto' : null,
    },
    maxOutputTokens: typeof limit === 'number' ? limit : null,
    temperature: null,
    topP: null,
    topK: null,
    stop: [],
    seed: null,
    thinkingBudget: null,
    presencePenalty: null,
    frequencyPenalty: null,
    topLogprobs: null,
    serviceTier: null,
    promptCacheKey: null,
    safetyIdentifier: null,
    stream,
    session: null,
  };
}

function toInput(body: JsonObject): InputItem[] {
  const input: InputItem[] = [];
  let calls: string[] = [];
  for (const [at, { role, parts }] of contentsOf(body).entries()) {
    const path = `contents[${at}]`;
    if (role === 'model')
      calls = parts.filter((part) => part['functionCall'] !== undefined).map((_, index) => `${path}.call${index}`);
    const texts = parts.flatMap((part) => toContent(part, path));
    let call = 0;
    for (const part of parts) if (part['functionCall'] !== undefined) input.push(toCall(part, calls[call++] ?? '', path));
    for (const part of parts) {
      if (part['functionResponse'] === undefined) continue;
      input.push(toOutput(part, calls.shift() ?? '', path));
    }
    if (texts.length > 0) input.push({ type: 'message', role: role === 'model' ? 'assistant' : 'user', content: texts, path });
  }
  return input;
}

function toContent(part: JsonObject, path: string): ContentPart[] {
  const { mimeType, data } = objectOf(member(part, 'inlineData'));
  if (typeof mimeType === 'string') {
    const source = { type: 'data' as const, mediaType: mimeType, base64: textOf(data) };
    return [
      mimeType.startsWith('image/')
        ? { type: 'image', source, detail: null, path }
        : { type: 'file', source, filename: null, path },
    ];
  }
  const text = part['thought'] === true ? '' : withoutTemplate(textOf(part['text']));
  return text === '' ? [] : [{ type: 'text', text, path }];
}

function toCall(part: JsonObject, callId: string, path: string): InputItem {
  const { name, args } = objectOf(part['functionCall']);
  return { type: 'call', callId, name: textOf(name), arguments: JSON.stringify(args ?? {}), path };
}

/** `{ result: "text" }` is how a text is wrapped for Gemini. */
function toOutput(part: JsonObject, callId: string, path: string): InputItem {
  const { name, response } = objectOf(part['functionResponse']);
  const { result, ...others } = objectOf(response);
  const text = typeof result === 'string' && Object.keys(others).length === 0 ? result : JSON.stringify(response);
  return { type: 'call-output', callId, name: textOf(name), content: [{ type: 'text', text, path }], path };
}

function toTool(declaration: JsonObject, at: number): FunctionTool {
  const schema = member(declaration, 'parametersJsonSchema') ?? declaration['parameters'];
  return {
    name: textOf(declaration['name']),
    description: textOf(declaration['description']),
    parameters: schema === undefined ? null : toJsonSchema(objectOf(schema)),
    strict: false,
    path: `tools[${at}]`,
  };
}

/** `OBJECT` → `object`, also inside. */
function toJsonSchema(schema: JsonObject): JsonObject {
  const properties = Object.entries(objectOf(schema['properties'])).map(([name, value]) => [name, toJsonSchema(objectOf(value))]);
  return {
    ...schema,
    ...(typeof schema['type'] === 'string' && { type: schema['type'].toLowerCase() }),
    ...(schema['properties'] !== undefined && { properties: Object.fromEntries(properties) as JsonObject }),
    ...(schema['items'] !== undefined && { items: toJsonSchema(objectOf(schema['items'])) }),
  };
}

function toChoice(config: JsonObject): ToolChoice {
  const allowed = member(config, 'allowedFunctionNames');
  const names = Array.isArray(allowed) ? (allowed as readonly unknown[]).map(textOf) : [];
  switch (config['mode']) {
    case 'NONE':
      return { type: 'none' };
    case 'ANY':
      return names.length > 0 ? { type: 'required-of', names } : { type: 'required' };
    default:
      return names.length > 0 ? { type: 'allowed', names } : { type: 'auto' };
  }
}

function toFormat(config: JsonObject): ModelRequest['format'] {
  if (member(config, 'responseMimeType') !== 'application/json') return { type: 'text' };
  const schema = member(config, 'responseJsonSchema') ?? member(config, 'responseSchema');
  if (schema === undefined) return { type: 'json-object' };
  return { type: 'json-schema', name: 'answer', description: null, schema: toJsonSchema(objectOf(schema)), strict: false };
}
