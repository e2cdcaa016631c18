import { bodiesOf, count, listOf, loose, words, type Content, type Loose, type Recording } from './loose.ts';

const filtered = [
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
];
const failed = [
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MALFORMED_RESPONSE',
  'MISSING_THOUGHT_SIGNATURE',
  'LANGUAGE',
];

/** What a Gemini recording holds. */
export function expectedGemini(recording: Recording): Content {
  const bodies = bodiesOf(recording);
  const parts = partsOf(recording);
  const texts = (isThought: boolean): string =>
    parts
      .filter((part) => Boolean(part['thought']) === isThought)
      .map((part) => words(part['text']))
      .join('');
  return {
    text: texts(false),
    refusal: '',
    reasoning: texts(true),
    calls: callsOf(parts.filter((part) => part['functionCall']).map((part) => loose(part['functionCall']))),
    usage: usageOf(bodies),
    ending: endingOf(bodies),
  };
}

/** Every part of the answer, in order. */
export function partsOf(recording: Recording): Loose[] {
  return bodiesOf(recording).flatMap((body) => listOf(loose(loose(loose(body['candidates'])[0])['content'])['parts']));
}

/** Most calls come whole. Vertex can stream them: a name first, then values by JSON path, until a piece without `willContinue`. */
function callsOf(pieces: readonly Loose[]): Content['calls'] {
  const calls: { name: string; arguments: Record<string, unknown> }[] = [];
  for (const piece of pieces) {
    if (words(piece['name']) !== '') calls.push({ name: words(piece['name']), arguments: { ...piece['args'] } });
    for (const partial of listOf(piece['partialArgs'])) setAt(calls.at(-1)?.arguments ?? {}, partial);
  }
  return calls;
}

/** Puts `{jsonPath: '$.a[0].b', stringValue: 'x'}` where it belongs; strings that continue are joined. */
function setAt(root: Record<string, unknown>, partial: Loose): void {
  const keys = [...words(partial['jsonPath']).matchAll(/\.([^.[\]]+)|\[(\d+)\]/g)].map((match) => match[1] ?? Number(match[2]));
  let holder: Record<string | number, unknown> = root;
  keys.forEach((key, at) => {
    const next = keys[at + 1];
    if (next === undefined) {
      const text: unknown = partial['stringValue'];
      const before = holder[key];
      if (typeof text === 'string') holder[key] = typeof before === 'string' ? before + text : text;
      else holder[key] = partial['numberValue'] ?? partial['boolValue'] ?? null;
    } else holder = (holder[key] ??= typeof next === 'number' ? [] : {}) as Record<string | number, unknown>;
  });
}

function usageOf(bodies: readonly Loose[]): number[] | null {
  const merged: Record<string, unknown> = {};
  for (const body of bodies) Object.assign(merged, body['usageMetadata'] ?? {});
  if (merged['totalTokenCount'] === undefined) return null;
  const input = count(merged['promptTokenCount']) + count(merged['toolUsePromptTokenCount']);
  return [input, count(merged['candidatesTokenCount']) + count(merged['thoughtsTokenCount']), count(merged['totalTokenCount'])];
}

function endingOf(bodies: readonly Loose[]): string {
  if (bodies.some((body) => body['error'])) return 'failed';
  if (bodies.some((body) => loose(body['promptFeedback'])['blockReason'])) return 'incomplete content_filter';
  const reason = bodies.map((body) => words(loose(loose(body['candidates'])[0])['finishReason'])).findLast((word) => word !== '');
  if (reason === undefined || failed.includes(reason)) return 'failed';
  if (reason === 'MAX_TOKENS') return 'incomplete max_output_tokens';
  return filtered.includes(reason) ? 'incomplete content_filter' : 'completed';
}
