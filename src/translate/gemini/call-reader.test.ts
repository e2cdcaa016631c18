import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import { counterId } from '../../../test/counter-id.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { InputItem } from '../../model/model-request.ts';
import { createToolNames } from '../tool-names.ts';
import { fromGeminiChunks } from './from-gemini-chunks.ts';
import { geminiToolNameRule } from './to-gemini-tools.ts';
import { toGeminiRequest } from './to-gemini-request.ts';

const model = 'gemini-3-flash';

function play(id: string): ModelEvent[] {
  const toolNames = createToolNames(['get'], geminiToolNameRule);
  const mapError = (): GatewayError => new GatewayError('upstream_error', 'no');
  const stage = fromGeminiChunks({ newId: counterId(), model, toolNames, mapError });
  const parts = [{ functionCall: { id, name: 'get', args: {} }, thoughtSignature: 'sig' }];
  return [...stage.push({ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] }), ...stage.end()];
}

/** What a client that keeps everything sends in the next turn. */
function toHistory(events: readonly ModelEvent[]): InputItem[] {
  const path = 'input';
  return events.flatMap((event): InputItem[] => {
    if (event.type === 'reasoning-state') return [{ type: 'reasoning', text: '', state: event.state, path }];
    if (event.type !== 'call-start') return [];
    const { callId, name } = event;
    const content = [{ type: 'text', text: 'done', path }] as const;
    return [
      { type: 'call', callId, name, arguments: '{}', path },
      { type: 'call-output', callId, name, content, path },
    ];
  });
}

describe('a client gets only ids that it may send back, Gemini gets its own', () => {
  const longest = 'i'.repeat(64);

  test.each([
    ['64 characters', longest, longest, longest],
    ['65 characters', `${longest}i`, 'call_1', `${longest}i`],
    ['none', '', 'call_1', undefined],
  ])('%s', (_, id, forClient, forGemini) => {
    const events = play(id);
    expect(events.find((event) => event.type === 'call-start')?.callId).toBe(forClient);
    const question = plainRequest(model, 'q').input;
    const { value, losses } = toGeminiRequest(plainRequest(model, '', { input: [...question, ...toHistory(events)] }));
    const ids = value.contents
      .flatMap(({ parts }) => parts)
      .flatMap((part) => {
        if ('functionCall' in part) return [(part.functionCall as { id?: string }).id];
        return 'functionResponse' in part ? [(part.functionResponse as { id?: string }).id] : [];
      });
    expect([ids, losses]).toEqual([[forGemini, forGemini], []]);
  });
});
