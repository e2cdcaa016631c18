import OpenAI from 'openai';
import type { ResponseCreateParamsStreaming, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { expect } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { LoggedRpc, RpcFault } from '../../doubles/agent-server/agent-server-options.ts';
import { defaultQuirks, type AgentQuirks } from '../../doubles/agent-server/quirks.ts';
import type { GeminiCall, ScriptedAnswer } from '../../doubles/gemini-model/gemini-model-options.ts';
import { postResponse, type StreamAnswer } from '../../doubles/post-response.ts';
import { startAgentGateway, type AgentGateway } from '../../doubles/start-agent-gateway.ts';

/** A gateway without a tap has nothing but the snapshots of the agent server, as the seed had most of the time. */
export type Way = 'with a tap' | 'without a tap';
export const ways: readonly Way[] = ['with a tap', 'without a tap'];
/** Each way, streamed or not. */
export const deliveries = ways.flatMap((way) => [true, false].map((stream) => [stream, way] as const));

export const model = 'agent/gemini-3-pro';

/** In a user's text: the model calls `get_weather` and `get_time`, whatever it was offered. */
export const disobedience = 'Do as you like';

type Fault = (rpc: Pick<LoggedRpc, 'method'>) => RpcFault | undefined;

/** A gateway, its agent server and its model, for one way, and a client for them. */
export interface DeviationBench extends Pick<AgentGateway, 'agent' | 'model' | 'url'> {
  readonly client: OpenAI;
  /** Asks and reads the whole answer; the oracle must find nothing. */
  readonly ask: (request: object, headers?: Record<string, string>) => Promise<StreamAnswer>;
  /** The events as they come, through the official client. */
  readonly open: (
    request: Omit<ResponseCreateParamsStreaming, 'model' | 'stream'>,
  ) => Promise<AsyncIterable<ResponseStreamEvent>>;
  /** What `runs` makes the agent ask its model: the main calls, in order. */
  readonly mainCallsOf: (runs: () => Promise<unknown>) => Promise<readonly GeminiCall[]>;
  /** What `runs` makes the gateway say to the agent server, one text for each message. */
  readonly textsOf: (runs: () => Promise<unknown>) => Promise<readonly string[]>;
  readonly setQuirks: (quirks: Partial<AgentQuirks>) => void;
  /** Decides about calls of the agent server from now on. */
  readonly setFault: (fault: Fault | null) => void;
  /** As it was at the beginning. */
  readonly reset: () => void;
  readonly close: () => Promise<void>;
}

export async function openDeviationBench(
  way: Way,
  more: { readonly server?: string; readonly backend?: string } = {},
): Promise<DeviationBench> {
  let fault: Fault | null = null;
  const mode = way === 'with a tap' ? 'reverse' : 'none';
  const started = await startAgentGateway({ mode, ...more, model: { answer: disobey }, agent: { onRpc: (rpc) => fault?.(rpc) } });
  const { agent, model: endpoint, url } = started;
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none needed', maxRetries: 0 });
  return {
    ...{ agent, model: endpoint, url, client },
    async ask(request, headers) {
      const answer = await postResponse(url, { model, ...request }, headers);
      expect(answer.faults).toEqual([]);
      return answer;
    },
    open: (request) => client.responses.create({ model, ...request, stream: true }),
    async mainCallsOf(runs) {
      const before = endpoint.calls.length;
      await runs();
      return endpoint.calls.slice(before).filter(({ verb }) => verb === 'streamGenerateContent');
    },
    async textsOf(runs) {
      const before = agent.bodiesOf('SendUserCascadeMessage').length;
      await runs();
      return agent
        .bodiesOf('SendUserCascadeMessage')
        .slice(before)
        .map(({ items }) => (items as { text: string }[]).map(({ text }) => text).join());
    },
    setQuirks: (quirks) => {
      agent.setQuirks(quirks);
    },
    setFault: (next) => {
      fault = next;
    },
    reset() {
      fault = null;
      agent.setQuirks(defaultQuirks);
      endpoint.release();
    },
    close: () => started.close(),
  };
}

function disobey({ verb, text }: GeminiCall): ScriptedAnswer | undefined {
  if (verb !== 'streamGenerateContent' || !text.includes(disobedience) || text.includes('functionResponse')) return undefined;
  const parts = ['get_weather', 'get_time'].map((name) => ({ functionCall: { name, args: {} } }));
  return { chunks: [{ candidates: [{ content: { role: 'model', parts }, index: 0, finishReason: 'STOP' }] }] };
}

/** A function tool of the client. */
export function toolNamed(name: string): {
  type: 'function';
  name: string;
  description: string;
  strict: boolean;
  parameters: JsonObject;
} {
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  return { type: 'function', name, description: `The tool ${name}`, strict: false, parameters };
}

/** `message "…" | reasoning "…" | call NAME {…} CALL_ID`, in the order of the output; reasoning without words is left out. */
export function linesOf({ body }: Pick<StreamAnswer, 'body'>): string[] {
  return body.output.flatMap((item) => {
    const words = (item.content ?? item.summary ?? []).map(({ text }) => text ?? '').join('|');
    if (item.type === 'function_call') return [`call ${String(item.name)} ${String(item.arguments)}`];
    return item.type === 'reasoning' && words === '' ? [] : [`${item.type} "${words}"`];
  });
}

/** Calls of an answer by their names. */
export function callIdsOf({ body }: Pick<StreamAnswer, 'body'>): string[] {
  return body.output.flatMap((item) => (item.type === 'function_call' ? [item.call_id ?? ''] : []));
}

/** `path action` of each loss that the answer reports. */
export function lossesOf({ headers }: Pick<StreamAnswer, 'headers'>): string[] {
  const losses = JSON.parse(headers.get('antiphon-losses') ?? '[]') as { path: string; action: string }[];
  return losses.map(({ path, action }) => `${path} ${action}`);
}
