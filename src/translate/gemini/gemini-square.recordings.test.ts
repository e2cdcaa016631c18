import { existsSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { toInputItems } from '../../engine/to-input-items.ts';
import { toModelRequest } from '../../engine/to-model-request.ts';
import { fromGeminiRequest } from './from-gemini-request.ts';
import { toGeminiRequest } from './to-gemini-request.ts';

const folder = new URL('../../../../shared/recordings/dev/', import.meta.url);
const isThere = existsSync(folder);
if (!isThere) console.log(`skipped: no recordings at ${folder.pathname}`);

/** JSON that nobody has looked at. */
type Loose = { readonly [key: string]: Loose } | undefined;

interface Sent {
  readonly id: string;
  readonly model: string;
  readonly body: Record<string, unknown>;
}

function load(file: string): Sent[] {
  const lines = readFileSync(new URL(`${file}.jsonl`, folder), 'utf8').split('\n');
  return lines.flatMap((line) => {
    if (line === '') return [];
    const recording = JSON.parse(line) as { id: string; model: string; request: { body?: unknown } | null };
    const body = recording.request?.body;
    if (typeof body !== 'object' || body === null) return [];
    return [{ id: recording.id, model: recording.model, body: body as Record<string, unknown> }];
  });
}

/** The request as our Gemini backend sends it on. */
function through({ body, model }: Sent): unknown {
  const { request } = fromGeminiRequest(body, { model, stream: true });
  const own = request.input.map((item, at) => ({ item, path: `input[${String(at)}]` }));
  const envelope = { seal: () => '', open: () => null };
  const { items } = toInputItems({ inherited: [], own }, { owner: 'local', strict: false }, envelope);
  return toGeminiRequest(toModelRequest(request, { model, input: items, session: null }).value).value;
}

interface Said {
  readonly system: string;
  readonly contents: { role: string; parts: unknown[] }[];
  readonly functions: unknown[];
  readonly config: unknown;
}

/**
 * What a request says. The normal form: camelCase; signatures and ids left out (these histories were made by somebody else's server); thoughts and empty texts too; neighbours of one role are one
 * content, pieces of a model's text one text; responses stand before other parts. Schemas and tool settings are compared by the schema compiler's own tests.
 */
function normalise(source: unknown): Said {
  const body = camelCase(source) as Record<string, Loose>;
  return {
    system: listOf(body['systemInstruction']?.['parts']).map(textOf).join('\n\n'),
    contents: toContents(body['contents']),
    functions: listOf(body['tools']).flatMap((tool) => listOf(tool?.['functionDeclarations']).map((one) => one?.['name'])),
    config: toConfig(body['generationConfig']),
  };
}

function toContents(source: Loose): Said['contents'] {
  const contents: Said['contents'] = [];
  for (const content of listOf(source)) {
    const role = content?.['role'] === ('model' as unknown) ? 'model' : 'user';
    const parts = listOf(content?.['parts']).flatMap(toPart);
    const ordered = [...parts.filter(isResponse), ...parts.filter((part) => !isResponse(part))];
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...ordered);
    else if (ordered.length > 0) contents.push({ role, parts: ordered });
  }
  for (const content of contents) if (content.role === 'model') content.parts = joinTexts(content.parts);
  return contents;
}

/** In lower case, as levels may be written; a thought that is not asked for need not be mentioned. */
function toConfig(source: Loose): unknown {
  const { maxOutputTokens, temperature, topP, topK, thinkingConfig } = source ?? {};
  const thinking = Object.fromEntries(Object.entries(thinkingConfig ?? {}).filter(([, value]) => (value as unknown) !== false));
  return JSON.parse(JSON.stringify({ maxOutputTokens, temperature, topP, topK, thinking }).toLowerCase()) as unknown;
}

function textOf(part: Loose): string {
  const text: unknown = part?.['text'];
  return typeof text === 'string' ? text : '';
}

function toPart(part: Loose): unknown[] {
  if ((part?.['thought'] as unknown) === true || (part?.['text'] as unknown) === '') return [];
  if (part?.['functionCall'] !== undefined) {
    const { name, args } = part['functionCall'];
    return [{ functionCall: { name, args: args ?? {} } }];
  }
  if (part?.['functionResponse'] !== undefined) {
    return [{ functionResponse: without(part['functionResponse'], 'id') }];
  }
  const rest = without(part, 'thoughtSignature');
  return Object.keys(rest).length === 0 ? [] : [rest];
}

function without(object: Loose, name: string): object {
  return Object.fromEntries(Object.entries(object ?? {}).filter(([key]) => key !== name));
}

function isResponse(part: unknown): boolean {
  return typeof part === 'object' && part !== null && 'functionResponse' in part;
}

function joinTexts(parts: readonly unknown[]): unknown[] {
  const joined: unknown[] = [];
  for (const part of parts as { text?: string }[]) {
    const last = joined.at(-1) as { text?: string } | undefined;
    if (part.text !== undefined && last?.text !== undefined) last.text += part.text;
    else joined.push({ ...part });
  }
  return joined;
}

function listOf(value: unknown): Loose[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]) as Loose[];
}

/** Fields only: what a client put into args, responses and schemas stays. */
function camelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const name = key.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
      return [name, ['args', 'response', 'parameters', 'parametersJsonSchema'].includes(name) ? member : camelCase(member)];
    }),
  );
}

const mediaType = "a file of Google's Files API knows its own type, so it goes without";
const movedFile = 'a file in a function response that is no inline media stands behind it';
const codeAsText = 'code that Google ran is shown as text (a reported loss)';
const uploaded = 'test_multimodal_tool_return_matrix[direct-uploaded_file';

/** Requests that the backend puts in another form, and why: nothing else may differ. */
const otherwise: ReadonlyMap<string, string> = new Map([
  [
    'mirascope:e2e/input/test_strict_mode_with_thinking/google_gemini_3_pro_preview#0',
    'a budget is a level there (a reported loss)',
  ],
  ['pydantic-ai:google/test_code_execution/test_code_execution#1', codeAsText],
  ['ruby_llm:chat_code_execution_with_gemini_gemini-3_5-flash_runs_code_server-side_and_replays_the_turn#1', codeAsText],
  [
    'pydantic-ai:test_google/test_google_instructions_only_with_tool_calls#0',
    'an empty user message is a blank one (a reported loss)',
  ],
  ['pydantic-ai:test_multimodal_tool_returns/test_model_sees_multiple_images[google_vertex]#1', movedFile],
  [`pydantic-ai:test_multimodal_tool_returns/${uploaded}-document-google_gemini3]#2`, movedFile],
  [`pydantic-ai:test_multimodal_tool_returns/${uploaded}-audio-google_2_5]#1`, mediaType],
  ['ruby_llm:uploadedfile_live_uploads_gemini_gemini-2_5-flash_reuses_an_uploaded_file_in_chat#2', mediaType],
]);

/** The first member that differs, or null. */
function findDifference(sent: Sent, got: Said): string | null {
  const wanted = normalise(sent.body);
  const key = (['system', 'contents', 'functions', 'config'] as const).find((one) => !isDeepStrictEqual(got[one], wanted[one]));
  if (key === undefined) return null;
  return `${sent.id}\n  wanted ${JSON.stringify(wanted[key]).slice(-500)}\n  got    ${JSON.stringify(got[key]).slice(-500)}`;
}

describe.runIf(isThere)('recorded requests through the Gemini door to a Gemini backend', () => {
  test.each(['gemini-stream', 'gemini-sync'])('%s: the backend says what the client said', (file) => {
    const requests = load(file);
    const found = requests.flatMap((sent) => findDifference(sent, normalise(through(sent))) ?? []);
    const equal = requests.length - found.length;
    console.log(
      `${file}: ${String(equal)} of ${String(requests.length)} requests are equal in normal form, ${String(found.length)} differ for a known reason`,
    );
    expect(found.filter((one) => !otherwise.has(one.split('\n')[0] ?? ''))).toEqual([]);
    expect(equal).toBeGreaterThan(70);
  });

  test('a part that is lost, a text that is changed and a setting that is forgotten would be seen', () => {
    const [sent] = load('gemini-sync').filter(({ body }) => body['tools'] !== undefined);
    if (sent === undefined) throw new Error('no request has tools');
    const said = normalise(through(sent));
    const [first, ...rest] = said.contents;
    expect(findDifference(sent, said)).toBeNull();
    expect(findDifference(sent, { ...said, contents: rest })).not.toBeNull();
    expect(
      findDifference(sent, { ...said, contents: [{ role: 'user', parts: [{ text: 'x' }, ...(first?.parts ?? [])] }, ...rest] }),
    ).not.toBeNull();
    expect(findDifference(sent, { ...said, functions: [] })).not.toBeNull();
  });
});
