import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { InputItem, ModelRequest } from '../../model/model-request.ts';
import { createToolNames } from '../tool-names.ts';
import { fromGeminiChunks } from './from-gemini-chunks.ts';
import { geminiToolNameRule } from './to-gemini-tools.ts';
import { toGeminiRequest } from './to-gemini-request.ts';

const folder = new URL('../../../../shared/recordings/dev/', import.meta.url);
const isThere = existsSync(folder);
if (!isThere) console.log(`skipped: no recordings at ${folder.pathname}`);

type Part = Record<string, unknown> & {
  text?: string;
  thoughtSignature?: string;
  functionCall?: { name?: string; args?: unknown; id?: string; partialArgs?: unknown };
};

interface Recording {
  id: string;
  model: string;
  response: { status: number; chunks?: string[]; body?: unknown };
}

function load(): Recording[] {
  if (!isThere) return [];
  return ['gemini-stream', 'gemini-sync'].flatMap((name) =>
    readFileSync(new URL(`${name}.jsonl`, folder), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Recording),
  );
}

function chunksOf({ response }: Recording): unknown[] {
  return response.chunks === undefined ? [response.body] : response.chunks.map((chunk) => JSON.parse(chunk) as unknown);
}

function partsOf(recording: Recording): Part[] {
  return (chunksOf(recording).flat() as { candidates?: { content?: { parts?: Part[] } }[] }[]).flatMap(
    (chunk) => chunk.candidates?.[0]?.content?.parts ?? [],
  );
}

/** The events of an answer, read with the stage. */
function eventsOf(recording: Recording): ModelEvent[] {
  const stage = fromGeminiChunks({
    newId: counterId(),
    model: recording.model,
    toolNames: createToolNames([], geminiToolNameRule),
    mapError: () => new GatewayError('upstream_error', 'from the answer'),
  });
  return [...chunksOf(recording).flatMap((chunk) => stage.push(chunk)), ...stage.end()];
}

/** What the engine makes of events in the next turn's history: items in order; state goes to the open reasoning or stands by itself. */
function historyOf(events: readonly ModelEvent[]): InputItem[] {
  const items: InputItem[] = [];
  const outputs: InputItem[] = [];
  let open: { kind: string; text: string } = { kind: '', text: '' };
  function grow(kind: string, delta: string, make: (text: string) => InputItem): void {
    if (open.kind === kind) items.pop();
    else open = { kind, text: '' };
    open.text += delta;
    items.push(make(open.text));
  }
  for (const event of events) {
    const path = `input[${items.length}]`;
    if (event.type === 'text-delta') {
      grow('message', event.delta, (text) => ({
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text, path }],
        path,
      }));
    } else if (event.type === 'reasoning-delta') {
      grow('reasoning', event.delta, (text) => ({ type: 'reasoning', text, state: null, path }));
    } else if (event.type === 'reasoning-state') {
      const text = open.kind === 'reasoning' ? open.text : '';
      if (open.kind === 'reasoning') items.pop();
      items.push({ type: 'reasoning', text, state: event.state, path });
      open = { kind: 'state', text: '' };
    } else if (event.type === 'call-start') {
      items.push({ type: 'call', callId: event.callId, name: event.name, arguments: '', path });
      outputs.push({
        type: 'call-output',
        callId: event.callId,
        name: event.name,
        content: [{ type: 'text', text: '{"ok":true}', path }],
        path,
      });
      open = { kind: 'call', text: '' };
    } else if (event.type === 'call-delta') {
      const call = items.pop();
      if (call?.type === 'call') items.push({ ...call, arguments: call.arguments + event.delta });
    } else if (event.type === 'web-search') open = { kind: 'search', text: '' };
  }
  return [...items, ...outputs];
}

function requestOf(model: string, items: readonly InputItem[]): ModelRequest {
  const question: InputItem = {
    type: 'message',
    role: 'user',
    content: [{ type: 'text', text: 'question', path: 'input' }],
    path: 'input',
  };
  return {
    ...{
      model,
      instructions: null,
      input: [question, ...items],
      tools: [],
      hostedTools: [],
      toolChoice: { type: 'auto' },
      parallelToolCalls: true,
    },
    ...{
      format: { type: 'text' },
      verbosity: null,
      reasoning: { effort: null, summary: null },
      maxOutputTokens: null,
      temperature: null,
      topP: null,
    },
    ...{
      topK: null,
      stop: [],
      seed: null,
      thinkingBudget: null,
      presencePenalty: null,
      frequencyPenalty: null,
      topLogprobs: null,
      serviceTier: null,
      promptCacheKey: null,
      safetyIdentifier: null,
      stream: true,
      session: null,
    },
  };
}

function isNeeded(part: Part): boolean {
  if (part.thoughtSignature !== undefined) return true;
  if (part['thought'] === true) return false;
  return Boolean(part.text) || part.functionCall?.name !== undefined || 'toolCall' in part || 'toolResponse' in part;
}

function isPlainText(part: Part | undefined): part is Part & { text: string } {
  return part?.text !== undefined && part.thoughtSignature === undefined;
}

/** Without what need not come back: thinking text, empty texts, foreign parts, pieces of arguments. Unsigned texts side by side are one text. */
function normalise(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts.filter(isNeeded)) {
    const last = result.at(-1);
    if (isPlainText(part) && isPlainText(last)) last.text += part.text;
    else if (part.functionCall === undefined) result.push({ ...part });
    else {
      const { name, args, id } = part.functionCall;
      const signature = part.thoughtSignature;
      const functionCall = { ...(id !== undefined && { id }), ...(name !== undefined && { name }), args: args ?? {} };
      result.push({ functionCall, ...(signature !== undefined && { thoughtSignature: signature }) });
    }
  }
  return result;
}

const recordings = load().filter((recording) => recording.response.status === 200);
const signed = recordings.filter((recording) => partsOf(recording).some((part) => part.thoughtSignature !== undefined));

describe.runIf(isThere)('recorded answers of Gemini', () => {
  test('every signed answer goes back with the same parts, signatures and ids at the same positions', () => {
    let same = 0;
    for (const recording of signed) {
      const { value } = toGeminiRequest(requestOf(recording.model, historyOf(eventsOf(recording))));
      const sent = value.contents[1]?.parts as Part[];
      const isPartial = partsOf(recording).some((part) => part.functionCall?.partialArgs !== undefined);
      const strip = (parts: Part[]) =>
        isPartial ? parts.map((part) => ({ ...part, functionCall: { ...part.functionCall, args: {} } })) : parts;
      expect({ id: recording.id, parts: strip(normalise(sent)) }).toEqual({
        id: recording.id,
        parts: strip(normalise(partsOf(recording))),
      });
      same += 1;
    }
    console.log(`round trip of thought signatures: ${same} of ${signed.length}`);
    expect(signed.length).toBeGreaterThan(100);
  });

  test('a signature in another place is seen by this comparison', () => {
    const [one] = signed.filter((recording) => normalise(partsOf(recording)).length > 1);
    const parts = normalise(partsOf(one!));
    expect(parts).not.toEqual([...parts].reverse());
  });

  test('text, calls, thinking, usage and ending are what the answer holds', () => {
    let right = 0;
    for (const recording of recordings) {
      const events = eventsOf(recording);
      const parts = partsOf(recording);
      const text = parts.map((part) => (part['thought'] === true ? '' : (part.text ?? ''))).join('');
      const thinking = parts.map((part) => (part['thought'] === true ? (part.text ?? '') : '')).join('');
      expect(join(events, 'text-delta'), recording.id).toBe(text);
      expect(join(events, 'reasoning-delta'), recording.id).toBe(thinking);
      expect(
        events.filter((event) => event.type === 'call-start').map((event) => event.name),
        recording.id,
      ).toEqual(parts.flatMap((part) => part.functionCall?.name ?? []));
      expect(events.filter((event) => event.type === 'call-end').length, recording.id).toBe(
        events.filter((event) => event.type === 'call-start').length,
      );
      expect(misbilledTokens(events), recording.id).toBe(
        recording.id.includes('test_native_output_with_builtin_tools_stream') ? 21 : 0,
      );
      expect(['finish', 'failure'], recording.id).toContain(events.at(-1)?.type);
      right += 1;
    }
    console.log(`answers read: ${right} of ${recordings.length}`);
  });

  test('every cited segment is the text that Gemini names', () => {
    let exact = 0;
    let all = 0;
    for (const recording of recordings) {
      const events = eventsOf(recording);
      const text = join(events, 'text-delta');
      const quotes = (chunksOf(recording).flat() as GroundedChunk[]).flatMap(
        (chunk) => chunk.candidates?.[0]?.groundingMetadata?.groundingSupports ?? [],
      );
      const cited = new Set(
        events.flatMap((event) =>
          event.type === 'annotation' ? [text.slice(event.annotation.startIndex, event.annotation.endIndex)] : [],
        ),
      );
      for (const { segment } of quotes.filter((quote) => (quote.groundingChunkIndices ?? []).length > 0 && cited.size > 0)) {
        all += 1;
        if (cited.has(segment.text)) exact += 1;
      }
    }
    console.log(`cited segments with the right indices: ${exact} of ${all}`);
    expect(exact).toBe(all);
    expect(all).toBeGreaterThan(20);
  });
});

interface GroundedChunk {
  candidates?: {
    groundingMetadata?: { groundingSupports?: { segment: { text: string }; groundingChunkIndices?: number[] }[] };
  }[];
}

/** How far input and output are from the total; the last snapshot of one recording forgets the candidates that it counted before. */
function misbilledTokens(events: readonly ModelEvent[]): number {
  const usage = events.find((event) => event.type === 'usage')?.usage;
  return (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0) - (usage?.totalTokens ?? 0);
}

function join(events: readonly ModelEvent[], type: 'text-delta' | 'reasoning-delta'): string {
  return events.map((event) => (event.type === type ? event.delta : '')).join('');
}
