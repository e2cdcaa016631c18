import { speakText } from './speak-text.ts';
import { speak, type SpokenStep } from './turn-script.ts';

/** The answer up to the first of these texts in it, which is left out and named; what would have followed is not said. Only text is looked at: thinking and calls end nothing. */
export function cutAtStop(answer: readonly SpokenStep[], stop: readonly string[], topLogprobs: number | null): SpokenStep[] {
  const found = findStop(answer.map(textOf).join(''), stop);
  if (found === undefined) return [...answer];
  const said: SpokenStep[] = [];
  let length = 0;
  for (const step of answer) {
    const text = textOf(step);
    if (length + text.length > found.at) {
      const rest = text.slice(0, found.at - length);
      if (rest !== '') said.push(...speakText([rest], topLogprobs));
      break;
    }
    length += text.length;
    said.push(step);
  }
  return [...said, speak({ type: 'stop-sequence', sequence: found.sequence })];
}

/** The one that is complete first, as for somebody who reads along; of several that end there the longest. */
function findStop(text: string, stop: readonly string[]): { readonly at: number; readonly sequence: string } | undefined {
  const found = stop
    .map((sequence) => ({ at: text.indexOf(sequence), sequence }))
    .filter(({ at, sequence }) => at >= 0 && sequence !== '');
  const endOf = (one: { readonly at: number; readonly sequence: string }): number => one.at + one.sequence.length;
  return found.sort((one, other) => endOf(one) - endOf(other) || one.at - other.at)[0];
}

function textOf({ event }: SpokenStep): string {
  return event.type === 'text-delta' ? event.delta : '';
}
