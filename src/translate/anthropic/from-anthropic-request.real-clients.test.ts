import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import { fromAnthropicCount, fromAnthropicRequest } from './from-anthropic-request.ts';

/** Requests as they went over the wire; not part of this repository. */
const clients = new URL('../../../../shared/clients/', import.meta.url);
const recordings = new URL('../../../../shared/recordings/dev/', import.meta.url);

function isThere(folder: URL): boolean {
  if (existsSync(folder)) return true;
  console.log(`skipped: ${folder.pathname} is not here`);
  return false;
}

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

/** `ok`, or the error as `code at param`; and which fields nobody knows. */
function outcomeOf(path: string, body: unknown): { outcome: string; unknown: string[] } {
  try {
    const { losses } = path.includes('count_tokens') ? fromAnthropicCount(body) : fromAnthropicRequest(body);
    return { outcome: 'ok', unknown: losses.flatMap(({ path: lost, code }) => (code === 'unknown_parameter' ? [lost] : [])) };
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    return { outcome: `${thrown.code} at ${String(thrown.param)}`, unknown: [] };
  }
}

test.skipIf(!isThere(clients))('every captured request to /messages is understood', () => {
  const faults: string[] = [];
  const counts = { ok: 0, threads: 0, all: 0 };
  for (const { file, line } of readLines(clients, () => true)) {
    const path = String(line.path);
    if (line.method !== 'POST' || !/\/v1\/messages(\/count_tokens)?(\?|$)/.test(path)) continue;
    const body = typeof line.body === 'string' ? parseJson(line.body) : line.body;
    const { outcome, unknown } = outcomeOf(path, body);
    counts.all++;
    // The tool runner's first try; told that there are no threads, it sends the whole history.
    const isThread = isJsonObject(body) && body.thread !== undefined;
    if (isThread && outcome === 'unsupported_parameter at thread') counts.threads++;
    else if (outcome === 'ok' && unknown.length === 0) counts.ok++;
    else faults.push(`${file} ${String(line.run)}: ${outcome} ${unknown.join()}`);
  }
  console.log(
    `captured requests to /messages: ${String(counts.ok + counts.threads)} of ${String(counts.all)} (${String(counts.threads)} refused as threads)`,
  );
  expect(faults).toEqual([]);
  expect(counts.ok).toBeGreaterThan(15);
});

/** Requests that real servers refused because of their body. */
const refused: ReadonlyMap<string, string> = new Map([['empty_array at messages', 'messages is required']]);

test.skipIf(!isThere(recordings))('every recorded request to /messages is understood', () => {
  const faults: string[] = [];
  const counts = new Map<string, { ok: number; all: number }>();
  for (const { file, line } of readLines(recordings, (name) => name.startsWith('anthropic'))) {
    const { request, response } = line;
    if (!isJsonObject(request) || !isJsonObject(request.body)) continue;
    const { outcome, unknown } = outcomeOf(String(request.path), request.body);
    const count = counts.get(file) ?? { ok: 0, all: 0 };
    counts.set(file, count);
    count.all++;
    const isRefused = refused.has(outcome) && JSON.stringify(response).includes(refused.get(outcome) ?? '');
    if ((outcome === 'ok' && unknown.length === 0) || isRefused) count.ok++;
    else faults.push(`${file} ${String(line.id)}: ${outcome} ${unknown.join()}`);
  }
  for (const [file, { ok, all }] of counts) console.log(`recorded requests of ${file}: ${String(ok)} of ${String(all)}`);
  expect(faults).toEqual([]);
  expect(counts.size).toBeGreaterThan(3);
});
