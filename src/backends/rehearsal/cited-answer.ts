import type { ModelRequest } from '../../model/model-request.ts';
import { readConversation } from './read-conversation.ts';
import { speakText, splitText } from './speak-text.ts';
import { speak, type SpokenStep } from './turn-script.ts';

/** Invented pages; the emoji make a UTF-16 index differ from a count of characters or bytes. */
const findings = [
  { sentence: 'Ünïcode is easy 😀, says the first page.', title: 'The first page', url: 'https://example.com/rehearsal/first' },
  {
    sentence: ' The second page says that nothing is.',
    title: 'The second page',
    url: 'https://example.com/rehearsal/second?lang=en',
  },
];

/** A search, then sentences with the page each of them comes from. */
export function citedSteps(request: ModelRequest): SpokenStep[] {
  const query = readConversation(request).lastUserText.slice(0, 200) || 'rehearsal';
  const steps = [speak({ type: 'web-search', queries: [query], sources: findings.map(({ url }) => url) }, query)];
  let end = 0;
  for (const { sentence, title, url } of findings) {
    const startIndex = end;
    end += sentence.length;
    steps.push(...speakText(splitText(sentence), request.topLogprobs));
    steps.push(speak({ type: 'annotation', annotation: { url, title, startIndex, endIndex: end } }));
  }
  return steps;
}
