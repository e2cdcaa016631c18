/** What a client has at the end of a stream. */
export interface JoinedAnswer {
  content: string;
  refusal: string;
  reasoning: string;
  annotations: unknown[];
  details: unknown[];
  calls: { id: string; name: string; arguments: string }[];
  functionCall: { name: string; arguments: string } | null;
  logprobs: unknown[];
  finishReason: string | null;
  usage: unknown;
  /** Members that all chunks share. */
  id: unknown;
  model: unknown;
  created: unknown;
  /** Of a stream that failed. */
  error: Readonly<Record<string, unknown>> | null;
}

/** The same of an unstreamed completion, to be compared. */
export function joinedOf(completion: unknown): JoinedAnswer {
  const { choices, usage, id, model, created } = completion as Record<string, unknown> & { choices: [SeenCompletionChoice] };
  const { message, logprobs, finish_reason: finishReason } = choices[0];
  return {
    content: message.content ?? '',
    refusal: message.refusal ?? '',
    reasoning: message.reasoning_content ?? '',
    annotations: message.annotations ?? [],
    details: message.reasoning_details ?? [],
    calls: (message.tool_calls ?? []).map((call) => ({ id: call.id, ...call.function })),
    functionCall: message.function_call ?? null,
    logprobs: logprobs?.content ?? [],
    ...{ finishReason, usage, id, model, created, error: null },
  };
}

interface SeenCompletionChoice {
  readonly message: {
    readonly content?: string | null;
    readonly refusal?: string | null;
    readonly reasoning_content?: string;
    readonly annotations?: unknown[];
    readonly reasoning_details?: unknown[];
    readonly tool_calls?: { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }[];
    readonly function_call?: { readonly name: string; readonly arguments: string };
  };
  readonly logprobs?: { readonly content?: unknown[] } | null;
  readonly finish_reason: string;
}
