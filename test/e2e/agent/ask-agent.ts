import type { LogEvent, LogResponse } from '../../check-event-log/log-event.ts';
import type { GeminiCall } from '../../doubles/gemini-model/gemini-model-options.ts';
import { postResponse, readStream, type StreamAnswer } from '../../doubles/post-response.ts';
import type { AgentGateway } from '../../doubles/start-agent-gateway.ts';

export const agentModel = 'agent/gemini-3-pro';

/** What nobody but the gateway and the agent server may ever see: marks, and characters that cannot be seen. */
export const hiddenForms: readonly RegExp[] = [
  /antiphon[0-9a-v]{8}/,
  /[\u200B-\u200F\u202A-\u202E\u2060-\u2064\uFEFF\u{E0000}-\u{E007F}]/u,
];

/** One request to the agent backend, read to its end. Throws when the stream is not as the oracle wants it, or shows what must stay hidden. */
export async function ask(
  { url }: { readonly url: string },
  request: object,
  headers: Record<string, string> = {},
): Promise<StreamAnswer> {
  const answer = await postResponse(url, { model: agentModel, ...request }, headers);
  const shown = JSON.stringify([answer.events, answer.body]);
  const faults = [...answer.faults, ...hiddenForms.filter((form) => form.test(shown)).map((form) => `shows ${String(form)}`)];
  if (faults.length > 0) throw new Error(`${faults.join('; ')}: ${shown}`);
  return answer;
}

/** The messages' texts, one line each. */
export function messagesOf({ output }: LogResponse): string[] {
  return output.flatMap(({ type, content }) =>
    type === 'message' ? [(content ?? []).map(({ text }) => text ?? '').join('')] : [],
  );
}

/** Names and arguments of the calls. */
export function callsOf({ output }: LogResponse): string[] {
  return output.flatMap(({ type, name, arguments: written }) =>
    type === 'function_call' ? [`${name ?? ''} ${written ?? ''}`] : [],
  );
}

export function callIdsOf({ output }: LogResponse): string[] {
  return output.flatMap(({ call_id: id }) => (id === undefined ? [] : [id]));
}

export function outputsFor(response: LogResponse, output = 'done'): object[] {
  return callIdsOf(response).map((id) => ({ type: 'function_call_output', call_id: id, output }));
}

/** Code of the error that ended a response, or of the error answer. */
export function errorCodeOf({ body }: StreamAnswer): string | undefined {
  return (body as unknown as { error?: { code?: string } | null }).error?.code;
}

export function errorTextOf({ body }: StreamAnswer): string {
  return (body as unknown as { error?: { message?: string } | null }).error?.message ?? '';
}

/** The calls for the model that the client asked for, since call number `from`. */
export function mainCallsOf({ model }: Pick<AgentGateway, 'model'>, from = 0): GeminiCall[] {
  return model.calls.slice(from).filter(({ verb }) => verb === 'streamGenerateContent');
}

export interface OpenAnswer {
  /** Resolves when the stream has brought that text. */
  until(text: string): Promise<void>;
  /** Reads on to the end. */
  rest(): Promise<{
    readonly events: readonly LogEvent[];
    readonly faults: readonly string[];
    readonly last: LogEvent | undefined;
  }>;
  leave(): void;
}

/** A streamed request that the test reads, or leaves, when it wants to. */
export async function openAnswer({ url }: { readonly url: string }, request: object): Promise<OpenAnswer> {
  const left = new AbortController();
  const answer = await fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: agentModel, stream: true, ...request }),
    signal: left.signal,
  });
  if (answer.body === null || answer.status !== 200) throw new Error(`${String(answer.status)} ${await answer.text()}`);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let seen = '';
  const readOn = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    seen += value ?? '';
    return !done;
  };
  return {
    async until(text) {
      while (!seen.includes(text)) if (!(await readOn())) throw new Error(`ended without ${text}: ${seen}`);
    },
    async rest() {
      while (await readOn());
      const read = readStream(seen);
      return { ...read, last: read.events.at(-1) };
    },
    leave() {
      left.abort();
    },
  };
}
