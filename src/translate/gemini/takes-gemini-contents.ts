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

/** Members that only say something about a part. */
const remarks: ReadonlySet<string> = new Set([
  'thought',
  'thoughtSignature',
  'videoMetadata',
  'mediaResolution',
  'partMetadata',
]);

/** A content as far as Gemini's rules go. */
interface Content {
  readonly isModel: boolean;
  readonly calls: readonly Members[];
  readonly responses: readonly Members[];
}

/**
 * Whether Gemini takes `contents` as they are: no bare texts, no empty ones, the roles it knows, and calls that follow the user and are answered together, in their order, by the content
 * right behind them (backends.md B.2, "thoughtSignature rules", 6). Signatures are the server's matter: what it refuses of them is sent once more, translated.
 */
export function takesGeminiContents(contents: unknown, options: { readonly takesMediaOfTools: boolean }): boolean {
  let before: Content = { isModel: false, calls: [], responses: [] };
  for (const value of listOf(contents)) {
    const content = readContent(value);
    if (content === null || !isNext(content, before)) return false;
    if (!options.takesMediaOfTools && content.responses.some((response) => listOf(response.get('parts').value).length > 0))
      return false;
    before = content;
  }
  // A history that ends with calls is only counted.
  return true;
}

function isNext({ calls, responses }: Content, before: Content): boolean {
  if (calls.length > 0 && before.isModel) return false;
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
  if (part === null) return false;
  const known = kinds.filter((kind) => part.has(kind)).length;
  return known === 1 || (known === 0 && [...part].some(([name]) => !remarks.has(name)));
}

function findAll(parts: readonly Members[], kind: (typeof kinds)[number]): readonly Members[] {
  return parts.flatMap((part) => membersOf(part.get(kind).value) ?? []);
}
