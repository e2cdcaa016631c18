import type { GeminiAnswer } from '../../protocol/gemini/answer.ts';
import type { OutputItem } from '../../protocol/responses/items.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';
import { endItem } from './to-gemini-chunks.ts';
import { GeminiAnswerWriter, type GeminiAnswerFacts } from './to-gemini-chunks-writer.ts';

/** A response that did not fail → the body of `generateContent`: the same that a stream of it adds up to. */
export function toGeminiAnswer(response: ResponseResource, facts: GeminiAnswerFacts): GeminiAnswer {
  const writer = new GeminiAnswerWriter(response, facts);
  for (const item of response.output) {
    writeItem(item, writer);
    endItem(item, writer);
  }
  return writer.takeLast(response);
}

function writeItem(item: OutputItem, writer: GeminiAnswerWriter): void {
  if (item.type === 'reasoning') {
    writer.beginItem('reasoning');
    for (const { text } of item.summary) {
      writer.beginThought();
      writer.thought(text);
    }
    return;
  }
  if (item.type !== 'message') {
    writer.beginItem('other');
    return;
  }
  writer.beginItem('message');
  for (const part of item.content) {
    writer.beginText();
    if (part.type === 'refusal') writer.text(part.refusal);
    else {
      writer.text(part.text, part.logprobs);
      for (const annotation of part.annotations) writer.cite(annotation);
    }
  }
}
