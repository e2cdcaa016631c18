import { describe, expect, test } from 'vitest';
import { local, newEngine, runOnce } from '../../test/doubles/engine-deps.ts';
import { ScriptedBackend } from '../../test/doubles/scripted-backend.ts';
import type { ModelEvent } from '../model/model-event.ts';
import type { InputItem } from '../model/model-request.ts';
import type { InputFunctionCall, InputFunctionCallOutput, InputItemParam, InputMessage } from '../protocol/responses/items.ts';
import { listInputItems } from './list-input-items.ts';

const stop: ModelEvent[] = [
  { type: 'usage', usage: { inputTokens: 1, outputTokens: 1 } },
  { type: 'finish', reason: 'stop' },
];
const says = (text: string): ModelEvent[] => [{ type: 'text-delta', delta: text }, ...stop];
const state = { format: 'scripted', model: 'one', data: { signature: 'c2ln' } };
const calls = (callId: string): ModelEvent[] => [
  { type: 'reasoning-state', state },
  { type: 'call-start', callId, name: 'look' },
  { type: 'call-end', callId },
  ...stop,
];

const user = (text: string): InputMessage => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const callItem = (call_id: string): InputFunctionCall => ({ type: 'function_call', call_id, name: 'look', arguments: '{}' });
const output = (call_id: string, text = 'seen'): InputFunctionCallOutput => ({
  type: 'function_call_output',
  call_id,
  output: text,
});

function summary(items: readonly InputItem[] | undefined): string[] {
  return (items ?? []).map((item) => {
    if (item.type === 'call') return `call ${item.callId}`;
    if (item.type === 'reasoning') return `reasoning ${item.state === null ? 'without' : 'with'} state`;
    const text = item.content.map((part) => (part.type === 'text' ? part.text : part.type)).join('|');
    return item.type === 'message' ? `${item.role}: ${text}` : `output ${item.callId}: ${text}`;
  });
}

describe('previous_response_id', () => {
  test('brings the whole chain: input and output of every turn, in order, with reasoning state', async () => {
    const backend = new ScriptedBackend(
      { batches: [calls('call_1')] },
      { batches: [says('It is cold.')] },
      { batches: [says('Bye.')] },
    );
    const engine = newEngine(backend);
    const first = await runOnce(engine, { input: [user('Weather?')] });
    const second = await runOnce(engine, { input: [output('call_1')], previous_response_id: first.response.id });
    await runOnce(engine, { input: [user('Thanks')], previous_response_id: second.response.id, instructions: 'Be brief' });
    expect(summary(backend.requests[2]?.input)).toEqual([
      ...['user: Weather?', 'reasoning with state', 'call call_1', 'output call_1: seen'],
      ...['assistant: It is cold.', 'user: Thanks'],
    ]);
    expect(backend.requests.map(({ instructions }) => instructions)).toEqual([null, null, 'Be brief']);
    expect(first.response.output[0]).not.toHaveProperty('encrypted_content');
  });

  test('items that the client sends once more are not doubled', async () => {
    const backend = new ScriptedBackend({ batches: [calls('call_1')] }, { batches: [says('Ok')] });
    const engine = newEngine(backend);
    const { response } = await runOnce(engine, { input: [user('Weather?')] });
    await runOnce(engine, { input: [callItem('call_1'), output('call_1')], previous_response_id: response.id });
    expect(summary(backend.requests[1]?.input)).toEqual([
      'user: Weather?',
      'reasoning with state',
      'call call_1',
      'output call_1: seen',
    ]);
  });

  test('unknown and foreign ids fail alike', async () => {
    const engine = newEngine(new ScriptedBackend({ batches: [says('Hi')] }));
    const { response } = await runOnce(engine, {});
    const ask = (id: string, owner: string) =>
      runOnce(engine, { previous_response_id: id }, { context: { owner, strict: false } });
    const errors = await Promise.all(
      [ask(response.id, 'mallory'), ask('resp_unknown', 'mallory')].map((run) => run.catch((thrown: unknown) => thrown)),
    );
    expect(errors.map((error) => JSON.stringify(error).replace(response.id, 'ID').replace('resp_unknown', 'ID'))).toEqual(
      Array(2).fill(JSON.stringify(errors[1]).replace('resp_unknown', 'ID')),
    );
    expect(errors[0]).toMatchObject({
      code: 'previous_response_not_found',
      status: 400,
      param: 'previous_response_id',
      message: `Previous response with id '${response.id}' not found.`,
    });
  });

  test('a chain whose beginning was deleted says so instead of forgetting it', async () => {
    const engine = newEngine(new ScriptedBackend({ batches: [says('Hi')] }));
    const first = await runOnce(engine, {});
    const second = await runOnce(engine, { previous_response_id: first.response.id });
    await engine.store.removeResponse(first.response.id, 'local');
    await expect(runOnce(engine, { previous_response_id: second.response.id })).rejects.toMatchObject({
      message: `Previous response with id '${first.response.id}' not found.`,
    });
  });
});

describe('history in the request', () => {
  test('sealed state comes back from the client, from the store by id, and from nowhere', async () => {
    const backend = new ScriptedBackend({ batches: [calls('call_1')] }, { batches: [says('Ok')] });
    const engine = newEngine(backend);
    const { response } = await runOnce(engine, { include: ['reasoning.encrypted_content'] });
    const [reasoning] = response.output;
    if (reasoning?.type !== 'reasoning') throw new Error('no reasoning');
    expect(reasoning.encrypted_content).toContain('antiphon.v1.');
    const rest: InputItemParam[] = [callItem('call_1'), output('call_1')];
    await runOnce(engine, {
      store: false,
      input: [user('W?'), { type: 'reasoning', summary: [], encrypted_content: reasoning.encrypted_content ?? '' }, ...rest],
    });
    await runOnce(engine, { input: [user('W?'), { type: 'reasoning', id: reasoning.id, summary: [] }, ...rest] });
    await runOnce(engine, { input: [user('W?'), { type: 'item_reference', id: reasoning.id }, ...rest] });
    await runOnce(engine, { input: [user('W?'), ...rest] });
    const inputs = backend.requests.slice(1).map(({ input }) => summary(input)[1]);
    expect(inputs).toEqual(['reasoning with state', 'reasoning with state', 'reasoning with state', 'call call_1']);
  });

  test.each([
    ['a call without its output', [user('x'), callItem('call_9')], 'No tool output found for function call call_9.'],
    [
      'an output without its call',
      [user('x'), output('call_9')],
      'No tool call found for function call output with call_id call_9.',
    ],
    [
      'an output before its call',
      [output('call_9'), callItem('call_9')],
      'No tool call found for function call output with call_id call_9.',
    ],
    [
      'two outputs for one call',
      [callItem('call_9'), output('call_9'), output('call_9', 'again')],
      'No tool call found for function call output with call_id call_9.',
    ],
  ] satisfies [string, InputItemParam[], string][])('%s is a 400 in OpenAI words', async (_case, input, message) => {
    const engine = newEngine(new ScriptedBackend({ batches: [says('Hi')] }));
    await expect(runOnce(engine, { input })).rejects.toMatchObject({
      status: 400,
      param: 'input',
      message,
      type: 'invalid_request_error',
    });
  });

  test('an unknown item reference is a 404, and a foreign one looks the same', async () => {
    const engine = newEngine(new ScriptedBackend({ batches: [says('Hi')] }));
    const { response } = await runOnce(engine, {});
    const id = response.output[0]?.id ?? '';
    const input: InputItemParam[] = [{ type: 'item_reference', id }];
    await expect(runOnce(engine, { input }, { context: { owner: 'mallory', strict: false } })).rejects.toMatchObject({
      status: 404,
      param: 'input[0].id',
    });
  });

  test("another server's sealed reasoning is a loss, in strict mode a 400", async () => {
    const backend = new ScriptedBackend({ batches: [says('Hi')] });
    const input: InputItemParam[] = [
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'I thought' }], encrypted_content: 'gAAAA' },
      user('x'),
    ];
    await runOnce(newEngine(backend), { input });
    expect(summary(backend.requests[0]?.input)).toEqual(['reasoning without state', 'user: x']);
    await expect(runOnce(newEngine(backend), { input }, { context: { ...local, strict: true } })).rejects.toMatchObject({
      status: 400,
      param: 'input[0].encrypted_content',
    });
  });

  test('pictures, files and empty contents', async () => {
    const backend = new ScriptedBackend({ batches: [says('Hi')] });
    const content: InputMessage['content'] = [
      { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
      { type: 'input_file', file_url: 'https://example.org/a.pdf' },
    ];
    await runOnce(newEngine(backend), {
      input: [
        { type: 'message', role: 'assistant', content: [] },
        { type: 'message', role: 'user', content },
      ],
    });
    expect(backend.requests[0]?.input).toMatchObject([
      {
        content: [
          { type: 'image', source: { type: 'data', mediaType: 'image/png', base64: 'AAAA' } },
          { type: 'file', source: { type: 'url', url: 'https://example.org/a.pdf' } },
        ],
      },
    ]);
    const input: InputItemParam[] = [{ type: 'message', role: 'user', content: [{ type: 'input_file', file_id: 'file_1' }] }];
    await expect(runOnce(newEngine(backend), { input })).rejects.toMatchObject({
      code: 'unsupported_value',
      param: 'input[0].content[0].file_id',
    });
  });
});

test('input_items pages through the whole context, forwards and backwards', async () => {
  const engine = newEngine(new ScriptedBackend({ batches: [says('One')] }, { batches: [says('Two')] }));
  const first = await runOnce(engine, { input: [user('a'), user('b')] });
  const second = await runOnce(engine, { input: [user('c')], previous_response_id: first.response.id });
  const chain = await engine.store.loadChain(second.response.id, 'local');
  const all = listInputItems(chain, { limit: 100, order: 'asc', after: null, include: [] });
  expect(all.data.map(({ type }) => type)).toEqual(['message', 'message', 'message', 'message']);
  for (const order of ['asc', 'desc'] as const) {
    const ids: string[] = [];
    let after: string | null = null;
    for (let more = true; more;) {
      const page = listInputItems(chain, { limit: 1, order, after, include: [] });
      ids.push(...page.data.map(({ id }) => id));
      after = page.last_id;
      more = page.has_more;
    }
    const expected = all.data.map(({ id }) => id);
    expect(ids).toEqual(order === 'asc' ? expected : expected.reverse());
  }
  expect(() => listInputItems(chain, { limit: 1, order: 'asc', after: 'msg_no', include: [] })).toThrow("'after'");
});

test('input_items shows the members that a client may leave out of a request', async () => {
  const engine = newEngine(new ScriptedBackend({ batches: [says('One')] }));
  const picture = { type: 'input_image', image_url: 'data:image/png;base64,AAAA' } as const;
  const input: InputItemParam[] = [
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Zero' }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }, picture, { ...picture, detail: 'low' }] },
  ];
  const { response } = await runOnce(engine, { input });
  const chain = await engine.store.loadChain(response.id, 'local');
  const { data } = listInputItems(chain, { limit: 100, order: 'asc', after: null, include: [] });
  expect(data.map(({ content }) => content)).toEqual([
    [{ type: 'output_text', text: 'Zero', annotations: [], logprobs: [] }],
    [
      { type: 'input_text', text: 'a' },
      { ...picture, detail: 'auto' },
      { ...picture, detail: 'low' },
    ],
  ]);
});
