import { bodiesOf, count, listOf, loose, words, type Content, type Loose, type Recording } from './loose.ts';

/** What a chat-completions recording holds. */
export function expectedChat(recording: Recording): Content {
  const isWhole = recording.response.chunks === undefined;
  const bodies = bodiesOf(recording);
  const said = bodies.map((body) => loose(loose(loose(body['choices'])[0])[isWhole ? 'message' : 'delta']));
  const calls = callsOf(said, isWhole);
  const text = said.map(textOf).join('');
  return {
    text,
    refusal: said.map((part) => words(part['refusal'])).join(''),
    reasoning: said.map(reasoningOf).join(''),
    calls,
    usage: usageOf(bodies),
    ending: endingOf(bodies, isWhole && (text !== '' || calls.length > 0)),
  };
}

function textOf({ content }: Loose): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => words(part['text']))
    .join('');
}

function reasoningOf(said: Loose): string {
  const thoughts = listOf(said['content']).flatMap((part) => listOf(part['thinking']).map((thought) => words(thought['text'])));
  if (thoughts.length > 0) return thoughts.join('');
  const plain = words(said['reasoning_content']) || words(said['reasoning']);
  if (plain !== '') return plain;
  return listOf(said['reasoning_details'])
    .map((detail) => words(detail['text']) + words(detail['summary']))
    .join('');
}

function callsOf(said: readonly Loose[], isWhole: boolean): Content['calls'] {
  const slots = new Map<unknown, { name: string; text: string }>();
  for (const part of said) {
    const legacy = isThere(part['function_call']) ? [{ function: part['function_call'] }] : [];
    [...listOf(part['tool_calls']), ...listOf(legacy)].forEach((call, at) => {
      const key = isWhole ? at : (call['index'] ?? call['id'] ?? 'only');
      const slot = slots.get(key) ?? { name: '', text: '' };
      slots.set(key, slot);
      slot.name ||= words(loose(call['function'])['name']);
      slot.text += words(loose(call['function'])['arguments']);
    });
  }
  // Snowflake fills up with calls that have neither name nor arguments: no call anybody could make.
  const real = [...slots.values()].filter(({ name, text }) => name !== '' || text !== '');
  return real.map(({ name, text }) => ({ name, arguments: JSON.parse(text.trim() === '' ? '{}' : text) as unknown }));
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function usageOf(bodies: readonly Loose[]): number[] | null {
  const usages = bodies
    .map((body) => body['usage'] ?? loose(body['x_groq'])['usage'])
    .filter((usage) => typeof usage === 'object');
  const usage = usages.filter((candidate) => loose(candidate)['total_tokens'] !== undefined).at(-1);
  if (usage === undefined) return null;
  const input = count(usage['prompt_tokens']);
  const total = count(usage['total_tokens']);
  return [input, Math.max(count(usage['completion_tokens']), total - input), total];
}

function endingOf(bodies: readonly Loose[], isAnswerWithoutReason: boolean): string {
  if (bodies.some((body) => body['error'] ?? body['detail'])) return 'failed';
  const reason = bodies.map((body) => words(loose(loose(body['choices'])[0])['finish_reason'])).find((word) => word !== '');
  if (reason === undefined) return isAnswerWithoutReason ? 'completed' : 'failed';
  const cut: Readonly<Record<string, string>> = {
    length: 'incomplete max_output_tokens',
    content_filter: 'incomplete content_filter',
  };
  return cut[reason] ?? 'completed';
}
