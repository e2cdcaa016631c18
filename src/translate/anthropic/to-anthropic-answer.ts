import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { AnthropicAnswer, AnthropicAnswerBlock, AnthropicCitation } from '../../protocol/anthropic/answer.ts';
import type { MessageItem, OutputItem, ReasoningItem, UrlCitationAnnotation } from '../../protocol/responses/items.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';
import { toMessageEnd, toAnthropicUsage } from './to-anthropic-answer-end.ts';
import { toSearchBlocks } from './to-anthropic-answer-search.ts';

/** The body of an unstreamed answer that did not fail: what a client has that put the stream of the same response together. */
export function toAnthropicAnswer(response: ResponseResource, stopSequence: string | null): AnthropicAnswer {
  return {
    ...toAnthropicHead(response),
    content: response.output.flatMap(toBlocks),
    ...toMessageEnd(response, stopSequence),
    usage: toAnthropicUsage(response),
  };
}

/** The message as its stream begins: nothing said yet, nothing counted. Its id is that of the response. */
export function toAnthropicHead(response: Pick<ResponseResource, 'id' | 'model'>): AnthropicAnswer {
  return {
    id: response.id.replace(/^resp_/, 'msg_'),
    type: 'message',
    role: 'assistant',
    model: response.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: toAnthropicUsage({ usage: null, output: [] }),
  };
}

function toBlocks(item: OutputItem): AnthropicAnswerBlock[] {
  switch (item.type) {
    case 'message':
      return toTextBlocks(item);
    case 'reasoning':
      return toThinkingBlocks(item);
    case 'function_call': {
      // A call that was cut off has arguments that are no JSON yet.
      const input = parseJson(item.arguments);
      return [{ type: 'tool_use', id: item.call_id, name: item.name, input: isJsonObject(input) ? input : {} }];
    }
    case 'web_search_call':
      return toSearchBlocks(item);
  }
}

/** Texts that say nothing are left out: sent back they would be refused. */
function toTextBlocks({ content }: MessageItem): AnthropicAnswerBlock[] {
  return content.flatMap((part): AnthropicAnswerBlock[] => {
    if (part.type === 'refusal') return part.refusal === '' ? [] : [{ type: 'text', text: part.refusal, citations: null }];
    if (part.text === '' && part.annotations.length === 0) return [];
    const citations = part.annotations.map(toCitation);
    return [{ type: 'text', text: part.text, citations: citations.length === 0 ? null : citations }];
  });
}

/** Our sealed state is what a client has to send back unread: the signature of thinking it can see, the data of thinking it cannot. */
function toThinkingBlocks({ summary, encrypted_content: sealed }: ReasoningItem): AnthropicAnswerBlock[] {
  const thinking = summary.flatMap(({ text }) => (text === '' ? [] : [text])).join(paragraph);
  if (thinking !== '') return [{ type: 'thinking', thinking, signature: sealed ?? '' }];
  return sealed === undefined ? [] : [{ type: 'redacted_thinking', data: sealed }];
}

/** What stands between two parts of a summary in one thinking block. */
export const paragraph = '\n\n';

/** A source of the text. The words of the source itself are not known here. */
export function toCitation({ url, title }: UrlCitationAnnotation): AnthropicCitation {
  return { type: 'web_search_result_location', url, title, cited_text: '', encrypted_index: '' };
}
