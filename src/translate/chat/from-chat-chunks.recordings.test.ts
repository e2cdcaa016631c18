import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { createChatProfile } from './chat-profile.ts';
import { fromChatChunks } from './from-chat-chunks.ts';

const folder = new URL('../../../../shared/recordings/dev/', import.meta.url);
const files = ['openai-chat-stream', 'openai-chat-sync', 'chat-compat-stream', 'chat-compat-sync'];
const isThere = existsSync(folder);
if (!isThere) console.log(`skipped: no recordings at ${folder.pathname}`);

// Written without the stage and its readers, so that both must be wrong in the same way to agree.
type Loose = { [key: string]: Loose } & { [at: number]: Loose } & { length?: number };

interface Recording {
  id: string;
  vendor: string;
  model: string;
  response: { status: number; chunks?: string[]; body?: unknown };
}

interface Expected {
  text: string;
  refusal: string;
  reasoning: string;
  calls: { name: string; arguments: string }[];
  output: number | undefined;
  ending: string;
}

function loose(value: unknown): Loose {
  return (value ?? {}) as Loose;
}

function listOf(value: unknown): Loose[] {
  return Array.isArray(value) ? (value as Loose[]) : [];
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function reasoningOf(said: Loose): string {
  const thoughts = listOf(said['content']).flatMap((part) => listOf(part['thinking']).map((thought) => words(thought['text'])));
  const details = listOf(said['reasoning_details']).map((detail) => words(detail['text']) + words(detail['summary']));
  return thoughts.join('') + (details.join('') || words(said['reasoning_content']) || words(said['reasoning']));
}

function collectCalls(said: Loose, slots: Map<number, { name: string; arguments: string }>, isWhole: boolean): void {
  listOf(said['tool_calls']).forEach((call, at) => {
    const slot = isWhole ? at : Number(call['index']);
    const known = slots.get(slot) ?? { name: '', arguments: '' };
    slots.set(slot, known);
    known.name ||= words(loose(call['function'])['name']);
    known.arguments += words(loose(call['function'])['arguments']);
  });
  const legacy = loose(said['function_call']);
  if (words(legacy['name'])) slots.set(-1, { name: words(legacy['name']), arguments: words(legacy['arguments']) });
}

function endingOf(bodies: readonly Loose[], isWhole: boolean, hasAnswer: boolean): string {
  if (bodies.some((body) => body['error'] || body['detail'])) return 'failure';
  const reason = bodies.map((body) => words(loose(loose(body['choices'])[0])['finish_reason'])).find((word) => word !== '');
  if (reason === undefined) return isWhole && hasAnswer ? 'stop' : 'failure upstream_truncated';
  return { length: 'length', content_filter: 'content-filter' }[reason] ?? 'stop';
}

function expectationOf(raw: readonly unknown[], isWhole: boolean): Expected {
  const expected: Expected = { text: '', refusal: '', reasoning: '', calls: [], output: undefined, ending: '' };
  const slots = new Map<number, { name: string; arguments: string }>();
  const bodies = raw.map(loose);
  for (const body of bodies) {
    const choice = loose(loose(body['choices'])[0]);
    const said = loose(isWhole ? choice['message'] : choice['delta']);
    expected.text +=
      typeof said['content'] === 'string'
        ? words(said['content'])
        : listOf(said['content'])
            .map((part) => words(part['text']))
            .join('');
    expected.refusal += words(said['refusal']);
    expected.reasoning += reasoningOf(said);
    collectCalls(said, slots, isWhole);
    const usage = loose(body['usage'] ?? loose(body['x_groq'])['usage']);
    if (typeof usage['total_tokens'] === 'number')
      expected.output = Number(usage['total_tokens']) - Number(usage['prompt_tokens']);
  }
  expected.calls = [...slots.values()];
  expected.ending = endingOf(bodies, isWhole, expected.text !== '' || expected.calls.length > 0);
  return expected;
}

function actualOf(events: readonly ModelEvent[]): Expected {
  const actual: Expected = { text: '', refusal: '', reasoning: '', calls: [], output: undefined, ending: '' };
  const calls = new Map<string, { name: string; arguments: string }>();
  for (const event of events) {
    if (event.type === 'text-delta') actual.text += event.delta;
    else if (event.type === 'refusal-delta') actual.refusal += event.delta;
    else if (event.type === 'reasoning-delta') actual.reasoning += event.delta;
    else if (event.type === 'call-start') calls.set(event.callId, { name: event.name, arguments: '' });
    else if (event.type === 'call-delta') calls.get(event.callId)!.arguments += event.delta;
    else if (event.type === 'usage') actual.output = event.usage.outputTokens;
    else if (event.type === 'finish') actual.ending = event.reason;
    else if (event.type === 'failure')
      actual.ending = event.error.code === 'upstream_truncated' ? 'failure upstream_truncated' : 'failure';
  }
  actual.calls = [...calls.values()];
  return actual;
}

/** `plant` changes what the stage gets, but not what is expected of it. */
function checkRecording(
  recording: Recording,
  plant: (bodies: readonly unknown[]) => readonly unknown[] = (bodies) => bodies,
): void {
  const { chunks, body } = recording.response;
  const bodies =
    chunks === undefined ? [body] : chunks.filter((chunk) => chunk.startsWith('{')).map((chunk) => JSON.parse(chunk) as unknown);
  const profile = createChatProfile({
    baseUrl: 'https://example.com/v1',
    vendor: recording.vendor === 'openrouter' ? 'openrouter' : 'generic',
  });
  const stage = fromChatChunks({
    newId: counterId(),
    model: recording.model,
    profile,
    toolNames: createToolNames([], profile.toolNameRule),
  });
  const events = [...plant(bodies).flatMap((one) => stage.push(one)), ...stage.end()];
  const endings = events.filter(({ type }) => type === 'finish' || type === 'failure');
  expect(endings, recording.id).toHaveLength(1);
  expect(events.at(-1), recording.id).toBe(endings[0]);
  expect(actualOf(events), recording.id).toEqual(expectationOf(bodies, chunks === undefined));
  const starts = events.filter(({ type }) => type === 'call-start').length;
  const isComplete = endings[0]?.type === 'finish' && endings[0].reason === 'stop';
  if (isComplete)
    expect(
      events.filter(({ type }) => type === 'call-end'),
      recording.id,
    ).toHaveLength(starts);
}

describe.skipIf(!isThere)('recorded traffic of real chat servers', () => {
  test.each(files)('%s', (file) => {
    const lines = readFileSync(new URL(`${file}.jsonl`, folder), 'utf8')
      .trim()
      .split('\n');
    let passed = 0;
    for (const line of lines) {
      checkRecording(JSON.parse(line) as Recording);
      passed += 1;
    }
    console.log(`${file}: ${String(passed)} of ${String(lines.length)}`);
    expect(passed).toBe(lines.length);
  });

  test('the comparison notices a chunk that got lost', () => {
    const lines = readFileSync(new URL('openai-chat-stream.jsonl', folder), 'utf8').trim().split('\n');
    const recordings = lines.map((line) => JSON.parse(line) as Recording);
    for (const recording of recordings) {
      const said = (recording.response.chunks ?? [])
        .filter((chunk) => chunk.startsWith('{'))
        .findIndex((chunk) => /"(content|arguments|refusal)":"[^"]/.test(chunk));
      if (said === -1) continue;
      expect(() => {
        checkRecording(recording, (bodies) => bodies.toSpliced(said, 1));
      }, recording.id).toThrow();
    }
  });
});
