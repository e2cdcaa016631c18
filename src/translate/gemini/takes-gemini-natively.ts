import type { JsonObject } from '../../lib/json.ts';
import type { ContentPart, ModelRequest } from '../../model/model-request.ts';
import { listOf, Members, membersOf, wordOf } from './from-gemini-request-members.ts';
import { isOpenApiSchema } from './is-open-api-schema.ts';
import { mapModelTraits, type ModelTraits } from './model-traits.ts';
import { takesGeminiContents } from './takes-gemini-contents.ts';
import { geminiToolNameRule } from './to-gemini-tools.ts';
import { isRefusedMediaType } from './to-media-part.ts';

export interface NativeOptions {
  /** As for `toGeminiRequest`: Vertex takes more in a schema. */
  readonly isVertex: boolean;
}

interface Subject extends NativeOptions {
  readonly request: ModelRequest;
  readonly traits: ModelTraits;
  /** Of the body; of its `generationConfig`, empty when there is none. */
  readonly body: Members;
  readonly config: Members;
}

/**
 * Whether Gemini understands a client's body as it is. Not so where `from-gemini-request` takes what Gemini refuses, or the model behind an alias is another one than the client thinks (backends.md B.2).
 * Fields that nobody here knows are the server's matter.
 */
export function takesGeminiNatively(request: ModelRequest, fields: JsonObject, { isVertex }: NativeOptions): boolean {
  const traits = mapModelTraits(request.model);
  const body = new Members(fields, '');
  const config = membersOf(body.get('generationConfig').value) ?? new Members({}, '');
  const subject = { request, traits, body, config, isVertex };
  return (
    takesSystem(subject) &&
    takesThinking(subject) &&
    takesFormat(subject) &&
    takesTools(subject) &&
    takesMedia(subject) &&
    takesGeminiContents(body.get('contents').value, { takesMediaOfTools: traits.isGemini3 })
  );
}

/** A content of texts. */
function takesSystem({ body, traits }: Subject): boolean {
  if (!body.has('systemInstruction')) return true;
  const system = membersOf(body.get('systemInstruction').value);
  if (system === null || system.has('text') || !traits.takesSystemInstruction) return false;
  const parts = listOf(system.get('parts').value);
  return parts.length > 0 && parts.every((part) => typeof membersOf(part)?.get('text').value === 'string');
}

/** A level where the model has levels, a budget where it has budgets, and neither where it does not think. */
function takesThinking({ config, traits, request }: Subject): boolean {
  const asked = membersOf(config.get('thinkingConfig').value);
  if (asked === null) return true;
  const { thinking } = traits;
  const level = wordOf(asked, 'thinkingLevel')
    .toLowerCase()
    .replace(/^thinking_level_unspecified$/, '');
  const hasLevel = level !== '';
  const budget = asked.get('thinkingBudget').value;
  switch (thinking.type) {
    case 'none':
      return !hasLevel && budget === undefined && asked.get('includeThoughts').value !== true;
    case 'budget':
      return !hasLevel && isWithin(budget, thinking);
    case 'level': {
      // Models under a name that nobody knows may be something else altogether.
      if (!/^(?:models\/)?gemini-/i.test(request.model)) return true;
      return budget !== 0 && (level !== 'minimal' || thinking.lowest === 'MINIMAL');
    }
  }
}

/** -1 leaves it to the model. */
function isWithin(budget: unknown, { lowest, highest }: { readonly lowest: number; readonly highest: number }): boolean {
  return typeof budget !== 'number' || budget === -1 || (budget >= lowest && budget <= highest);
}

const maxStops = 5;

function takesFormat({ request, config, traits, isVertex, body }: Subject): boolean {
  if (request.stop.length > maxStops) return false;
  const type = wordOf(config, 'responseMimeType').toLowerCase();
  const isShaped = type === 'application/json' || type === 'text/x.enum';
  const hasSchema = config.has('responseSchema') || config.has('responseJsonSchema');
  if (hasSchema && !isShaped) return false;
  if (isShaped && !traits.isGemini3 && listOf(body.get('tools').value).length > 0) return false;
  return isVertex || !config.has('responseSchema') || isOpenApiSchema(config.get('responseSchema').value);
}

function takesTools({ request, body, traits, isVertex }: Subject): boolean {
  const tools = listOf(body.get('tools').value).flatMap((tool) => [...(membersOf(tool) ?? [])]);
  const isBuiltIn = tools.some(([name]) => name !== 'functionDeclarations');
  if (isBuiltIn && request.tools.length > 0 && !traits.isGemini3) return false;
  const declared = tools.flatMap(([name, { value }]) => (name === 'functionDeclarations' ? listOf(value) : []));
  return takesNames(request, traits) && (isVertex || declared.every(isOwnDeclaration));
}

/** The newest models take twice as long names. */
function takesNames({ tools, input }: ModelRequest, { isGemini3 }: ModelTraits): boolean {
  const { pattern, maxLength } = geminiToolNameRule;
  const called = input.flatMap((item) => (item.type === 'call' ? [item.name] : []));
  const longest = isGemini3 ? 2 * maxLength : maxLength;
  return [...tools.map(({ name }) => name), ...called].every((name) => name.length <= longest && pattern.test(name));
}

function isOwnDeclaration(value: unknown): boolean {
  const parameters = membersOf(value)?.get('parameters').value;
  return parameters === undefined || isOpenApiSchema(parameters);
}

function takesMedia({ request }: Subject): boolean {
  return request.input.every((item) => !('content' in item) || item.content.every(takesPart));
}

function takesPart(part: ContentPart): boolean {
  return !('source' in part) || part.source.type !== 'data' || !isRefusedMediaType(part.source.mediaType);
}
