import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createReasoningEnvelope } from '../../engine/reasoning-envelope.ts';
import { toInputItems } from '../../engine/to-input-items.ts';
import { toModelRequest } from '../../engine/to-model-request.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { fromGeminiRequest } from './from-gemini-request.ts';
import { takesGeminiNatively } from './takes-gemini-natively.ts';

const folder = new URL('../../../../shared/recordings/dev/', import.meta.url);
const envelope = createReasoningEnvelope({ keys: [new Uint8Array(32)], randomBytes: (size) => new Uint8Array(size) });

interface Sent {
  readonly id: string;
  readonly model: string;
  readonly isVertex: boolean;
  readonly body: JsonObject;
}

/** Every request of a file that Google answered. */
function answered(file: string): Sent[] {
  const lines = readFileSync(new URL(file, folder), 'utf8').split('\n');
  return lines.filter(Boolean).flatMap((line) => {
    const { id, request, response } = JSON.parse(line) as Record<string, unknown>;
    const { path, body } = isJsonObject(request) ? request : {};
    const model = /models\/([^:]+):/.exec(String(path))?.[1];
    if (!isJsonObject(body) || !isJsonObject(response) || response['status'] !== 200 || model === undefined) return [];
    return [{ id: String(id), model, isVertex: String(path).includes('/publishers/'), body }];
  });
}

function takes({ model, isVertex, body }: Sent): boolean {
  const { request } = fromGeminiRequest(body, { model: null, stream: false });
  const own = request.input.map((item, at) => ({ item, path: `input[${String(at)}]` }));
  const { items: input } = toInputItems({ inherited: [], own }, { owner: 'me', strict: false }, envelope);
  return takesGeminiNatively(toModelRequest(request, { model, input, session: null }).value, body, { isVertex });
}

describe.runIf(existsSync(folder))('what Google answered goes to it as it is', () => {
  test.each(['gemini-stream.jsonl', 'gemini-sync.jsonl'])('%s', (file) => {
    const sent = answered(file);
    const rewritten: string[] = [];
    for (const one of sent) {
      try {
        if (!takes(one)) rewritten.push(one.id);
      } catch (thrown) {
        rewritten.push(`${one.id} ${String(thrown)}`);
      }
    }
    console.log(`${file}: ${String(rewritten.length)} rewritten / ${String(sent.length)} tried`);
    expect(rewritten).toEqual([]);
  });
});
