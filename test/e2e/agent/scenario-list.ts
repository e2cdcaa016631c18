import { expect } from 'vitest';
import type { Response, ResponseInput } from 'openai/resources/responses/responses';
import type { GeminiCall } from '../../doubles/gemini-model/gemini-model-options.ts';
import { answerCalls, functionTool, type Scenario, type ScenarioRequest } from './scenario.ts';

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const image = { type: 'input_image' as const, image_url: `data:image/png;base64,${pixel}`, detail: 'auto' as const };
const nineLives = functionTool('9-lives');
const tools = [functionTool('get_weather'), functionTool('get_time'), functionTool('get_mood')];
const summary = { effort: 'low', summary: 'auto' } as const;
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };

function at(answers: readonly Response[], index: number): Response {
  const answer = answers[index];
  if (answer === undefined) throw new Error(`no answer ${String(index)}`);
  return answer;
}

/** Goes on after the last response with the outputs of its calls. */
const answerLast = (answers: readonly Response[]): ScenarioRequest => {
  const last = at(answers, answers.length - 1);
  return { previous_response_id: last.id, tools, input: answerCalls(last, (name) => `{"from":"${name}"}`) };
};

/** A whole transcript again, in the client's hands. */
const resend = (said: readonly string[], answers: readonly Response[]): ResponseInput =>
  said.flatMap((content, index) => [
    { role: 'user' as const, content },
    ...((answers[index]?.output ?? []) as ResponseInput),
    ...(answers[index] === undefined ? [] : answerCalls(answers[index], (name) => `plain words of ${name}`)),
  ]);

const textOf = (call: GeminiCall | undefined): string => JSON.stringify(call?.body ?? {});
const choiceOf = (call: GeminiCall | undefined): object =>
  ((call?.body['toolConfig'] ?? {}) as { functionCallingConfig?: object }).functionCallingConfig ?? {};

const stateless = { store: false, include: ['reasoning.encrypted_content' as const], tools };
const twoRounds = '[[call get_weather {"city":"Oslo"}]] [[then]] [[call get_time {"city":"Rome"}]] [[then]] [[say Both known]]';

export const scenarios: readonly Scenario[] = [
  {
    name: 'text',
    turns: [() => ({ input: '[[say Hello, this is  a text.]]' })],
    expected: ['message "Hello, this is  a text."'],
  },
  {
    name: 'thinking with a summary',
    turns: [() => ({ input: '[[think Let me see this first]] [[say Done]]', reasoning: summary })],
    expected: ['reasoning "Let me see this first" | message "Done"'],
  },
  {
    name: 'one tool round trip',
    turns: [() => ({ input: '[[call get_weather {"city":"Oslo"}]]', tools }), answerLast],
    expected: ['call get_weather {"city":"Oslo"}', 'message "get_weather returned {\\"from\\":\\"get_weather\\"}."'],
  },
  {
    name: 'thinking before a call',
    turns: [() => ({ input: '[[think I need it]] [[call get_weather {"city":"Oslo"}]]', tools, reasoning: summary }), answerLast],
    expected: [
      'reasoning "I need it" | call get_weather {"city":"Oslo"}',
      'message "get_weather returned {\\"from\\":\\"get_weather\\"}."',
    ],
  },
  {
    name: 'three parallel calls, answered in another order',
    turns: [
      () => ({
        input: '[[call get_weather {"city":"A"}]] [[call get_time {"city":"B"}]] [[call get_weather {"city":"C"}]]',
        tools,
      }),
      (answers) => ({
        previous_response_id: at(answers, 0).id,
        tools,
        input: answerCalls(
          at(answers, 0),
          (name) => `words of ${name}`,
          (ids) => ids.toReversed(),
        ),
      }),
    ],
    expected: [
      'call get_weather {"city":"A"} | call get_time {"city":"B"} | call get_weather {"city":"C"}',
      'message "get_weather returned {\\"result\\":\\"words of get_weather\\"}. get_time returned {\\"result\\":\\"words of get_time\\"}. get_weather returned {\\"result\\":\\"words of get_weather\\"}."',
    ],
  },
  {
    name: 'five sequential rounds',
    turns: [
      () => ({
        input: [1, 2, 3, 4, 5].map((round) => `[[call get_weather {"round":${String(round)}}]]`).join(' [[then]] '),
        tools,
      }),
      ...Array.from({ length: 5 }, () => answerLast),
    ],
    expected: [
      ...[1, 2, 3, 4, 5].map((round) => `call get_weather {"round":${String(round)}}`),
      'message "get_weather returned {\\"from\\":\\"get_weather\\"}."',
    ],
  },
  {
    name: 'text before a call comes first',
    turns: [() => ({ input: '[[say I will look.]] [[call get_weather {"city":"Oslo"}]]', tools }), answerLast],
    expected: [
      'message "I will look." | call get_weather {"city":"Oslo"}',
      'message "get_weather returned {\\"from\\":\\"get_weather\\"}."',
    ],
  },
  {
    name: 'an own tool and a client tool in one answer',
    turns: [
      () => ({ input: '[[say Both.]] [[call read_note {"name":"a"}]] [[call get_weather {"city":"Oslo"}]]', tools }),
      answerLast,
    ],
    expected: ['message "Both." | call get_weather {"city":"Oslo"}', expect.stringContaining('get_weather returned') as string],
    agentOnly: true,
  },
  {
    name: 'tool_choice required',
    turns: [() => ({ input: '[[call get_time {}]]', tools, tool_choice: 'required' })],
    expected: ['call get_time {}'],
    check: ([call]) => {
      expect(choiceOf(call)).toMatchObject({ mode: 'ANY' });
    },
  },
  {
    name: 'tool_choice of one function',
    turns: [() => ({ input: '[[call get_time {}]]', tools, tool_choice: { type: 'function', name: 'get_time' } })],
    expected: ['call get_time {}'],
    check: ([call]) => {
      expect(choiceOf(call)).toEqual({ mode: 'ANY', allowedFunctionNames: ['get_time'] });
    },
  },
  {
    name: 'tool_choice none',
    turns: [() => ({ input: '[[say No tools.]]', tools, tool_choice: 'none' })],
    expected: ['message "No tools."'],
  },
  {
    name: 'tool_choice allowed_tools',
    turns: [
      () => ({
        input: '[[call get_mood {}]]',
        tools,
        tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'get_mood' }] },
      }),
    ],
    expected: ['call get_mood {}'],
    check: ([call]) => {
      expect(choiceOf(call)).toEqual({ mode: 'ANY', allowedFunctionNames: ['get_mood'] });
    },
  },
  {
    name: 'parallel_tool_calls false',
    turns: [
      () => ({ input: '[[call get_weather {}]] [[call get_time {}]] [[then]] [[outputs]]', tools, parallel_tool_calls: false }),
      answerLast,
    ],
    expected: ['call get_weather {}', 'message "get_weather returned {\\"from\\":\\"get_weather\\"}."'],
  },
  {
    name: 'a name that Gemini refuses',
    turns: [
      () => ({ input: 'Use it', tools: [nineLives], reasoning: summary, tool_choice: { type: 'function', name: '9-lives' } }),
      (answers) => ({
        previous_response_id: at(answers, 0).id,
        tools: [nineLives],
        input: [...answerCalls(at(answers, 0), () => 'eight left'), { role: 'user', content: '[[say Eight.]]' }],
      }),
    ],
    expected: [expect.stringMatching(/\| call 9-lives \{.*\}$/) as string, 'message "Eight."'],
    check: (calls) => {
      for (const call of calls) expect(textOf(call)).not.toContain('"name":"9-lives"');
      expect(textOf(calls[1])).toContain('eight left');
    },
  },
  {
    name: 'structured output',
    turns: [
      () => ({
        input: '[[say {"city":"Oslo"}]]',
        text: { format: { type: 'json_schema', name: 'answer', strict: true, schema } },
      }),
    ],
    expected: ['message "{\\"city\\":\\"Oslo\\"}"'],
    check: ([call]) => {
      expect(call?.body['generationConfig']).toMatchObject({ responseMimeType: 'application/json' });
    },
  },
  {
    name: 'instructions and tools are not inherited',
    turns: [
      () => ({ input: '[[say One]]', instructions: 'SPEAK-LIKE-A-SAILOR', tools }),
      (answers) => ({ input: '[[say Two]]', previous_response_id: at(answers, 0).id }),
    ],
    expected: ['message "One"', 'message "Two"'],
    check: ([first, second]) => {
      expect(JSON.stringify(first?.body['systemInstruction'])).toContain('SPEAK-LIKE-A-SAILOR');
      expect(textOf(first)).toContain('get_weather');
      expect(textOf(second)).not.toContain('SPEAK-LIKE-A-SAILOR');
      expect(textOf(second)).not.toContain('get_weather');
      expect(textOf(second)).toContain('[[say One]]');
    },
  },
  {
    name: 'an image of the user',
    turns: [
      () => ({ input: [{ role: 'user', content: [{ type: 'input_text', text: '[[say A pixel]]' }, image] }] }),
      (answers) => ({ previous_response_id: at(answers, 0).id, input: '[[say Still]]' }),
    ],
    expected: ['message "A pixel"', 'message "Still"'],
    check: (calls) => {
      for (const call of calls) expect(textOf(call).split(pixel)).toHaveLength(2);
    },
  },
  {
    name: 'an image in the output of a tool',
    turns: [
      () => ({ input: '[[call get_weather {}]] [[then]] [[say I see]]', tools }),
      (answers) => ({
        previous_response_id: at(answers, 0).id,
        tools,
        input: answerCalls(at(answers, 0), () => '').map((item) => ({
          ...item,
          output: [{ type: 'input_text' as const, text: 'SNOW' }, image],
        })),
      }),
      (answers) => ({ previous_response_id: at(answers, 1).id, tools, input: '[[say Later]]' }),
    ],
    expected: ['call get_weather {}', 'message "I see"', 'message "Later"'],
    check: ([, ...later]) => {
      expect(later).toHaveLength(2);
      for (const call of later) {
        expect(textOf(call).split(pixel)).toHaveLength(2);
        expect(textOf(call).split('SNOW')).toHaveLength(2);
      }
    },
  },
  {
    name: 'a conversation by its name',
    turns: [
      (_, unique) => ({ input: '[[say First]]', conversation: `talk-${unique}` }),
      (_, unique) => ({ input: '[[say Second]]', conversation: { id: `talk-${unique}` } }),
      (_, unique) => ({ input: '[[say Third]]', conversation: `talk-${unique}` }),
    ],
    expected: ['message "First"', 'message "Second"', 'message "Third"'],
    check: (calls) => {
      expect((calls.at(-1)?.body['contents'] as object[]).length).toBe(5);
    },
  },
  {
    name: 'a branch does not see its sibling',
    turns: [
      () => ({ input: 'APPLE [[say Noted]]' }),
      (answers) => ({ input: 'BANANA [[say Noted too]]', previous_response_id: at(answers, 0).id }),
      (answers) => ({ input: 'CHERRY [[say Branch]]', previous_response_id: at(answers, 0).id }),
      (answers) => ({ input: 'DATE [[say On]]', previous_response_id: at(answers, 2).id }),
      (answers) => ({ input: 'ELDER [[say Back]]', previous_response_id: at(answers, 1).id }),
    ],
    expected: ['Noted', 'Noted too', 'Branch', 'On', 'Back'].map((text) => `message "${text}"`),
    check: (calls) => {
      const seen = calls.map((call) =>
        ['APPLE', 'BANANA', 'CHERRY', 'DATE'].filter((word) => textOf(call).includes(word)).join(' '),
      );
      expect(seen).toEqual(['APPLE', 'APPLE BANANA', 'APPLE CHERRY', 'APPLE CHERRY DATE', 'APPLE BANANA']);
    },
  },
  {
    name: 'the whole history without a store, with encrypted reasoning',
    turns: [
      () => ({ ...stateless, input: twoRounds }),
      (answers) => ({ ...stateless, input: resend([twoRounds], answers) }),
      (answers) => ({
        ...stateless,
        input: [
          ...resend([twoRounds], answers),
          ...(at(answers, 1).output as ResponseInput),
          ...answerCalls(at(answers, 1), () => '{"time":"noon"}'),
        ],
      }),
    ],
    expected: ['call get_weather {"city":"Oslo"}', 'call get_time {"city":"Rome"}', 'message "Both known"'],
  },
];
