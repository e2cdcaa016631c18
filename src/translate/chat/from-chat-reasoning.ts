import type { JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { InputReasoning } from '../../protocol/responses/items.ts';
import type { InputName } from '../front-request.ts';
import { isAbsent, parseArray, parseObject, parseString } from '../parse/parse-value.ts';
import { isThinkingPart, textLimits } from './from-chat-content.ts';

/** An item, and what the client calls it. */
export interface NamedReasoning {
  readonly item: InputReasoning;
  readonly name: InputName;
}

interface Thinking {
  readonly text: string;
  readonly place: string;
}

/**
 * What an assistant message brings of its thinking: text in `reasoning_content` (or `reasoning`, the text blocks of `reasoning_details`, Mistral's parts of the content), sealed state in
 * `reasoning_details`. All of it comes before what the model said, and the text with the first state. State that another server sealed goes along: the engine knows its own.
 */
export function parseChatReasoning(message: JsonObject, path: string, losses: Loss[]): NamedReasoning[] {
  const details = isAbsent(message['reasoning_details'])
    ? []
    : parseArray(message['reasoning_details'], `${path}.reasoning_details`).map((detail, index) => {
        const place = `${path}.reasoning_details[${index}]`;
        return { detail: parseObject(detail, place), place };
      });
  const thinking =
    findText(message, path) ?? fromDetails(details) ?? fromContent(message['content'], `${path}.content`) ?? nothing;
  const sealed = details.flatMap(({ detail, place }) => {
    noteSignature(detail, place, losses);
    const { type, data } = detail;
    if (type !== 'reasoning.encrypted' || isAbsent(data) || data === '') return [];
    return [{ data: parseString(data, `${place}.data`), place }];
  });
  if (sealed.length === 0) return thinking.text === '' ? [] : [{ item: toItem(thinking.text), name: { item: thinking.place } }];
  return sealed.map(({ data, place }, index) => ({
    item: { ...toItem(index === 0 ? thinking.text : ''), encrypted_content: data },
    name: { item: place, members: { encrypted_content: 'data' } },
  }));
}

const nothing: Thinking = { text: '', place: '' };

function toItem(text: string): InputReasoning {
  return { type: 'reasoning', summary: text === '' ? [] : [{ type: 'summary_text', text }] };
}

/** The first of the two names that says something. */
function findText(message: JsonObject, path: string): Thinking | undefined {
  for (const member of ['reasoning_content', 'reasoning']) {
    const value = message[member];
    const place = `${path}.${member}`;
    if (isAbsent(value) || value === '') continue;
    return { text: parseString(value, place, textLimits), place };
  }
  return undefined;
}

function fromDetails(details: readonly { readonly detail: JsonObject; readonly place: string }[]): Thinking | undefined {
  const texts = details.flatMap(({ detail, place }) => {
    const text = detail['type'] === 'reasoning.summary' ? detail['summary'] : detail['text'];
    return typeof text === 'string' && text !== '' ? [{ text, place }] : [];
  });
  return join(texts);
}

function join(texts: readonly Thinking[]): Thinking | undefined {
  const [first] = texts;
  return first === undefined ? undefined : { text: texts.map(({ text }) => text).join('\n\n'), place: first.place };
}

/** Mistral's form: `{ type: 'thinking', thinking: [{ type: 'text', text }] }` among the parts of the content. */
function fromContent(content: unknown, path: string): Thinking | undefined {
  if (!Array.isArray(content)) return undefined;
  const texts = content.flatMap((part: unknown, at) => {
    if (!isThinkingPart(part)) return [];
    const place = `${path}[${at}]`;
    const text = readThinkingPart(part.thinking, `${place}.thinking`);
    return text === '' ? [] : [{ text, place }];
  });
  return join(texts);
}

/** References to sources, which stand among the texts, say nothing without them. */
function readThinkingPart(value: unknown, path: string): string {
  if (typeof value === 'string') return parseString(value, path, textLimits);
  const texts = parseArray(value, path).map((member, at) => {
    const { type, text } = parseObject(member, `${path}[${at}]`);
    return type === 'text' ? parseString(text, `${path}[${at}].text`, textLimits) : '';
  });
  return texts.join('');
}

/** A signature without our seal could be checked only by the server that made it. */
function noteSignature({ signature }: JsonObject, place: string, losses: Loss[]): void {
  if (isAbsent(signature) || signature === '') return;
  losses.push({
    path: `${place}.signature`,
    action: 'dropped',
    reason: 'another server signed it, so its reasoning counts as plain text',
  });
}
