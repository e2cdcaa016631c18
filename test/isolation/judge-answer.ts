import type { LogItem, LogResponse } from '../check-event-log/log-event.ts';
import type { StreamAnswer } from '../doubles/post-response.ts';
import { ownersIn } from './canary.ts';
import type { CountedUsage } from './model-watch.ts';
import type { Expected } from './plan-turn.ts';

/** What is wrong with an answer: `crossed` is about another client, `faults` is everything else. */
export interface Verdict {
  readonly crossed: readonly string[];
  readonly faults: readonly string[];
}

export interface JudgedTurn {
  readonly client: number;
  readonly answer: StreamAnswer;
  readonly expected: Expected;
  readonly usage: CountedUsage;
}

/** Every word of another client in an answer, its events or its headers is a crossing; so are calls, thinking or token counts that are not the client's own. */
export function judgeAnswer({ client, answer, expected, usage }: JudgedTurn): Verdict {
  const { status, body, events, headers, faults } = answer;
  const crossed = judgeWords(client, 'the answer', JSON.stringify([body, events, [...headers]]));
  if (status !== 200 || body.status !== 'completed')
    return { crossed, faults: [...faults, `${String(status)} ${body.status}: ${JSON.stringify(body.error)}`] };
  const seen = readAnswer(body);
  const isMissed = expected.isThinkingLate === true && seen.thinking === '';
  const wrong = (['text', 'thinking', 'calls'] as const).flatMap((member) => {
    const [got, wanted] = [seen[member], expected[member]].map((value) => JSON.stringify(value));
    return got === wanted || (member === 'thinking' && isMissed)
      ? []
      : [`${member}: ${String(got)} in place of ${String(wanted)}`];
  });
  return { crossed: [...crossed, ...judgeUsage(body, usage)], faults: [...faults, ...wrong] };
}

/** Canaries of other clients in a text. */
export function judgeWords(client: number, where: string, text: string): string[] {
  const others = ownersIn(text).filter((owner) => owner !== client);
  return others.length === 0 ? [] : [`${where} of client ${String(client)} has canaries of ${others.join()}`];
}

function readAnswer({ output }: LogResponse): Expected {
  const textOf = (items: readonly LogItem[], member: 'content' | 'summary'): string =>
    items.map((item) => (item[member] ?? []).map(({ text = '' }) => text).join('')).join('');
  return {
    text: textOf(output, 'content'),
    thinking: textOf(
      output.filter(({ type }) => type === 'reasoning'),
      'summary',
    ),
    calls: output.filter(({ type }) => type === 'function_call').map(({ name = '', arguments: args = '' }) => ({ name, args })),
  };
}

function judgeUsage({ usage }: LogResponse, counted: CountedUsage): string[] {
  const reported = {
    input: usage?.input_tokens ?? -1,
    output: usage?.output_tokens ?? -1,
    thinking: usage?.output_tokens_details.reasoning_tokens ?? -1,
  };
  const [got, wanted] = [reported, counted].map((value) => JSON.stringify(value));
  return got === wanted ? [] : [`usage: ${String(got)} in place of ${String(wanted)}`];
}
