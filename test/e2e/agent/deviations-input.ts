import { expect, test } from 'vitest';
import type { GeminiCall } from '../../doubles/gemini-model/gemini-model-options.ts';
import { errorLine } from '../../doubles/send-http.ts';
import { callIdsOf, deliveries, linesOf, lossesOf, toolNamed, ways, type DeviationBench, type Way } from './deviation-bench.ts';

const weather = toolNamed('get_weather');
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const image = { type: 'input_image', image_url: `data:image/png;base64,${pixel}`, detail: 'auto' };
const pdf = { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0xLjQK' };
const said = (text: string): object => ({ type: 'input_text', text });
const textOf = (call: GeminiCall | undefined): string => JSON.stringify(call?.body['contents'] ?? []);
const systemOf = (call: GeminiCall | undefined): string => JSON.stringify(call?.body['systemInstruction'] ?? {});
const inOrder = (text: string, words: readonly string[]): number[] => words.map((word) => text.indexOf(word));

/** One of everything a client keeps. */
const transcript = [
  { role: 'system', content: 'SYSTEM-WORD' },
  { role: 'developer', content: 'DEVELOPER-WORD' },
  { role: 'user', content: [said('FIRST-WORD'), said('SECOND-WORD')] },
  { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'thought' }] },
  { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"ARGUMENT-WORD"}' },
  { type: 'function_call_output', call_id: 'call_1', output: 'OUTPUT-WORD' },
  { role: 'assistant', content: [{ type: 'output_text', text: 'ANSWER-WORD' }] },
  { role: 'user', content: [said('LAST-WORD [[say Seen]]'), image, pdf] },
];

/** Protocol.md §2, items 15 to 18: what the model is told of the input. */
export function testInput(benchOf: (way: Way) => DeviationBench): void {
  test.each(deliveries)('2.15 the whole transcript reaches the model, in its order (stream %s, %s)', async (stream, way) => {
    const { ask, mainCallsOf } = benchOf(way);
    const [call] = await mainCallsOf(async () => {
      const answer = await ask({ input: transcript, tools: [weather], stream });
      expect(linesOf(answer)).toEqual(['message "Seen"']);
    });
    const words = ['FIRST-WORD', 'SECOND-WORD', 'ARGUMENT-WORD', 'OUTPUT-WORD', 'ANSWER-WORD', 'LAST-WORD'];
    const places = inOrder(textOf(call), words);
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    for (const word of ['SYSTEM-WORD', 'DEVELOPER-WORD']) expect(`${systemOf(call)}${textOf(call)}`).toContain(word);
    for (const data of [pixel, 'JVBERi0xLjQK']) expect(textOf(call).split(data)).toHaveLength(2);
  });

  test('2.15 with a tap roles, calls and outputs are the model’s own kind of contents', async () => {
    const { ask, mainCallsOf, model } = benchOf('with a tap');
    const [call] = await mainCallsOf(() => ask({ input: transcript, tools: [weather] }));
    const contents = call?.body['contents'] as { role: string; parts: Record<string, unknown>[] }[];
    expect(contents.map(({ role, parts }) => `${role} ${parts.flatMap((part) => Object.keys(part)).join()}`)).toEqual([
      'user text,text',
      expect.stringMatching(/^model functionCall/) as string,
      'user functionResponse',
      'model text',
      expect.stringMatching(/^user /) as string,
    ]);
    expect(systemOf(call)).toMatch(/SYSTEM-WORD.*DEVELOPER-WORD/);
    expect(model.violations).toEqual([]);
  });

  test.each(ways)('2.15 text parts are told apart: no blank is put between them, %s', async (way) => {
    const { ask, mainCallsOf } = benchOf(way);
    const content = [said('ONE-PART'), said('TWO-PART [[say Seen]]')];
    const [call] = await mainCallsOf(() => ask({ input: [{ role: 'user', content }] }));
    expect(textOf(call)).toMatch(/ONE-PART(\\n|"\},\{"text":")+TWO-PART/);
  });

  test.each(ways)('2.15 what no model here can take is refused, never left out, %s', async (way) => {
    const { ask, agent } = benchOf(way);
    const before = agent.bodiesOf('SendUserCascadeMessage').length;
    const audio = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } };
    const refused = await ask({ input: [{ role: 'user', content: [said('Hear'), audio] }] });
    expect(errorLine(refused)).toBe('400 invalid_request_error unsupported_value input[0].content[1].type');
    expect(agent.bodiesOf('SendUserCascadeMessage')).toHaveLength(before);
  });

  test('2.16 the user’s words beside an output reach the model, and nobody else’s do', async () => {
    const { ask, mainCallsOf } = benchOf('with a tap');
    const first = await ask({ input: '[[call get_weather {"city":"Oslo"}]]', tools: [weather] });
    const output = { type: 'function_call_output', call_id: callIdsOf(first)[0], output: 'OUTPUT-WORD' };
    const goOn =
      (input: object[]): (() => Promise<unknown>) =>
      () =>
        ask({ previous_response_id: first.body.id, tools: [weather], input });
    const [beside] = await mainCallsOf(goOn([output, { role: 'user', content: 'ASIDE-WORD [[say Both seen]]' }]));
    const places = inOrder(textOf(beside), ['"functionCall"', 'OUTPUT-WORD', 'ASIDE-WORD']);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(places).not.toContain(-1);
    const [alone] = await mainCallsOf(goOn([output]));
    const last = (alone?.body['contents'] as { parts: { text?: string }[] }[]).at(-1)?.parts ?? [];
    const words = last.map(({ text = '' }) => text.replace(/<(USER_REQUEST|ADDITIONAL_METADATA)>[\s\S]*?<\/\1>/g, '').trim());
    expect(words.join('')).toBe('');
    expect(textOf(alone)).not.toMatch(/Continue|continue|results of the calls/);
  });

  test('2.16 without a tap outputs and the user’s words are told in one text', async () => {
    const { ask, textsOf } = benchOf('without a tap');
    const call = { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' };
    const output = { type: 'function_call_output', call_id: 'call_1', output: 'OUTPUT-WORD' };
    const [text = ''] = await textsOf(() =>
      ask({ input: [{ role: 'user', content: 'Go' }, call, output, { role: 'user', content: 'ASIDE-WORD [[say Seen]]' }] }),
    );
    expect(text).toMatch(/\[result of get_weather, call_id call_1\]\nOUTPUT-WORD\n\nThe user says now:\n\nASIDE-WORD/);
  });

  test.each(ways)('2.17 instructions are a system text, and not inherited, %s', async (way) => {
    const { ask, mainCallsOf, textsOf } = benchOf(way);
    let id = '';
    let calls: readonly GeminiCall[] = [];
    const texts = await textsOf(async () => {
      calls = await mainCallsOf(async () => {
        const first = await ask({ input: '[[say One]]', instructions: 'SAILOR-WORD' });
        id = first.body.id;
        expect(lossesOf(first)).toEqual(way === 'with a tap' ? [] : ['instructions emulated']);
        const second = await ask({ input: '[[say Two]]', previous_response_id: id });
        expect(second.body).toMatchObject({ instructions: null });
      });
    });
    if (way === 'with a tap') {
      expect(calls.map((call) => systemOf(call).includes('SAILOR-WORD'))).toEqual([true, false]);
      expect(texts.join()).not.toContain('SAILOR-WORD');
    } else {
      expect(texts[0]).toBe('[system]\nSAILOR-WORD\n\n[user]\n[[say One]]');
      expect(texts[1]).toBe('[[say Two]]');
    }
  });

  test('2.18 outputs that are lists of parts reach the model with text and images', async () => {
    const { ask, mainCallsOf, model } = benchOf('with a tap');
    const first = await ask({ input: '[[call get_weather {}]] [[then]] [[say I see]]', tools: [weather] });
    const output = { type: 'function_call_output', call_id: callIdsOf(first)[0], output: [said('SNOW-WORD'), image] };
    const [call] = await mainCallsOf(() => ask({ previous_response_id: first.body.id, tools: [weather], input: [output] }));
    expect(textOf(call)).toContain('SNOW-WORD');
    expect(textOf(call).split(pixel)).toHaveLength(2);
    expect(model.violations).toEqual([]);
  });

  test('2.18 outputs belong to calls by their id, not by the function’s name', async () => {
    const { ask, mainCallsOf } = benchOf('with a tap');
    const input = '[[call get_weather {"city":"A"}]] [[call get_weather {"city":"B"}]] [[then]] [[outputs]]';
    const first = await ask({ input, tools: [weather] });
    const outputs = callIdsOf(first).map((id, at) => ({
      type: 'function_call_output',
      call_id: id,
      output: `of ${'AB'[at] ?? ''}`,
    }));
    const [call] = await mainCallsOf(() =>
      ask({ previous_response_id: first.body.id, tools: [weather], input: outputs.toReversed() }),
    );
    const places = inOrder(textOf(call), ['"city":"A"', '"city":"B"', 'of A', 'of B']);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(places).not.toContain(-1);
  });

  test.each(deliveries)(
    '2.18 an output of an unknown call is refused before anything is sent (stream %s, %s)',
    async (stream, way) => {
      const { ask, agent } = benchOf(way);
      const first = await ask({ input: '[[say Hi]]' });
      const before = agent.requests.length;
      const output = { type: 'function_call_output', call_id: 'call_nobody_made', output: '4C' };
      const refused = await ask({ previous_response_id: first.body.id, input: [output], stream });
      expect(errorLine(refused)).toBe('400 invalid_request_error null input');
      expect(refused.body.error?.message).toContain('call_nobody_made');
      expect(agent.requests.slice(before).filter((entry) => entry.type === 'rpc' && entry.method.startsWith('Send'))).toEqual([]);
    },
  );
}
