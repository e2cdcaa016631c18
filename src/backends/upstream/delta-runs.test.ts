import fc from 'fast-check';
import { expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import type { TurnEvent } from '../../model/model-event.ts';
import { createChatProfile } from '../../translate/chat/chat-profile.ts';
import { fromChatChunks } from '../../translate/chat/from-chat-chunks.ts';
import { fromResponsesChunks } from '../../translate/responses/from-responses-chunks.ts';
import { passResponses } from '../../translate/responses/passed-responses.ts';
import { sameNames } from '../../translate/tool-names.ts';
import { DeltaRuns, type DeltaForm } from './delta-runs.ts';
import { PassedEventStream } from './passed-event-stream.ts';
import type { PassedStage } from './turn-stage.ts';

const chatForm: DeltaForm = { texts: ['content', 'arguments'], padding: ['obfuscation'], counts: ['created'], number: null };
const responsesForm: DeltaForm = { texts: ['delta'], padding: ['obfuscation'], counts: [], number: 'sequence_number' };
const encoder = new TextEncoder();

const chat = (delta: object, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c1', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`;

function readAll(form: DeltaForm, ...frames: readonly string[]): (number | null)[] {
  const runs = new DeltaRuns(form);
  return frames.map((text) => {
    const bytes = encoder.encode(text);
    const run = runs.read(bytes);
    if (run === null) runs.learn(bytes);
    return run?.events ?? null;
  });
}

test('frames that say something else, and nothing besides, are one run, which says all of it', () => {
  const runs = new DeltaRuns(chatForm);
  runs.learn(encoder.encode(chat({ content: 'a' })));
  const frames = ['b', ' "quoted"\n', 'é😀'].map((content) => chat({ content }));
  const rest = chat({}) + chat({ content: 'more' });
  const run = runs.read(encoder.encode(frames.join('') + rest));
  expect(run).toMatchObject({ events: 3, to: encoder.encode(frames.join('')).length });
  expect(run?.chunk).toMatchObject({ id: 'c1', choices: [{ delta: { content: 'b "quoted"\né😀' } }] });
});

const two = (content: string): string => chat({ content }) + chat({ content });

test.each<[string, DeltaForm, string, string]>([
  ['another id', chatForm, chat({ content: 'a' }), two('b').replaceAll('c1', 'c2')],
  ['another place', chatForm, chat({ content: 'a' }), two('b').replaceAll('"index":0', '"index":1')],
  ['something besides', chatForm, chat({ content: 'a' }), two('b').replaceAll('"b"', '"b","x":1')],
  ['an escape that may be half a character', chatForm, chat({ content: 'a' }), two('b').replaceAll('"b"', '"\\ud83d"')],
  ['a control character', chatForm, chat({ content: 'a' }), two('b').replaceAll('"b"', '"\u0001"')],
  ['an escape that does not exist', chatForm, chat({ content: 'a' }), two('b').replaceAll('"b"', '"\\x"')],
  ['no string', chatForm, chat({ content: 'a' }), two('b').replaceAll('"b"', 'null')],
  ['two texts in one event', chatForm, chat({ content: 'a', arguments: 'x' }), two('b')],
  ['a frame without its end', chatForm, chat({ content: 'a' }), two('b').slice(0, -3)],
  ['a number that does not grow by one', responsesForm, numbered(1), numbered(2) + numbered(4)],
  ['a number with a zero in front', responsesForm, numbered(1), (numbered(2) + numbered(3)).replaceAll(/:([23])/g, ':0$1')],
  ['padding with escapes', responsesForm, numbered(1), (numbered(2) + numbered(3)).replaceAll('xx', '\\n')],
])('no run: %s', (_name, form, learned, frames) => {
  expect(readAll(form, learned, frames)).toEqual([null, null]);
});

function numbered(number: number): string {
  const event = { type: 'response.output_text.delta', delta: 'x', sequence_number: number, obfuscation: 'xx' };
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

test('numbers that grow, padding and counts may change', () => {
  expect(readAll(responsesForm, numbered(1), numbered(9) + numbered(10).replace('xx', 'y') + numbered(11))).toEqual([null, 3]);
  const later = chat({ content: 'b' }).replace('"created":1', '"created":22');
  expect(readAll(chatForm, chat({ content: 'a' }), later + later)).toEqual([null, 2]);
});

test('bytes that are not UTF-8 are left to whoever reads event by event', () => {
  const runs = new DeltaRuns(chatForm);
  runs.learn(encoder.encode(chat({ content: 'a' })));
  const bytes = encoder.encode(two('b'));
  bytes[bytes.indexOf(0x62)] = 0xff;
  expect(runs.read(bytes)).toBeNull();
});

/** What a stage and a client got of a stream that came in these reads: texts that follow each other are one. */
function pass(stage: PassedStage, deltas: DeltaForm | null, reads: readonly Uint8Array[]): { events: object[]; bytes: string } {
  const stream = new PassedEventStream({ stage, deltas, maxEventBytes: 1e6, secrets: [] });
  const all: TurnEvent[] = [];
  for (const read of reads) if (!stream.isOver) all.push(...stream.push(read));
  if (!stream.isOver) all.push(...stream.end());
  const bytes = all.map((event) => (event.type === 'native' ? Buffer.from(event.bytes).toString('latin1') : '')).join('');
  const events: { type: string; delta?: string; error?: string }[] = [];
  for (const event of all) {
    if (event.type === 'native') continue;
    const last = events.at(-1);
    if ('delta' in event && last?.type === event.type) last.delta = `${last.delta ?? ''}${event.delta}`;
    else events.push(event.type === 'failure' ? { type: event.type, error: event.error.code } : { ...event });
  }
  return { events, bytes };
}

const openChat = (): PassedStage =>
  fromChatChunks({
    newId: counterId(),
    model: 'm',
    profile: createChatProfile({ baseUrl: 'https://api.openai.com/v1' }),
    toolNames: sameNames,
    wantsLogprobs: false,
    echo: '',
    cleanMessage: () => undefined,
  });

const openResponses = (): PassedStage => {
  const options = { newId: counterId(), model: 'm', toolNames: sameNames, customTools: new Set<string>(), wantsLogprobs: false };
  return passResponses(fromResponsesChunks(options), { isStream: true });
};

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', ' the', '\n', 'é', '😀', '"') },
  fc.string({ unit: 'binary' }),
);
const chatFrame = fc.oneof(
  { weight: 12, arbitrary: text.map((content) => chat({ content })) },
  fc.constantFrom(chat({ role: 'assistant', content: '' }), ': keep-alive\n\n', chat({}, { usage: null }), 'data: {oops\n\n'),
  text.map((args) => chat({ tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: args } }] })),
  fc.constant(chat({}).replace('"finish_reason":null', '"finish_reason":"stop"')),
);

/** The same bytes in reads of these lengths. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const reads: Uint8Array[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const to = at + (lengths[index % lengths.length] ?? bytes.length);
    reads.push(bytes.subarray(at, to));
    at = to;
  }
  return reads;
}

const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 100, max: 3000 })), {
  minLength: 1,
  maxLength: 6,
});

test('a chat stream reads the same with runs and without, however it is cut', () => {
  fc.assert(
    fc.property(fc.array(chatFrame, { maxLength: 30 }), fc.boolean(), lengths, (frames, hasReturns, sizes) => {
      const whole = `${frames.join('')}data: [DONE]\n\n`;
      const reads = cut(encoder.encode(hasReturns ? whole.replaceAll('\n\n', '\r\n\r\n') : whole), sizes);
      expect(pass(openChat(), chatForm, reads)).toEqual(pass(openChat(), null, reads));
    }),
    { numRuns: 400 },
  );
});

test('a Responses stream reads the same with runs and without, also where it breaks', () => {
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const part = { type: 'output_text', text: '', annotations: [] };
  const item = { id: 'msg_1', type: 'message', status: 'in_progress', role: 'assistant', content: [] };
  const response = { id: 'resp_1', status: 'in_progress', output: [] };
  const opening = [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.content_part.added', ...at, part },
  ];
  fc.assert(
    fc.property(fc.array(text, { maxLength: 30 }), fc.option(fc.nat({ max: 30 })), lengths, (texts, slip, sizes) => {
      const deltas = texts.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] }));
      const done = { type: 'response.output_text.done', ...at, text: texts.join(''), logprobs: [] };
      const events = [...opening, ...deltas, done].map((event, number) => ({
        ...event,
        sequence_number: slip !== null && number > slip ? number + 1 : number,
      }));
      const frames = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      const reads = cut(encoder.encode(frames.join('')), sizes);
      expect(pass(openResponses(), responsesForm, reads)).toEqual(pass(openResponses(), null, reads));
    }),
    { numRuns: 300 },
  );
});
