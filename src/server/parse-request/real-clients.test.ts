import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GatewayError } from '../../model/errors.ts';
import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import { parseCreateResponse, parseInputTokens } from './parse-create-response.ts';

/** Requests of real clients and SDKs as they went over the wire; not part of this repository. */
const clients = new URL('../../../../shared/clients/', import.meta.url);
const recordings = new URL('../../../../shared/recordings/dev/', import.meta.url);
const isThere = (folder: URL): boolean => {
  if (existsSync(folder)) return true;
  console.log(`skipped: ${folder.pathname} is not here`);
  return false;
};

function readLines(folder: URL, isWanted: (name: string) => boolean): { readonly file: string; readonly line: JsonObject }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl') && isWanted(name))
    .flatMap((file) =>
      readFileSync(new URL(file, folder), 'utf8')
        .split('\n')
        .map((text) => ({ file, line: parseJson(text) })),
    )
    .flatMap(({ file, line }) => (isJsonObject(line) ? [{ file, line }] : []));
}

/** What a body leads to: `ok`, or the error as `code at param`. */
function outcomeOf(parse: () => { losses: readonly { path: string; code?: string }[] }): { outcome: string; unknown: string[] } {
  try {
    return { outcome: 'ok', unknown: parse().losses.flatMap(({ path, code }) => (code === 'unknown_parameter' ? [path] : [])) };
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    return { outcome: `${thrown.code} at ${String(thrown.param)}`, unknown: [] };
  }
}

/** `background` comes later; until then its users get this and nothing else. */
function expected(body: JsonObject): string {
  return body.background === true ? 'unsupported_parameter at background' : 'ok';
}

test.skipIf(!isThere(clients))('every captured request to /responses is understood', () => {
  const faults: string[] = [];
  const counts = { ok: 0, later: 0, all: 0 };
  for (const { file, line } of readLines(clients, () => true)) {
    const path = String(line.path);
    const isCreate = (line.method === 'POST' || line.method === 'WS') && /\/responses$/.test(path);
    const isCount = line.method === 'POST' && path.endsWith('/responses/input_tokens');
    const sent = typeof line.body === 'string' ? parseJson(line.body) : line.body;
    if ((!isCreate && !isCount) || !isJsonObject(sent)) continue;
    // WebSocket frames name their event beside the fields.
    const { type, ...body } = sent;
    const { outcome, unknown } = outcomeOf(() =>
      isCount ? parseInputTokens(body) : parseCreateResponse(type === 'response.create' ? body : sent),
    );
    counts.all += 1;
    if (outcome === 'ok') counts.ok += 1;
    else counts.later += 1;
    if (outcome !== expected(body) || unknown.length > 0)
      faults.push(`${file} ${String(line.run)}#${String(line.seq)}: ${outcome} ${unknown.join()}`);
  }
  console.log(
    `captured client requests: ${String(counts.ok)} of ${String(counts.all)} parsed, ${String(counts.later)} ask for background, ${String(faults.length)} wrong`,
  );
  expect(faults).toEqual([]);
  expect(counts.ok).toBeGreaterThan(150);
});

test.skipIf(!isThere(recordings))('every recorded request that OpenAI accepted is accepted', () => {
  const faults: string[] = [];
  let all = 0;
  for (const { line } of readLines(recordings, (name) => name.includes('responses'))) {
    const { request, response } = line;
    if (!isJsonObject(request) || !isJsonObject(response) || request.method !== 'POST' || !isJsonObject(request.body)) continue;
    const { body } = request;
    if (!String(request.path).endsWith('/responses') || response.status !== 200) continue;
    const { outcome } = outcomeOf(() => parseCreateResponse(body));
    all += 1;
    if (outcome !== expected(body)) faults.push(`${String(line.id)}: ${outcome}`);
  }
  console.log(`recorded requests: ${String(all - faults.length)} of ${String(all)}`);
  expect(faults).toEqual([]);
  expect(all).toBeGreaterThan(0);
});
