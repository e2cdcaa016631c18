import { readFileSync } from 'node:fs';
import { isJsonObject, parseJson, type JsonObject } from '../../src/lib/json.ts';
import type { RecordedDialect } from './normal-form/to-normal-form.ts';
import { listOf, words } from './loose.ts';
import { recordingsFolder } from './open-replay.ts';

/** A request as a real client sent it to a real model server. */
export interface RecordedRequest {
  readonly id: string;
  /** As the client named it. */
  readonly model: string;
  /** `/v1/messages` */
  readonly path: string;
  readonly body: JsonObject;
}

/** Every request of a file in `dev` for which this gateway has a route; some recordings hold only the answer. */
export function loadRequests(file: string): RecordedRequest[] {
  const lines = readFileSync(new URL(`dev/${file}.jsonl`, recordingsFolder), 'utf8').split('\n');
  return lines.map(parseJson).flatMap((line) => {
    if (!isJsonObject(line) || !isJsonObject(line['request']) || !isJsonObject(line['request']['body'])) return [];
    const { path, body } = line['request'];
    if (String(path).endsWith('/responses/compact')) return [];
    return [{ id: String(line['id']), model: String(body['model'] ?? line['model']), path: String(path), body }];
  });
}

export function dialectOf({ path }: RecordedRequest): RecordedDialect {
  if (path.includes('/messages')) return 'anthropic';
  return path.includes('/responses') ? 'responses' : 'gemini';
}

/** Where this gateway takes such a request; Azure, Vertex and others have paths of their own. */
export function pathOf({ path, model }: RecordedRequest, dialect: RecordedDialect): string {
  if (dialect === 'anthropic') return path;
  if (dialect === 'responses') return `/v1/responses${path.endsWith('/input_tokens') ? '/input_tokens' : ''}`;
  const [, verb = ''] = /:(\w+)(?:\?.*)?$/.exec(path) ?? [];
  return `/v1beta/models/gemini/${model}:${verb}?alt=sse`;
}

/**
 * Requests that lean on what only the server they went to had kept (a response before, an uploaded file) or does (background responses), and one that it refused as this gateway does (no messages).
 */
export function staysHere(request: RecordedRequest): boolean {
  const { background, previous_response_id: previous, messages } = request.body;
  const isEmpty = Array.isArray(messages) && messages.length === 0;
  const usesFile = dialectOf(request) === 'responses' && JSON.stringify(request.body).includes('"file_id"');
  return background === true || typeof previous === 'string' || isEmpty || usesFile;
}

/**
 * Requests to a Responses server that cannot leave as they are: one like that of this test (nobody knows its models, and it stands in our network) must not fetch anything, is asked for sealed reasoning
 * only where the model is known to think, and has neither reasoning nor conversations stored.
 */
export function needsTranslation(request: RecordedRequest): boolean {
  if (dialectOf(request) !== 'responses') return false;
  const { include, input, conversation } = request.body;
  const wantsSealed = Array.isArray(include) && include.includes('reasoning.encrypted_content');
  const isThinking = /(^|[./:])(o[1-9]|gpt-5|codex)/.test(request.model);
  const items = listOf(input);
  const isUnsealed = items.some(({ type, encrypted_content: sealed }) => words(type) === 'reasoning' && words(sealed) === '');
  return (
    conversation !== undefined ||
    (wantsSealed && !isThinking) ||
    isUnsealed ||
    /"(image|file)_url":"http/.test(JSON.stringify(items))
  );
}
