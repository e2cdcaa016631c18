import OpenAI from 'openai';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkEventLog } from '../../check-event-log.ts';
import type { GeminiCall } from '../../doubles/gemini-model/gemini-model-options.ts';
import { startAgentGateway, type AgentGateway } from '../../doubles/start-agent-gateway.ts';
import { hiddenForms } from './ask-agent.ts';
import { describeOutput, typesOf, type Scenario } from './scenario.ts';
import { scenarios } from './scenario-list.ts';

const runs = [
  { model: 'agent/gemini-3-pro', stream: true },
  { model: 'agent/gemini-3-pro', stream: false },
  { model: 'gemini/gemini-3-pro', stream: true },
] as const;
type Run = (typeof runs)[number];

describe.each(['reverse', 'forward'] as const)('through a %s tap', (mode) => {
  let bench: AgentGateway;
  let client: OpenAI;
  beforeAll(async () => {
    bench = await startAgentGateway({ mode, model: { forbidden: hiddenForms } });
    client = new OpenAI({ baseURL: `${bench.url}/v1`, apiKey: 'none needed', maxRetries: 0 });
  });
  afterAll(() => bench.close());

  async function play(scenario: Scenario, run: Run): Promise<readonly Response[]> {
    const firstCall = bench.model.calls.length;
    const answers: Response[] = [];
    for (const turn of scenario.turns) {
      const callsBefore = bench.model.calls.length;
      const request = turn(answers, `${scenario.name}-${run.model}-${String(run.stream)}`);
      const answer = await ask(client, { ...request, ...run });
      checkUsage(answer, mainCalls(bench.model.calls.slice(callsBefore)));
      answers.push(answer);
    }
    scenario.check?.(mainCalls(bench.model.calls.slice(firstCall)));
    return answers;
  }

  test.each(scenarios)('$name', async (scenario) => {
    const streamed = await play(scenario, runs[0]);
    const synced = await play(scenario, runs[1]);
    expect(streamed.map(describeOutput)).toEqual(scenario.expected);
    expect(synced.map(describeOutput)).toEqual(streamed.map(describeOutput));
    if (scenario.agentOnly !== true) {
      const reference = await play(scenario, runs[2]);
      expect(streamed.map(describeOutput)).toEqual(reference.map(describeOutput));
      expect(streamed.map(typesOf)).toEqual(reference.map(typesOf));
      expect(synced.map(typesOf)).toEqual(reference.map(typesOf));
    }
    expect(bench.model.violations).toEqual([]);
  });

  test("the client's strict stream helper takes every kind of answer", async () => {
    const stream = client.responses.stream({
      model: 'agent/gemini-3-pro',
      input: '[[think Hm]] [[say Well.]]',
      reasoning: { summary: 'auto' },
    });
    expect(describeOutput(await stream.finalResponse())).toBe('reasoning "Hm" | message "Well."');
  });
});

async function ask(client: OpenAI, request: Parameters<OpenAI['responses']['create']>[0]): Promise<Response> {
  if (request.stream !== true) {
    const answer = await client.responses.create({ ...request, stream: false });
    expect(answer.status).toBe('completed');
    expectNothingHidden(answer);
    return answer;
  }
  const events: ResponseStreamEvent[] = [];
  for await (const event of await client.responses.create({ ...request, stream: true })) events.push(event);
  expect(checkEventLog(events)).toEqual([]);
  expectNothingHidden(events);
  const last = events.at(-1);
  if (last?.type !== 'response.completed') throw new Error(`ended with ${JSON.stringify(last)}`);
  return last.response;
}

function expectNothingHidden(seen: unknown): void {
  for (const form of hiddenForms) expect(JSON.stringify(seen)).not.toMatch(form);
}

function mainCalls(calls: readonly GeminiCall[]): readonly GeminiCall[] {
  return calls.filter(({ verb, model }) => verb.endsWith('enerateContent') && !model.includes('lite'));
}

/** The sum of what the model reported in the turn's main calls. */
function checkUsage({ usage }: Response, calls: readonly GeminiCall[]): void {
  const sum = (name: string): number =>
    calls.reduce((total, { chunks }) => total + ((chunks.at(-1)?.['usageMetadata'] as Record<string, number>)[name] ?? 0), 0);
  const output = sum('candidatesTokenCount') + sum('thoughtsTokenCount');
  expect(usage).toMatchObject({
    input_tokens: sum('promptTokenCount'),
    input_tokens_details: { cached_tokens: sum('cachedContentTokenCount') },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: sum('thoughtsTokenCount') },
    total_tokens: sum('promptTokenCount') + output,
  });
}
