import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { newCreateRequest } from '../parse/new-create-request.ts';
import { fromGeminiCount, fromGeminiRequest } from './from-gemini-request.ts';

const shared = new URL('../../../../shared/', import.meta.url);
const isThere = existsSync(new URL('recordings/dev/', shared));
if (!isThere) console.log(`skipped: nothing at ${shared.pathname}`);

interface SentRequest {
  readonly id: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

function linesOf(file: string): Record<string, unknown>[] {
  const lines = readFileSync(new URL(file, shared), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Every request of a file of recordings; some have only the answer. */
function recorded(file: string): SentRequest[] {
  return linesOf(`recordings/dev/${file}.jsonl`).flatMap((line) => {
    const request = line['request'] as { path: string; body: unknown } | null;
    if (typeof request?.body !== 'object' || request.body === null) return [];
    return [{ id: String(line['id']), path: request.path, body: request.body as Record<string, unknown> }];
  });
}

/** Every Gemini request that a real client sent. */
function captured(client: string): SentRequest[] {
  return linesOf(`clients/${client}.jsonl`).flatMap((line, at) => {
    const path = String(line['path']);
    if (!/:(?:streamGenerateContent|generateContent|countTokens)/.test(path)) return [];
    return [{ id: `${client} ${String(at)}`, path, body: line['body'] as Record<string, unknown> }];
  });
}

function parse({ path, body }: SentRequest): ReturnType<typeof fromGeminiRequest> {
  if (path.includes(':countTokens')) return fromGeminiCount(body, 'gemini-x');
  return fromGeminiRequest(body, { model: 'gemini-x', stream: path.includes(':stream') });
}

const sources: readonly (readonly [string, () => SentRequest[]])[] = [
  ['gemini-stream', () => recorded('gemini-stream')],
  ['gemini-sync', () => recorded('gemini-sync')],
  ['gemini-counttokens-sync', () => recorded('gemini-counttokens-sync')],
  ['gemini-cli', () => captured('gemini-cli')],
  ['genai', () => captured('genai')],
  ['opencode', () => captured('opencode')],
];

describe.runIf(isThere)('requests that real clients sent to Gemini', () => {
  test.each(sources)('%s: every one is understood', (name, load) => {
    const requests = load();
    const refused: string[] = [];
    for (const sent of requests) {
      try {
        const { request, names } = parse(sent);
        expect(names.inputs.length, sent.id).toBe(request.input.length);
        expect(request.input.length, sent.id).toBeGreaterThan(0);
        expect(request, sent.id).not.toEqual(newCreateRequest());
      } catch (thrown) {
        refused.push(`${sent.id}: ${String(thrown)}`);
      }
    }
    console.log(`${name}: ${String(requests.length - refused.length)} of ${String(requests.length)} requests parsed`);
    expect(refused).toEqual([]);
    expect(requests.length).toBeGreaterThan(0);
  });

  test('what they lose is what is known to be lost', () => {
    const lost = new Map<string, number>();
    for (const [, load] of sources) {
      for (const sent of load()) for (const { reason } of parse(sent).losses) lost.set(reason, (lost.get(reason) ?? 0) + 1);
    }
    expect(Object.fromEntries(lost)).toEqual({
      'code and its results are shown to the model as text': 6,
      'input and output are not moderated here': 1,
      'no model behind this gateway is offered this tool': 3,
      'not every model holds its calls to their schemas': 4,
      'this gateway keeps no cached contents, so the model does not see what is in there': 2,
    });
  });
});
