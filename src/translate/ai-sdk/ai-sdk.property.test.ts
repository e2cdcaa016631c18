import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { pushAll } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { CallInput, InputItem } from '../../model/model-request.ts';
import type { AiSdkAssistantPart } from '../../protocol/ai-sdk/call-options.ts';
import { createToolNames } from '../tool-names.ts';
import { createAiSdkProfile } from './ai-sdk-profile.ts';
import { fromAiSdkParts } from './from-ai-sdk-parts.ts';
import { toAiSdkParts } from './to-ai-sdk-parts.ts';
import { toAiSdkRequest } from './to-ai-sdk-request.ts';

function read(parts: readonly unknown[], isStream: boolean): readonly ModelEvent[] {
  const stage = fromAiSdkParts({
    ...{ newId: counterId(), model: 'm', isStream },
    toolNames: createToolNames([], { pattern: /^\w+$/, maxLength: 64 }),
    mapError: () => new GatewayError('upstream_error', 'x'),
    cleanMessage: (text) => text,
  });
  return [...pushAll(stage, parts), ...stage.end()];
}

const id = fc.constantFrom('', 'a', 'b');
const metadata = fc.constantFrom(undefined, null, {}, { p: { s: 1 } }, { p: { t: 2 }, q: { u: 3 } }, 'odd');
const word = fc.constantFrom(undefined, '', 'x', '{"y":', '1}', '{}');
const part = fc.record({
  type: fc.constantFrom(
    ...[
      'stream-start',
      'text-start',
      'text-delta',
      'text-end',
      'reasoning-start',
      'reasoning-delta',
      'reasoning-end',
      'raw',
      'file',
    ],
    ...[
      'tool-input-start',
      'tool-input-delta',
      'tool-input-end',
      'tool-call',
      'tool-result',
      'source',
      'response-metadata',
      'odd',
    ],
    ...['tool-approval-request', 'error', 'finish'],
  ),
  ...{ id, toolCallId: id, delta: word, input: word, providerMetadata: metadata },
  toolName: fc.constantFrom(undefined, 'f', 'web_search'),
  providerExecuted: fc.constantFrom(undefined, true, false),
  inputEncoding: fc.constantFrom(undefined, 'text'),
  ...{ sourceType: fc.constantFrom('url', 'document'), url: fc.constantFrom('https://a.example', '', undefined) },
  finishReason: fc.constantFrom(
    undefined,
    'stop',
    { unified: 'length' },
    { unified: 'other' },
    { unified: 'tool-calls', raw: 'x' },
  ),
  usage: fc.constantFrom(undefined, {}, { inputTokens: { total: 1.5 }, outputTokens: { total: 3 } }),
});

test('whatever a provider sends, the events keep their rules', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: part }, fc.anything()), { maxLength: 30 }),
      fc.boolean(),
      (parts, isStream) => {
        expect(checkModelEvents(read(parts, isStream))).toEqual([]);
      },
    ),
    { numRuns: 1500 },
  );
});

const providerMetadata = fc.option(fc.constantFrom({ p: { s: 1 } }, { p: { t: 'x' }, q: { u: [2] } }), { nil: undefined });
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
const content = fc
  .array(
    fc.oneof(
      fc.record({ type: fc.constant('reasoning'), text, providerMetadata }),
      fc.record({ type: fc.constant('text'), text, providerMetadata }),
      fc.record({ type: fc.constant('tool-call'), toolName: fc.constantFrom('f', 'g'), x: text, providerMetadata }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) =>
    parts.map((one, at) =>
      'x' in one
        ? {
            type: one.type,
            toolCallId: `c${String(at)}`,
            toolName: one.toolName,
            input: JSON.stringify({ x: one.x }),
            providerMetadata: one.providerMetadata,
          }
        : one,
    ),
  )
  .filter((parts) => parts.some(({ type }) => type !== 'reasoning'));

/** What the engine makes of the events, and gives back with the next turn. */
function toInput(events: readonly ModelEvent[]): InputItem[] {
  const items: InputItem[] = [];
  const calls = new Map<string, { callId: string; name: string; text: string }>();
  let said = '';
  const endMessage = (): void => {
    const path = 'input';
    if (said !== '') items.push({ type: 'message', role: 'assistant', content: [{ type: 'text', text: said, path }], path });
    said = '';
  };
  for (const event of events) {
    if (event.type === 'text-delta') said += event.delta;
    else if (event.type !== 'loss') endMessage();
    if (event.type === 'reasoning-state') items.push({ type: 'reasoning', text: '', state: event.state, path: 'input' });
    if (event.type === 'call-start') calls.set(event.callId, { callId: event.callId, name: event.name, text: '' });
    const call = 'callId' in event ? calls.get(event.callId) : undefined;
    if (call !== undefined && event.type === 'call-delta') call.text += event.delta;
    if (call !== undefined && event.type === 'call-end')
      items.push({ type: 'call', callId: call.callId, name: call.name, arguments: call.text, path: 'input' });
  }
  const made = items.filter((item): item is CallInput => item.type === 'call');
  return [
    ...items,
    ...made.map(({ callId, name }): InputItem => ({ type: 'call-output', callId, name, content: [], path: 'input' })),
  ];
}

/** Neighbouring texts that nothing is bound to are one text; what is bound to nothing has no options. */
function toComparable(parts: readonly AiSdkAssistantPart[]): unknown[] {
  const out: { type: string; text?: string; providerOptions?: unknown }[] = [];
  for (const { providerOptions, ...one } of parts) {
    const last = out.at(-1);
    const isPlain = one.type === 'text' && providerOptions === undefined;
    if (isPlain && last?.type === 'text' && last.providerOptions === undefined) last.text = `${last.text ?? ''}${one.text}`;
    else out.push({ ...one, ...(providerOptions !== undefined && { providerOptions }) });
  }
  return out;
}

test('what a model did goes back as it was, with all that was bound to it', () => {
  fc.assert(
    fc.property(content, (parts) => {
      const whole = { content: parts, finishReason: { unified: 'stop', raw: 'x' }, usage: {}, warnings: [] };
      const input = [...plainRequest('m', 'Hi').input, ...toInput(read(toAiSdkParts(whole), false))];
      const options = { profile: createAiSdkProfile('fake', 'fake'), acceptsUrl: () => false };
      const { value, losses } = toAiSdkRequest(plainRequest('m', 'Hi', { input }), options);
      const assistant = value.prompt.find((message) => message.role === 'assistant');
      const expected = parts.map(({ providerMetadata: providerOptions, ...one }) => ({
        ...one,
        ...('input' in one && { input: JSON.parse(one.input) as unknown }),
        ...(providerOptions !== undefined && { providerOptions }),
      }));
      expect(losses).toEqual([]);
      expect(toComparable(assistant?.content ?? [])).toEqual(toComparable(expected as AiSdkAssistantPart[]));
    }),
    { numRuns: 500 },
  );
});
