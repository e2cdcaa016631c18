import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { listOf, loose, words, type Loose } from '../loose.ts';
import { without, withoutNothing } from './without-nothing.ts';

/** What a request to Gemini says (docs/normal-form.md): of the recorded one and of the sent one. */
export function toGeminiNormalForm(source: JsonObject): JsonObject {
  const counted = camelCase(source) as Loose;
  // Only the wrapped form counts everything.
  const body = counted['generateContentRequest'] ?? counted;
  const tools = oneOrMore(body['tools']);
  return withoutNothing({
    system: oneOrMore(loose(body['systemInstruction'])['parts']).map(textOf).join('\n\n'),
    contents: toContents(body['contents']),
    functions: tools.flatMap((tool) => oneOrMore(tool['functionDeclarations']).map(toFunction)),
    hosted: tools.flatMap((tool) => Object.keys(tool).filter((kind) => isServed(kind))),
    choice: toChoice(body),
    config: toConfig(loose(body['generationConfig'])),
  });
}

/** Of the tools that Google runs the search; the loss of others is reported. */
function isServed(kind: string): boolean {
  return kind === 'googleSearch';
}

interface Turn {
  readonly role: string;
  parts: JsonObject[];
}

/** Neighbours of one role are one content, pieces of a model's text one text; responses stand before other parts. */
function toContents(source: unknown): Turn[] {
  const contents: Turn[] = [];
  for (const content of oneOrMore(source)) {
    const role = words(content['role']) === 'model' ? 'model' : 'user';
    const parts = oneOrMore(content['parts']).flatMap(toPart);
    const ordered = [...parts.filter(isResponse), ...parts.filter((part) => !isResponse(part))];
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...ordered);
    else if (ordered.length > 0) contents.push({ role, parts: ordered });
  }
  for (const content of contents) if (content.role === 'model') content.parts = joinTexts(content.parts);
  return contents;
}

/** Signatures and ids are out of it: somebody else's server made these histories. So are thoughts and empty texts. */
function toPart(part: Loose): JsonObject[] {
  if (part['thought'] || (part['text'] as unknown) === '') return [];
  if (part['functionCall'] !== undefined) {
    const { name, args } = part['functionCall'];
    return [{ functionCall: { name, args: args ?? {} } }];
  }
  if (part['functionResponse'] !== undefined) return [{ functionResponse: without(part['functionResponse'], 'id') }];
  const rest = without(part, 'thoughtSignature');
  return Object.keys(rest).length === 0 ? [] : [rest];
}

function isResponse(part: JsonObject): boolean {
  return 'functionResponse' in part;
}

function joinTexts(parts: readonly JsonObject[]): JsonObject[] {
  const joined: { text?: string }[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part['text'] === 'string' && last?.text !== undefined) last.text += part['text'];
    else joined.push({ ...part });
  }
  return joined;
}

/** A function has to be described; both forms of schema say the same, and none says that there are no arguments. */
function toFunction({ name, description, parameters, parametersJsonSchema }: Loose): JsonObject {
  const said = words(description);
  const schema = toSchema(parametersJsonSchema ?? parameters);
  const hasArguments = isJsonObject(schema) && Object.keys(loose(schema)['properties'] ?? {}).length > 0;
  return { name, description: said === '' ? `The function ${words(name)}.` : said, schema: hasArguments ? schema : undefined };
}

/** Types in lower case, as JSON Schema has them, and without the order that the properties have anyway. */
function toSchema(schema: unknown): unknown {
  const text = JSON.stringify(schema ?? null, (key, value: unknown) => {
    if (key === 'property_ordering' || key === 'propertyOrdering') return undefined;
    return key === 'type' && typeof value === 'string' ? value.toLowerCase() : value;
  });
  return JSON.parse(text);
}

/** Whatever the model likes, if nothing else is said. Calls that keep to their schemas (`VALIDATED`) are a wish that the backend has by itself where the model can. */
function toChoice(body: Loose): JsonObject {
  const { mode, allowedFunctionNames } = loose(loose(body['toolConfig'])['functionCallingConfig']);
  const said = words(mode).toUpperCase();
  const isFree = said === '' || (said === 'VALIDATED' && allowedFunctionNames === undefined);
  return withoutNothing({ mode: isFree ? 'AUTO' : said, allowedFunctionNames });
}

/** Levels may be written in lower case; a thought that is not asked for need not be mentioned. */
function toConfig(config: Loose): unknown {
  const { maxOutputTokens, temperature, topP, topK, seed, stopSequences, presencePenalty, frequencyPenalty } = config;
  const thinking = Object.entries(config['thinkingConfig'] ?? {}).filter(([, value]) => (value as unknown) !== false);
  return {
    ...withoutNothing({ maxOutputTokens, temperature, topP, topK, seed, stopSequences, presencePenalty, frequencyPenalty }),
    ...withoutNothing({
      type: config['responseMimeType'],
      schema: toSchema(config['responseJsonSchema'] ?? config['responseSchema']),
    }),
    thinking: JSON.parse(JSON.stringify(Object.fromEntries(thinking)).toLowerCase()) as unknown,
  };
}

function textOf(part: Loose): string {
  return words(part['text']);
}

function oneOrMore(value: unknown): Loose[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? listOf(value) : [loose(value)];
}

/** Fields only: what a client put into args, responses and schemas stays. */
function camelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const name = key.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
      return [name, clientsOwn.includes(name) ? member : camelCase(member)];
    }),
  );
}

const clientsOwn = ['args', 'response', 'parameters', 'parametersJsonSchema', 'responseSchema', 'responseJsonSchema'];
