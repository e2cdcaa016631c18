import { EventLinter } from '../src/translate/responses/lint/event-linter.ts';

/**
 * Our grammar oracle: the linter that also judges other servers, as strict as we are with ourselves. Takes the events of one whole stream as parsed JSON and returns what is wrong, in
 * words; an empty list is a good log. It knows nothing of how the events were made.
 */
export function checkEventLog(log: readonly unknown[]): string[] {
  const linter = new EventLinter('own');
  const faults = [...log.flatMap((event) => linter.push(event)), ...linter.end()];
  return faults.map(({ rule, event, type, words }) =>
    event === null ? `${words} (${rule})` : `#${String(event)} ${type}: ${words} (${rule})`,
  );
}
