import { listOf, loose, words, type Loose } from './loose.ts';

/** One entry of Gemini's `contents`. */
export interface SentContent {
  readonly role: string;
  readonly parts: readonly Loose[];
}

/** What a request to Gemini said. */
export function contentsOf(body: Loose): SentContent[] {
  return listOf(body['contents']).map(({ role, parts }) => ({ role: words(role), parts: listOf(parts) }));
}

/**
 * Each content with calls is followed by one with their responses: as many, in the same order, with the same ids and names, each holding its place as `at`. Roles alternate.
 */
export function pairingFaults(contents: readonly SentContent[]): string[] {
  return contents.flatMap(({ role, parts }, at) => {
    const faults = role === contents[at - 1]?.role ? [`contents[${String(at)}] has the role of the one before it`] : [];
    const calls = membersOf(parts, 'functionCall');
    if (calls.length === 0) return faults;
    const responses = membersOf(contents[at + 1]?.parts ?? [], 'functionResponse');
    if (namesOf(calls) !== namesOf(responses)) faults.push(`calls ${namesOf(calls)} got responses ${namesOf(responses)}`);
    const places = responses.map(({ response }) => JSON.stringify(loose(response)['at']));
    if (places.join() !== calls.map((_, place) => place).join()) faults.push(`the responses are those of calls ${places.join()}`);
    return faults;
  });
}

function membersOf(parts: readonly Loose[], name: string): Loose[] {
  return parts.filter((part) => part[name]).map((part) => loose(part[name]));
}

function namesOf(members: readonly Loose[]): string {
  return JSON.stringify(members.map(({ id, name }) => [id, name]));
}
