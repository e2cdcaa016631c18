import type { Dialect } from './model-upstream.ts';

/** What a model says, piece by piece, and how it ends. */
export type Said =
  | { readonly text: string }
  /** A whole call; the chat protocol sends its arguments in pieces. */
  | { readonly call: string; readonly pieces: readonly string[]; readonly index?: number }
  | { readonly finish: string }
  | { readonly usage: readonly [number, number] };

/** The event stream of one protocol, one entry per event. `[DONE]` and the like are included. */
export function toEvents(dialect: Dialect, said: readonly Said[]): string[] {
  if (dialect === 'chat') return [...said.flatMap(toChatChunks).map(toFrame), 'data: [DONE]\n\n'];
  return said.map(toGeminiChunk).map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`);
}

/** The same as one body. */
export function toWhole(dialect: Dialect, said: readonly Said[]): string {
  return JSON.stringify(dialect === 'chat' ? toChatBody(said) : toGeminiBody(said));
}

function toFrame(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function toChatChunks(said: Said): object[] {
  const chunk = (delta: object, reason: string | null = null): object => ({
    ...{ id: 'c1', object: 'chat.completion.chunk', model: 'm' },
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  if ('text' in said) return [chunk({ content: said.text })];
  if ('finish' in said) return [chunk({}, said.finish)];
  if ('usage' in said) return [{ id: 'c1', choices: [], usage: toChatUsage(said.usage) }];
  const index = said.index ?? 0;
  const start = { index, id: `call_${said.call}`, type: 'function', function: { name: said.call, arguments: '' } };
  const pieces = said.pieces.map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
  return [chunk({ tool_calls: [start] }), ...pieces];
}

function toChatUsage([input, output]: readonly [number, number]): object {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

function toChatBody(said: readonly Said[]): object {
  const calls = said.flatMap((one) =>
    'call' in one
      ? [{ id: `call_${one.call}`, type: 'function', function: { name: one.call, arguments: one.pieces.join('') } }]
      : [],
  );
  const content = said.map((one) => ('text' in one ? one.text : '')).join('');
  const message = { role: 'assistant', content, ...(calls.length > 0 && { tool_calls: calls }) };
  const usage = said.find((one) => 'usage' in one);
  return {
    ...{ id: 'c1', object: 'chat.completion', model: 'm' },
    choices: said.flatMap((one) => ('finish' in one ? [{ index: 0, message, finish_reason: one.finish }] : [])),
    ...(usage !== undefined && { usage: toChatUsage(usage.usage) }),
  };
}

function toGeminiChunk(said: Said): object {
  const chunk = (parts: readonly object[], more: object = {}): object => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
    modelVersion: 'gemini-3-flash',
  });
  if ('text' in said) return chunk([{ text: said.text }]);
  if ('usage' in said) return { usageMetadata: toGeminiUsage(said.usage) };
  if ('finish' in said) return chunk([], { finishReason: toGeminiReason(said.finish) });
  return chunk([{ functionCall: { name: said.call, args: JSON.parse(said.pieces.join('')) as unknown } }]);
}

function toGeminiReason(reason: string): string {
  const reasons: Record<string, string> = { stop: 'STOP', tool_calls: 'STOP', length: 'MAX_TOKENS' };
  return reasons[reason] ?? reason;
}

function toGeminiUsage([input, output]: readonly [number, number]): object {
  return { promptTokenCount: input, candidatesTokenCount: output, totalTokenCount: input + output };
}

function toGeminiBody(said: readonly Said[]): object {
  const parts = said.flatMap((one): object[] => {
    if ('text' in one) return [{ text: one.text }];
    return 'call' in one ? [{ functionCall: { name: one.call, args: JSON.parse(one.pieces.join('')) as unknown } }] : [];
  });
  const finish = said.find((one) => 'finish' in one);
  const usage = said.find((one) => 'usage' in one);
  return {
    candidates: finish === undefined ? [] : [{ content: { role: 'model', parts }, finishReason: toGeminiReason(finish.finish) }],
    ...(usage !== undefined && { usageMetadata: toGeminiUsage(usage.usage) }),
  };
}

/** Text, then a call, then the end: what the faults are tried on. */
export const referenceAnswer: readonly Said[] = [
  { text: 'The weather ' },
  { text: 'in Málaga 🌤 is ' },
  { text: 'worth a look.' },
  { call: 'get_weather', pieces: ['{"city":', '"Mála', 'ga","days"', ':3}'] },
  { finish: 'tool_calls' },
  { usage: [11, 7] },
];

export const referenceText = 'The weather in Málaga 🌤 is worth a look.';
export const referenceArguments = { city: 'Málaga', days: 3 };

/** A request that fits the reference answer. */
export function referenceRequest(model: string, stream: boolean): Record<string, unknown> {
  const parameters = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } };
  return { model, stream, input: 'Weather?', tools: [{ type: 'function', name: 'get_weather', parameters, strict: false }] };
}
