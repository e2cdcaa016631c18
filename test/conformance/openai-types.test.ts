import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator';
import type {
  Response,
  ResponseFormatTextConfig,
  ResponseFunctionToolCall,
  ResponseFunctionWebSearch,
  ResponseInputItem,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseOutputRefusal,
  ResponseOutputText,
  ResponseReasoningItem,
  ResponseStreamEvent,
  ResponseUsage as ClientUsage,
} from 'openai/resources/responses/responses';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { ResponseEvent } from '../../src/protocol/responses/event.ts';
import type {
  FunctionCallItem,
  LogProb,
  MessageItem,
  OutputItem,
  OutputTextPart,
  ReasoningItem,
  RefusalPart,
  SummaryTextPart,
  UrlCitationAnnotation,
  WebSearchCallItem,
} from '../../src/protocol/responses/items.ts';
import type { TextFormatParam } from '../../src/protocol/responses/request.ts';
import type { ResponseErrorObject, ResponseResource, ResponseUsage } from '../../src/protocol/responses/response.ts';
import { readStream } from '../doubles/post-response.ts';
import { startGateway } from '../doubles/start-gateway.ts';
import { modelScenarios } from './scenarios.ts';

/** Members of ours whose type the client's type does not take. */
type Differing<Ours, Theirs> = { [K in keyof Ours & keyof Theirs]: Ours[K] extends Theirs[K] ? never : K }[keyof Ours &
  keyof Theirs];
/** Members of ours that the client does not know. */
type Unknown<Ours, Theirs> = Exclude<keyof Ours, keyof Theirs>;
type OurEvent<T extends ResponseEvent['type']> = Extract<ResponseEvent, { type: T }>;
type TheirEvent<T extends ResponseStreamEvent['type']> = Extract<ResponseStreamEvent, { type: T }>;

/** Where our Response is not the client's, on purpose. A member that comes to agree with it has to leave this table, or `tsc` complains. */
const differences = {
  error: "codes: the client lists 20, OpenAI's own streams carry others too (insufficient_quota), and so do ours",
  incomplete_details: 'reasons: `timeout` is ours; no client looks at the value when it runs',
  service_tier: 'the tier that was used is what the model server says it is',
  text: 'format: a description that was not given is null in real answers and in Open Responses, and absent in the type',
  tool_choice: 'a choice of a tool that only a newer client knows is echoed as it was sent',
  tools: 'the same for tools',
  usage: 'null while the response runs, as in real answers; absent in the type',
  user: 'null when it was not given, as in real answers; absent in the type',
};
const additions = {
  frequency_penalty: 'in real answers since January 2026, and required by Open Responses',
  max_tool_calls: 'in real answers since August 2025; the type has lost it',
  presence_penalty: 'as frequency_penalty',
  store: 'in every real answer; the type has lost it',
};
const absences = {
  output_text: 'made by the client itself; OpenAI does not send it',
  prompt: 'only with prompt templates, which are refused',
  prompt_cache_options: 'only when the request had it',
};

describe("our types against the official client's", () => {
  test('every event is one of its events, and holds nothing that it does not know', () => {
    expectTypeOf<ResponseEvent['type']>().toExtend<ResponseStreamEvent['type']>();
    type Wrong = { [T in ResponseEvent['type']]: OurEvent<T> extends TheirEvent<T> ? never : T }[ResponseEvent['type']];
    type Lifecycle = Extract<ResponseEvent, { response: unknown }>['type'];
    // Those differ where the response differs, and nowhere else.
    expectTypeOf<Wrong>().toEqualTypeOf<Lifecycle>();
    type LifecycleDiffering = { [T in Lifecycle]: Differing<OurEvent<T>, TheirEvent<T>> }[Lifecycle];
    expectTypeOf<LifecycleDiffering>().toEqualTypeOf<'response'>();
    type Private = { [T in ResponseEvent['type']]: Unknown<OurEvent<T>, TheirEvent<T>> }[ResponseEvent['type']];
    expectTypeOf<Private>().toBeNever();
  });

  test('the response differs only where it is meant to', () => {
    expectTypeOf<keyof typeof differences>().toEqualTypeOf<Differing<ResponseResource, Response>>();
    expectTypeOf<keyof typeof additions>().toEqualTypeOf<Unknown<ResponseResource, Response>>();
    expectTypeOf<keyof typeof absences>().toEqualTypeOf<Unknown<Response, ResponseResource>>();
    // Inside the members that differ.
    expectTypeOf<ResponseUsage>().toExtend<ClientUsage>();
    expectTypeOf<Unknown<ResponseUsage, ClientUsage>>().toBeNever();
    expectTypeOf<Omit<ResponseErrorObject, 'code'>>().toExtend<Omit<NonNullable<Response['error']>, 'code'>>();
    expectTypeOf<Unknown<ResponseErrorObject, NonNullable<Response['error']>>>().toEqualTypeOf<'type' | 'param'>();
    expectTypeOf<NonNullable<Response['truncation']>>().toEqualTypeOf<ResponseResource['truncation']>();
    expectTypeOf<TextFormatParam['type']>().toEqualTypeOf<ResponseFormatTextConfig['type']>();
    expectTypeOf<NonNullable<NonNullable<Response['text']>['verbosity']>>().toEqualTypeOf<
      ResponseResource['text']['verbosity']
    >();
  });

  test('what the client can ask for is what we can hold', () => {
    type Reasoning = NonNullable<Response['reasoning']>;
    expectTypeOf<NonNullable<Reasoning['effort']>>().toEqualTypeOf<NonNullable<ResponseResource['reasoning']['effort']>>();
    expectTypeOf<NonNullable<Reasoning['summary']>>().toEqualTypeOf<NonNullable<ResponseResource['reasoning']['summary']>>();
    expectTypeOf<NonNullable<Response['prompt_cache_retention']>>().toEqualTypeOf<
      NonNullable<ResponseResource['prompt_cache_retention']>
    >();
    expectTypeOf<ResponseResource['status']>().toExtend<NonNullable<Response['status']>>();
  });

  test('every item, part and annotation is one of its own, and can go back as input', () => {
    expectTypeOf<OutputItem>().toExtend<ResponseOutputItem>();
    expectTypeOf<MessageItem>().toExtend<ResponseOutputMessage>();
    expectTypeOf<FunctionCallItem>().toExtend<ResponseFunctionToolCall>();
    expectTypeOf<ReasoningItem>().toExtend<ResponseReasoningItem>();
    expectTypeOf<WebSearchCallItem>().toExtend<ResponseFunctionWebSearch>();
    expectTypeOf<OutputItem>().toExtend<ResponseInputItem>();
    expectTypeOf<OutputTextPart>().toExtend<ResponseOutputText>();
    expectTypeOf<RefusalPart>().toExtend<ResponseOutputRefusal>();
    expectTypeOf<SummaryTextPart>().toExtend<ResponseReasoningItem.Summary>();
    expectTypeOf<LogProb>().toExtend<ResponseOutputText.Logprob>();
    expectTypeOf<UrlCitationAnnotation>().toEqualTypeOf<ResponseOutputText.URLCitation>();
    expectTypeOf<Unknown<MessageItem, ResponseOutputMessage>>().toBeNever();
    expectTypeOf<Unknown<FunctionCallItem, ResponseFunctionToolCall>>().toBeNever();
    expectTypeOf<Unknown<ReasoningItem, ResponseReasoningItem>>().toBeNever();
    expectTypeOf<Unknown<WebSearchCallItem, ResponseFunctionWebSearch>>().toBeNever();
    expectTypeOf<Unknown<OutputTextPart, ResponseOutputText>>().toBeNever();
    // The members that other clients take for granted although this one does not.
    expectTypeOf<Required<Pick<ResponseFunctionToolCall, 'id' | 'status'>>>().toExtend<Pick<FunctionCallItem, 'id' | 'status'>>();
  });

  test('every reason is given', () => {
    for (const reason of Object.values({ ...differences, ...additions, ...absences })) expect(reason).not.toBe('');
  });
});

/** Every event that we can make. `tsc` keeps the list whole. */
const ourEventTypes = {
  ...{
    'response.created': 1,
    'response.in_progress': 1,
    'response.completed': 1,
    'response.incomplete': 1,
    'response.failed': 1,
  },
  ...{
    'response.output_item.added': 1,
    'response.output_item.done': 1,
    'response.content_part.added': 1,
    'response.content_part.done': 1,
  },
  ...{ 'response.output_text.delta': 1, 'response.output_text.done': 1, 'response.output_text.annotation.added': 1 },
  ...{ 'response.refusal.delta': 1, 'response.refusal.done': 1 },
  ...{ 'response.reasoning_summary_part.added': 1, 'response.reasoning_summary_part.done': 1 },
  ...{ 'response.reasoning_summary_text.delta': 1, 'response.reasoning_summary_text.done': 1 },
  ...{ 'response.function_call_arguments.delta': 1, 'response.function_call_arguments.done': 1 },
  ...{
    'response.web_search_call.in_progress': 1,
    'response.web_search_call.searching': 1,
    'response.web_search_call.completed': 1,
  },
} satisfies Record<ResponseEvent['type'], 1>;

test("the client's strict accumulator takes every event that we make, and we make all of them", { timeout: 60_000 }, async () => {
  const gateway = await startGateway('store: { url: "memory:" }');
  const seen = new Set<string>();
  const faults: string[] = [];
  let streams = 0;
  async function play({ name, request }: { name: string; request: object }): Promise<void> {
    const answer = await fetch(`${gateway.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...request, stream: true }),
    });
    const text = await answer.text();
    if (answer.status !== 200) return;
    streams++;
    const { events } = readStream(text);
    for (const { type } of events) seen.add(type);
    try {
      accumulate(events as unknown as ResponseStreamEvent[]);
    } catch (thrown) {
      faults.push(`${name}: ${String(thrown)}`);
    }
  }
  await Promise.all(modelScenarios().map(play));
  await gateway.close();
  console.log(
    `client's accumulator: ${String(faults.length)} bad / ${String(streams)} tried, ${String(seen.size)} types of events`,
  );
  expect(faults).toEqual([]);
  expect([...seen].sort()).toEqual(Object.keys(ourEventTypes).sort());
  // It does refuse what it does not know.
  const unknown = { type: 'response.acme', sequence_number: 0 } as unknown as ResponseStreamEvent;
  expect(() => accumulate([unknown])).toThrow();
});

function accumulate(events: readonly ResponseStreamEvent[]): void {
  let response: Response | undefined;
  for (const event of events) response = accumulateResponse(event, response);
}
