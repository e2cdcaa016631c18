import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { ContentPart, InputItem, ModelRequest } from '../../model/model-request.ts';
import { ChatCallIds } from './chat-call-ids.ts';
import type { ChatProfile } from './chat-profile.ts';
import { isThinkingPart } from './from-chat-content.ts';
import { reasoningReplay } from './reasoning-replay.ts';

/** Members in which servers hand out their thinking. Which of them a server takes back is its own (`reasoning-replay`). */
const reasoningMembers = ['reasoning_content', 'reasoning', 'reasoning_details'] as const;

/** Whether a server of this profile takes the messages of `fields` as they are: ids, names, media and the thinking of earlier turns, which may be that of another server. */
export function takesChatMessages({ model, input }: ModelRequest, fields: JsonObject, profile: ChatProfile): boolean {
  const messages: readonly unknown[] = Array.isArray(fields['messages']) ? fields['messages'] : [];
  const ownIds = profile.vendor !== 'openai' || hasOwnIds(input);
  return (
    ownIds &&
    input.every((item) => takesMedia(item, profile)) &&
    messages.every((message) => takesMessage(message, model, profile))
  );
}

/** Whether the translation would leave all ids of calls alone. */
function hasOwnIds(input: readonly InputItem[]): boolean {
  const ids = new ChatCallIds({ exactlyNine: false });
  return input.every((item) => item.type !== 'call' || ids.next(item.callId) === item.callId);
}

function takesMedia(item: InputItem, profile: ChatProfile): boolean {
  if (!('content' in item)) return true;
  return item.content.every((part) => takesPart(part, item, profile));
}

/** Only OpenAI shows its models images that tools made, and nobody files. */
function takesPart(part: ContentPart, { type }: InputItem, profile: ChatProfile): boolean {
  if (part.type === 'text' || part.type === 'refusal') return true;
  if (part.source.type === 'url' && !profile.fetchesUrls) return false;
  if (type !== 'message') return part.type === 'image' && profile.vendor === 'openai';
  return part.type === 'image' ? profile.acceptsImages : profile.files === 'file-part';
}

function takesMessage(message: unknown, model: string, profile: ChatProfile): boolean {
  if (!isJsonObject(message)) return false;
  const { role, name, content } = message;
  if (profile.vendor === 'groq' && typeof name === 'string') return false;
  if (Array.isArray(content) && (content.length === 0 || !content.every((part) => takesForm(part, model, profile)))) return false;
  return role !== 'assistant' || takesReasoning(message, model, profile);
}

/** Mistral has forms of its own: others want an image's URL in an object, and do not know parts of thinking. */
function takesForm(part: unknown, model: string, { vendor, isMistral }: ChatProfile): boolean {
  if (isThinkingPart(part)) return reasoningReplay(vendor, model).as === 'thinking-part';
  return isMistral || !isJsonObject(part) || typeof part['image_url'] !== 'string';
}

/** Thinking in the words of the server that is asked, and all that it demands. Of servers that nobody knows some demand it and others ignore it. */
function takesReasoning(message: JsonObject, model: string, { vendor }: ChatProfile): boolean {
  if (vendor === 'generic') return true;
  const { when, as, onEveryMessage } = reasoningReplay(vendor, model);
  if (onEveryMessage && typeof message['reasoning_content'] !== 'string') return false;
  return reasoningMembers.every((member) => {
    const value = message[member];
    if (value === undefined || value === null) return true;
    return when !== 'never' && (member === as || (as === 'details' && member !== 'reasoning_content'));
  });
}
