import { bodiesOf, count, listOf, loose, words, type Content, type Loose, type Recording } from './loose.ts';

const terminals = ['response.completed', 'response.incomplete', 'response.failed'];

/** What a recording of a Responses server holds, by its final response object. */
export function expectedResponses(recording: Recording): Content {
  const response = finalOf(recording);
  const output = listOf(response['output']);
  const parts = output.filter(({ type }) => is(type, 'message')).flatMap((item) => listOf(item['content']));
  return {
    text: shownText(recording, parts.map((part) => words(part['text'])).join('')),
    refusal: parts.map((part) => words(part['refusal'])).join(''),
    reasoning: output
      .filter(({ type }) => is(type, 'reasoning'))
      .map(reasoningOf)
      .join(''),
    calls: output
      .filter(({ type }) => is(type, 'function_call'))
      .map((call) => ({ name: words(call['name']), arguments: JSON.parse(words(call['arguments'])) as unknown })),
    usage: usageOf(response),
    ending: endingOf(response),
  };
}

/** The response of the first terminal event, or the body; some recordings hold two streams, one after the other. */
export function finalOf(recording: Recording): Loose {
  const bodies = bodiesOf(recording);
  if (recording.response.chunks === undefined) return loose(bodies[0]);
  return loose(loose(bodies.find(({ type }) => terminals.includes(words(type))))['response']);
}

/** URLs of the web pages that the text names as its sources. */
export function citedUrls(recording: Recording): string[] {
  return listOf(finalOf(recording)['output'])
    .flatMap((item) => listOf(item['content']))
    .flatMap((part) => listOf(part['annotations']))
    .filter(({ type }) => is(type, 'url_citation'))
    .map(({ url }) => words(url));
}

/** What each searched the web for. */
export function searchesOf(recording: Recording): string[][] {
  return listOf(finalOf(recording)['output'])
    .filter(({ type }) => is(type, 'web_search_call'))
    .map(({ action }) => loose(action))
    .filter(
      (action) => listOf(action['queries']).length > 0 || words(action['query']) !== '' || listOf(action['sources']).length > 0,
    )
    .map((action) => (listOf(action['queries']).length > 0 ? listOf(action['queries']).map(words) : [words(action['query'])]));
}

/** cached and reasoning tokens. */
export function detailsOf(response: Loose): number[] {
  const usage = loose(response['usage']);
  return [count(usage['input_tokens_details']?.['cached_tokens']), count(usage['output_tokens_details']?.['reasoning_tokens'])];
}

/** What was streamed cannot be taken back: it counts where the final text is another one (two edited recordings). */
function shownText({ response }: Recording, final: string): string {
  const deltas = (response.chunks ?? [])
    .filter((chunk) => chunk.includes('"response.output_text.delta"'))
    .map((chunk) => words(loose(JSON.parse(chunk))['delta']));
  const streamed = deltas.join('');
  return streamed.startsWith(final) || final.startsWith(streamed) ? final : streamed;
}

function is(type: unknown, name: string): boolean {
  return type === name;
}

/** Summaries, or the thinking itself where there are none. */
function reasoningOf(item: Loose): string {
  const summary = listOf(item['summary']).map((part) => words(part['text']));
  return summary.length > 0
    ? summary.join('')
    : listOf(item['content'])
        .map((part) => words(part['text']))
        .join('');
}

function usageOf(response: Loose): number[] | null {
  const { usage } = response;
  if (typeof usage !== 'object' || (usage as unknown) === null) return null;
  return [count(usage['input_tokens']), count(usage['output_tokens']), count(usage['total_tokens'])];
}

function endingOf(response: Loose): string {
  const status = words(response['status']);
  if (status === 'incomplete') return `incomplete ${words(loose(response['incomplete_details'])['reason'])}`;
  return status.startsWith('complete') ? 'completed' : 'failed';
}
