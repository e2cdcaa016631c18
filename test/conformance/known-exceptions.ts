import type { LogEvent, LogItem } from '../check-event-log/log-event.ts';

/** A response as any schema may look at it. */
export interface AnyResponse {
  readonly output?: readonly LogItem[];
  readonly text?: { readonly format?: { readonly type?: string } };
  readonly tools?: readonly { readonly type?: string }[];
  readonly tool_choice?: unknown;
  readonly reasoning?: { readonly effort?: string | null };
}

/** A place where OpenAI's wire and the published schema contradict each other, and we follow OpenAI (protocol.md §1.10, §3.3). */
export interface KnownException {
  readonly reason: string;
  readonly applies: (response: AnyResponse) => boolean;
  /** The response as the schema wants it in this one place. */
  readonly amend: (response: AnyResponse) => AnyResponse;
}

export const knownExceptions: Readonly<Record<string, KnownException>> = {
  'json_schema echo': {
    reason: 'the schema wants `schema: null` in text.format, an error of the document; OpenAI echoes the schema',
    applies: ({ text }) => text?.format?.type === 'json_schema',
    amend: (response) =>
      ({ ...response, text: { ...response.text, format: { ...response.text?.format, schema: null } } }) as AnyResponse,
  },
  'web_search_call item': {
    reason: 'the schema knows no item of a hosted tool; OpenAI and its client do',
    applies: ({ output }) => (output ?? []).some(isWebSearch),
    amend: (response) => ({ ...response, output: (response.output ?? []).filter((item) => !isWebSearch(item)) }),
  },
  'tools other than functions': {
    reason: 'the schema allows only functions in `tools`; OpenAI echoes every tool as it was sent',
    applies: ({ tools }) => (tools ?? []).some(({ type }) => type !== 'function'),
    amend: (response) => ({ ...response, tools: (response.tools ?? []).filter(({ type }) => type === 'function') }),
  },
  'tool_choice other than functions': {
    reason: 'the schema allows only functions in `tool_choice`; OpenAI echoes hosted and custom tools too',
    applies: ({ tool_choice }) => choicesOf(tool_choice).some((type) => type !== 'function'),
    amend: (response) => ({ ...response, tool_choice: 'auto' }),
  },
  'efforts minimal and max': {
    reason: 'the schema has five efforts, OpenAI seven',
    applies: ({ reasoning }) => ['minimal', 'max'].includes(reasoning?.effort ?? ''),
    amend: (response) => ({ ...response, reasoning: { ...response.reasoning, effort: 'low' } }),
  },
};

/** Types of events that OpenAI has and the schema has not. */
export const unknownEventTypes: readonly string[] = [
  'response.web_search_call.in_progress',
  'response.web_search_call.searching',
  'response.web_search_call.completed',
];

/** Whether the event shows an item that the schema does not know. */
export function showsUnknownItem({ item }: LogEvent): boolean {
  return item !== undefined && isWebSearch(item);
}

function isWebSearch({ type }: LogItem): boolean {
  return type === 'web_search_call';
}

function choicesOf(choice: unknown): string[] {
  if (typeof choice !== 'object' || choice === null) return [];
  const { type, tools } = choice as { type: string; tools?: { type: string }[] };
  return type === 'allowed_tools' ? (tools ?? []).map((tool) => tool.type) : [type];
}
