import type {
  ChatAnnotation,
  ChatAnswerMessage,
  ChatCompletion,
  ChatLogprobs,
  ChatReasoningDetail,
} from '../../protocol/chat/answer.ts';
import type { FunctionCallItem, LogProb, MessageItem, OutputItem, ReasoningItem } from '../../protocol/responses/items.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';
import {
  mapChatFinish,
  toChatAnnotation,
  toChatUsage,
  toCompletionId,
  toReasoningDetail,
  type ChatFacts,
} from './chat-answer.ts';
import { JoinedText } from './joined-text.ts';

/** The whole answer as one chat completion, for a response that did not fail. It is what a client would put together from the chunks of the same response. */
export function toChatCompletion(response: ResponseResource, facts: ChatFacts): ChatCompletion {
  return {
    id: toCompletionId(response.id),
    object: 'chat.completion',
    created: response.created_at,
    model: response.model,
    system_fingerprint: null,
    choices: [
      {
        index: 0,
        message: toMessage(response.output, facts),
        logprobs: toLogprobs(response.output),
        finish_reason: mapChatFinish(response, facts),
      },
    ],
    usage: toChatUsage(response.usage),
  };
}

function toMessage(output: readonly OutputItem[], facts: ChatFacts): ChatAnswerMessage {
  const messages = output.filter((item) => item.type === 'message');
  const reasoning = output.filter((item) => item.type === 'reasoning');
  const { content, annotations } = toContent(messages);
  const refusal = joinPieces(messages.map((message) => textOf(message, 'refusal')));
  const thinking = joinPieces(reasoning.flatMap(({ summary }) => summary.map(({ text }) => text)));
  const details = toDetails(reasoning);
  return {
    role: 'assistant',
    content: content === '' ? null : content,
    refusal: refusal === '' ? null : refusal,
    annotations,
    ...(thinking !== '' && { reasoning_content: thinking }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...toCalls(
      output.filter((item) => item.type === 'function_call'),
      facts,
    ),
  };
}

function toContent(messages: readonly MessageItem[]): { content: string; annotations: ChatAnnotation[] } {
  const whole = new JoinedText();
  const annotations: ChatAnnotation[] = [];
  let content = '';
  for (const message of messages) {
    whole.begin();
    content += whole.add(textOf(message, 'output_text'));
    for (const part of message.content)
      if (part.type === 'output_text')
        annotations.push(...part.annotations.map((source) => toChatAnnotation(source, whole.start)));
  }
  return { content, annotations };
}

function textOf(message: MessageItem, type: 'output_text' | 'refusal'): string {
  return message.content.map((part) => (part.type !== type ? '' : part.type === 'refusal' ? part.refusal : part.text)).join('');
}

function joinPieces(pieces: readonly string[]): string {
  return pieces.filter((piece) => piece !== '').join('\n\n');
}

function toDetails(reasoning: readonly ReasoningItem[]): ChatReasoningDetail[] {
  const sealed = reasoning.flatMap(({ id, encrypted_content: data }) => (data === undefined ? [] : [{ id, data }]));
  return sealed.map(({ id, data }, index) => toReasoningDetail(id, data, index));
}

/** Where the request spoke of `functions` there is at most one call: parallel ones were switched off with it. */
function toCalls(calls: readonly FunctionCallItem[], { isLegacy }: ChatFacts): Partial<ChatAnswerMessage> {
  const written = calls.map(({ call_id, name, arguments: text }) => ({ id: call_id, function: { name, arguments: text } }));
  const [first] = written;
  if (first === undefined) return {};
  if (isLegacy) return { function_call: first.function };
  return { tool_calls: written.map(({ id, function: called }) => ({ id, type: 'function', function: called })) };
}

function toLogprobs(output: readonly OutputItem[]): ChatLogprobs | null {
  const content: LogProb[] = output.flatMap((item) =>
    item.type === 'message' ? item.content.flatMap((part) => (part.type === 'output_text' ? part.logprobs : [])) : [],
  );
  return content.length === 0 ? null : { content, refusal: null };
}
