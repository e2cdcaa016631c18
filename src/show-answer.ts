import { isJsonObject, parseJson, type JsonObject } from './lib/json.ts';
import { createSseDecoder } from './lib/sse-decoder.ts';
import type { Secret } from './model/secret.ts';

export interface Question {
  /** Where the gateway listens. */
  readonly url: string;
  readonly model: string;
  readonly input: string;
  readonly key: Secret | undefined;
}

const largestEventBytes = 8 * 1024 * 1024;

/** Asks a running gateway one question as any client would, streamed, and hands on what it says as it comes. `write` gets pieces of text, not lines. */
export async function showAnswer({ url, model, input, key }: Question, write: (text: string) => void): Promise<void> {
  write(`  You:  ${input}\n  ${model}:  `);
  const answer = await fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key.reveal()}` }) },
    body: JSON.stringify({ model, input, stream: true }),
  });
  if (!answer.ok || answer.body === null) {
    write(`\n\n  That did not work (HTTP ${String(answer.status)}): ${messageOf(parseJson(await answer.text()))}\n\n`);
    return;
  }
  const decoder = createSseDecoder({ maxEventBytes: largestEventBytes });
  // The types leave open what a body's pieces are; fetch says bytes.
  for await (const bytes of answer.body as AsyncIterable<Uint8Array>) {
    for (const { data } of decoder.push(bytes)) showEvent(parseJson(data), write);
  }
}

function showEvent(event: unknown, write: (text: string) => void): void {
  if (!isJsonObject(event)) return;
  if (event['type'] === 'response.output_text.delta' && typeof event['delta'] === 'string') write(event['delta']);
  const { response } = event;
  if (isJsonObject(response) && response['status'] !== 'in_progress') write(`\n\n  ${describeEnd(response)}\n\n`);
}

function describeEnd(response: JsonObject): string {
  const { id, status, usage } = response;
  if (status === 'failed') return `The response failed: ${messageOf(response)}`;
  const tokens = isJsonObject(usage)
    ? `, ${String(usage['input_tokens'])} tokens in and ${String(usage['output_tokens'])} out`
    : '';
  return `That was response ${String(id)} (${String(status)}${tokens}). The gateway keeps running: Ctrl-C stops it.`;
}

function messageOf(body: unknown): string {
  const error = isJsonObject(body) ? body['error'] : undefined;
  return isJsonObject(error) && typeof error['message'] === 'string' ? error['message'] : 'it did not say why';
}
