import { expect, test } from 'vitest';
import { checkEventLog } from '../../check-event-log.ts';
import type { LogEvent } from '../../check-event-log/log-event.ts';
import { readStream } from '../../doubles/post-response.ts';
import { checkEcho, checkIncrementalThinking, checkKeys, checkLogprobs, joinDeltas } from './deviation-checks.ts';
import { goodLog, seedLogs, seedResponse } from './seed-log.ts';

const toSse = (log: readonly object[]): string =>
  log.map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
const thinking = 'response.reasoning_summary_text.delta';

/** The checks of the other files see what the seed did. */
export function testSeedIsSeen(): void {
  test.each(seedLogs)('%s the oracle sees the stream of the seed', (_deviation, log) => {
    expect(checkEventLog(goodLog)).toEqual([]);
    expect(checkEventLog(log)).not.toEqual([]);
  });

  test('2.2 logprobs that are missing are seen', () => {
    const bare = goodLog.map((event) => ({ ...event, logprobs: undefined })) as unknown as LogEvent[];
    expect(checkLogprobs(goodLog as unknown as LogEvent[])).toEqual([]);
    expect(checkLogprobs(bare)).not.toEqual([]);
  });

  test('2.5 thinking in one piece, or cut short, is seen', () => {
    const [whole] = joinDeltas(goodLog as unknown as LogEvent[], thinking);
    expect(whole).toBe('Hm');
    expect(checkIncrementalThinking(goodLog as unknown as LogEvent[], 'Hm')).toEqual(['1 deltas']);
    expect(checkIncrementalThinking([], 'Hm')).toEqual(['0 deltas', "the deltas say ''"]);
  });

  test('2.9 a stream without [DONE] is seen', () => {
    expect(readStream(`${toSse(goodLog)}data: [DONE]\n\n`).faults).toEqual([]);
    expect(readStream(toSse(goodLog)).faults).toContain('the stream does not end with [DONE]');
  });

  test('2.11 2.14 constants in place of what was asked are seen', () => {
    const asked = { parallel_tool_calls: false, tool_choice: 'required', tools: [{ type: 'function' }], temperature: 0.5 };
    expect(checkEcho(seedResponse, asked)).toHaveLength(4);
  });

  test('2.12 2.13 missing and private keys are seen', () => {
    const faults = checkKeys(seedResponse);
    expect(faults).toContain('thinking_signature is private');
    for (const key of ['background', 'max_tool_calls', 'service_tier', 'safety_identifier', 'prompt_cache_key', 'top_logprobs'])
      expect(faults).toContain(`${key} is missing`);
  });
}
