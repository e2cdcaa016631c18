import { isJsonObject } from '../../lib/json.ts';
import { listOf, membersOf, wordOf, type Members } from './from-gemini-request-members.ts';

/** Members of which a part has one at most. */
const kinds = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
] as const;

/** A content as far as Gemini's rules go. */
interface Content {
  readonly isModel: boolean;
  readonly calls: readonly Members[];
  readonly responses: readonly Members[];
}

/**
 * Whether Gemini takes `contents` as they are: no bare texts, no empty ones, the roles it knows, and calls that are answered together, in their order, by the content right behind them (backends.md B.2,
 * "thoughtSignature rules", 6). Neighbouring contents of the model are one: Google's own clients keep each chunk of a stream by itself. Signatures are the server's matter: what it refuses of them is sent
 * once more, translated.
 */
export function takesGeminiContents(contents: unknown, options: { readonly takesMediaOfTools: boolean }): boolean {
  let before: Content = { isModel: false, calls: [], responses: [] };
  for (const value of listOf(contents)) {
    const content = readContent(value);
    if (content === null || !isNext(content, before)) return false;
    if (!options.takesMediaOfTools && content.responses.some(hasParts)) return false;
    before = content.isModel ? { ...content, calls: [...before.calls, ...content.calls] } : content;
  }
  // A history that ends with calls is only counted.
  return true;
}

function hasParts(response: Members): boolean {
  return listOf(response.get('parts').value).length > 0;
}

function isNext({ isModel, responses }: Content, before: Content): boolean {
  if (isModel) return true;
  const pairs = before.calls.map((call, at) => [call, responses[at]] as const);
  return responses.length === before.calls.length && pairs.every(([call, response]) => answers(call, response));
}

function answers(call: Members, response: Members | undefined): boolean {
  if (response === undefined || !isJsonObject(response.get('response').value)) return false;
  const [callId, id] = [wordOf(call, 'id'), wordOf(response, 'id')];
  return wordOf(call, 'name') === wordOf(response, 'name') && (callId === '' || id === '' || callId === id);
}

/** Null where Gemini refuses it. */
function readContent(value: unknown): Content | null {
  const content = membersOf(value);
  const role = content?.get('role').value;
  if (content === null || (role !== undefined && role !== 'user' && role !== 'model')) return null;
  const parts = listOf(content.get('parts').value).map(membersOf);
  if (parts.length === 0 || !parts.every(isPart)) return null;
  const calls = findAll(parts, 'functionCall');
  const responses = findAll(parts, 'functionResponse');
  const isModel = role === 'model';
  const isMisplaced = isModel ? responses.length > 0 : calls.length > 0;
  return isMisplaced ? null : { isModel, calls, responses };
}

function isPart(part: Members | null): part is Members {
  return part !== null && kinds.filter((kind) => part.has(kind)).length <= 1;
}

function findAll(parts: readonly Members[], kind: (typeof kinds)[number]): readonly Members[] {
  return parts.flatMap((part) => membersOf(part.get(kind).value) ?? []);
}
