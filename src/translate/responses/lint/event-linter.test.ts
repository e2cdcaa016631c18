import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { brokenStreams, goodStream } from '../../../../test/doubles/broken-streams.ts';
import { message, plainItem, streamOf, type WireEvent } from '../../../../test/doubles/responses-events.ts';
import { isJsonObject } from '../../../lib/json.ts';
import { repairs } from '../repair-losses.ts';
import { EventLinter } from './event-linter.ts';
import { lintRules, type LintFault, type LintRule } from './lint-rules.ts';
import type { LintMode } from './lint-state.ts';

function lint(stream: readonly unknown[], mode: LintMode = 'wire'): LintFault[] {
  const linter = new EventLinter(mode);
  return [...stream.flatMap((event) => linter.push(event)), ...linter.end()];
}

/** Broken only by ourselves, told only of a capture, or no fault at all. */
const notOfTheWire = ['unknown-item', 'completed-at', 'arguments-name', 'logprobs', 'not-json', 'event-name', 'unknown-event'];

describe('the linter names the rule', () => {
  test('of a good stream none', () => {
    expect(lint(goodStream())).toEqual([]);
  });

  test.each(brokenStreams.map((broken) => [broken.rule, broken] as const))('%s', (rule, { plant }) => {
    const faults = lint(plant(goodStream()));
    expect(new Set(faults.map((fault) => fault.rule))).toContain(rule);
    expect(faults.every(({ severity }) => severity === 'fault')).toBe(true);
  });

  test('most mistakes are one fault each', () => {
    const counts = brokenStreams.map(({ plant }) => lint(plant(goodStream())).length);
    expect(counts.filter((count) => count === 1).length).toBeGreaterThan(30);
  });

  test('every rule that another server can break has its stream', () => {
    const planted = new Set<string>(brokenStreams.map(({ rule }) => rule));
    expect(
      Object.keys(lintRules)
        .filter((rule) => !planted.has(rule))
        .sort(),
    ).toEqual([...notOfTheWire].sort());
  });

  test('the place of a fault is told', () => {
    const stream = goodStream().filter(({ type }) => type !== 'response.output_text.done');
    const [first, ...others] = lint(stream).filter(({ rule }) => rule !== 'sequence-number');
    expect(others).toEqual([]);
    expect(first).toEqual({
      rule: 'text-done',
      severity: 'fault',
      event: stream.findIndex(({ type }) => type === 'response.content_part.done'),
      type: 'response.content_part.done',
      words: 'the text-level done is missing',
    });
  });
});

describe('other ways to break a rule', () => {
  /** A member of the first event of that type. */
  function of(stream: readonly WireEvent[], type: string, member: string): WireEvent {
    return stream.find((event) => event['type'] === `response.${type}`)?.[member] as WireEvent;
  }

  test.each<[LintRule, string, (stream: WireEvent[]) => void]>([
    ['running-output', 'no list', (stream) => Reflect.deleteProperty(of(stream, 'created', 'response'), 'output')],
    ['final-output', 'no list', (stream) => (of(stream, 'completed', 'response')['output'] = null)],
    ['incomplete-details', 'no reason', (stream) => (of(stream, 'completed', 'response')['incomplete_details'] = {})],
    ['item-start', 'no list', (stream) => Reflect.deleteProperty(of(stream, 'output_item.added', 'item'), 'summary')],
    ['item-status', 'no word of it', (stream) => ((stream.at(-2)?.['item'] as WireEvent)['status'] = 'done')],
    ['part-type', 'none of a message', (stream) => (of(stream, 'content_part.added', 'part')['type'] = 'summary_text')],
    ['nothing-after-terminal', 'after an error', (stream) => stream.splice(4, 0, { type: 'error', message: 'no' })],
    ['in-progress-second', 'waiting too late', (stream) => stream.splice(3, 0, { ...stream[0], type: 'response.queued' })],
    [
      'call-id',
      'too long',
      (stream) => ((stream.find(({ item }) => isCall(item))?.['item'] as WireEvent)['call_id'] = 'c'.repeat(65)),
    ],
  ])('%s: %s', (rule, _words, change) => {
    const stream = goodStream();
    change(stream);
    const faults = lint(stream.map((event, sequence_number) => ({ ...event, sequence_number })));
    expect(faults.map((fault) => fault.rule)).toContain(rule);
  });

  function isCall(item: unknown): boolean {
    return isJsonObject(item) && item['type'] === 'function_call';
  }
});

describe('what others may do', () => {
  test('events of tools and audio that we do not send are known, others are a note', () => {
    const item = plainItem({ id: 'ci_0', type: 'code_interpreter_call', status: 'completed', code: '1', container_id: 'c' });
    const stream = streamOf(item, message(['done']));
    const foreign = ['code_interpreter_call_code.delta', 'audio.delta', 'shell_call_command.added', 'something.new'];
    stream.splice(3, 0, ...foreign.map((type) => ({ type: `response.${type}`, item_id: 'ci_0', output_index: 0 })), {
      type: 'keepalive',
    });
    const numbered = stream.map((event, sequence_number) => ({ ...event, sequence_number }));
    expect(lint(numbered)).toMatchObject([{ rule: 'unknown-event', severity: 'note', type: 'response.something.new' }]);
    expect(lint(numbered, 'own').map(({ rule }) => rule)).toContain('unknown-item');
  });

  test('a stream that is resumed, or that nobody numbered', () => {
    expect(lint(goodStream().map((event) => ({ ...event, sequence_number: Number(event['sequence_number']) + 40 })))).toEqual([]);
    const bare = goodStream();
    for (const event of bare) Reflect.deleteProperty(event, 'sequence_number');
    expect(lint(bare)).toEqual([]);
    expect(lint(bare, 'own').filter(({ rule }) => rule === 'sequence-number')).toHaveLength(bare.length);
  });

  test('a response that waits before it begins', () => {
    const [created, running, ...rest] = goodStream();
    const response = { ...(created?.['response'] as object), status: 'queued' };
    const stream = [{ ...created, response }, { type: 'response.queued', response }, running, ...rest];
    expect(lint(stream.map((event, sequence_number) => ({ ...event, sequence_number })))).toEqual([]);
  });

  test('an error that breaks the stream off', () => {
    const error = { code: 'server_error', message: 'no' };
    const [created, running] = goodStream();
    const response = { ...(created?.['response'] as object), status: 'failed', error };
    const failed = { type: 'response.failed', response, sequence_number: 3 };
    expect(lint([created, running, { type: 'error', error, sequence_number: 2 }, failed])).toEqual([]);
    expect(
      lint([
        { type: 'error', message: 'flat' },
        { ...failed, sequence_number: 0 },
      ]),
    ).toEqual([]);
    expect(lint([created, running, { type: 'error', sequence_number: 2 }, failed]).map(({ rule }) => rule)).toEqual([
      'error-object',
    ]);
  });

  test('nothing at all', () => {
    expect(lint([]).map(({ rule, event }) => [rule, event])).toEqual([['terminal-missing', null]]);
    expect(lint([null, 'x', [], {}, { type: '' }]).filter(({ rule }) => rule === 'event-shape')).toHaveLength(5);
  });
});

test('docs/lint.md has every rule, and what is done about it', async () => {
  const text = await readFile(new URL('../../../../docs/lint.md', import.meta.url), 'utf8');
  for (const [rule, sentence] of Object.entries(lintRules)) {
    expect(text).toContain(`\`${rule}\``);
    expect(text).toContain(sentence);
  }
  for (const repair of Object.values(repairs)) if (repair !== null) expect(text).toContain(repair);
});
