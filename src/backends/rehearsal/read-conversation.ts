import { isJsonObject } from '../../lib/json.ts';
import type { ContentPart, InputItem, ModelRequest, ReasoningInput } from '../../model/model-request.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';
import { textMark } from './text-mark.ts';

/** Format of the states this backend makes. Every rehearsal model reads those of all others. */
const stateFormat = 'rehearsal';

/** What the request says, as far as the rehearsal model makes use of it. */
export interface Conversation {
  /** Texts of all user messages, in order. */
  readonly userTexts: readonly string[];
  /** Text of the last user message; empty when there is none. */
  readonly lastUserText: string;
  /** Images and files of the last user message. */
  readonly media: readonly string[];
  /** Calls since the last user message. */
  readonly calls: readonly { readonly name: string; readonly arguments: string }[];
  /** Outputs since the model last said something. */
  readonly outputs: readonly { readonly name: string; readonly text: string }[];
  /** Earlier thinking, by what became of its state. */
  readonly thinking: { readonly intact: number; readonly misplaced: number; readonly lost: number };
  /** The last message is a system or developer message: the engine repeats a request whose tool_choice was not followed. */
  readonly isAskedAgain: boolean;
  /** The model has answered before. */
  readonly isContinued: boolean;
}

/** Reads the conversation once, so that planning and writing need not search it. */
export function readConversation(request: ModelRequest): Conversation {
  const { input } = request;
  const lastUser = input.findLastIndex((item) => item.type === 'message' && item.role === 'user');
  const lastAnswer = input.findLastIndex((item) => item.type === 'message' && item.role === 'assistant');
  const userTexts = textsOfUser(input);
  const last = input.at(-1);
  const lastMessage = input[lastUser];
  return {
    userTexts,
    lastUserText: userTexts.at(-1) ?? '',
    media: lastMessage?.type === 'message' ? describeMedia(lastMessage.content) : [],
    calls: input.slice(lastUser + 1).filter((item) => item.type === 'call'),
    outputs: input
      .slice(lastAnswer + 1)
      .filter((item) => item.type === 'call-output')
      .map(({ name, content }) => ({ name, text: describeContent(content) })),
    thinking: countThinking(input),
    isAskedAgain: last?.type === 'message' && (last.role === 'system' || last.role === 'developer'),
    isContinued: lastAnswer >= 0,
  };
}

/** The state of this turn's thinking: it holds what the model must find again in the next turn. */
export function toReasoningState(request: ModelRequest): ReasoningState {
  return { format: stateFormat, model: request.model, data: markTexts(textsOfUser(request.input)) };
}

/** Reasoning items whose state another backend made: nothing here can read it. */
export function foreignThinking(request: ModelRequest): readonly ReasoningInput[] {
  return request.input
    .filter((item) => item.type === 'reasoning')
    .filter(({ state }) => state !== null && state.format !== stateFormat);
}

/** Images and files, of messages and of outputs, that would have to be fetched. */
export function remoteMedia({ input }: ModelRequest): readonly ContentPart[] {
  return input
    .flatMap((item) => (item.type === 'message' || item.type === 'call-output' ? item.content : []))
    .filter((part) => (part.type === 'image' || part.type === 'file') && part.source.type === 'url');
}

/** Text of the parts; images and files as a short description. */
export function describeContent(content: readonly ContentPart[]): string {
  return content
    .map((part) => (part.type === 'text' || part.type === 'refusal' ? part.text : `[${describePart(part)}]`))
    .join('\n');
}

function textsOfUser(input: readonly InputItem[]): string[] {
  return input
    .filter((item) => item.type === 'message')
    .filter(({ role }) => role === 'user')
    .map(({ content }) =>
      content
        .filter((part) => part.type === 'text')
        .map(({ text }) => text)
        .join('\n'),
    );
}

function describeMedia(content: readonly ContentPart[]): string[] {
  return content.flatMap((part) => (part.type === 'image' || part.type === 'file' ? [describePart(part)] : []));
}

function describePart(part: ContentPart & { type: 'image' | 'file' }): string {
  const what = part.type === 'file' && part.filename !== null ? `file "${part.filename}"` : part.type;
  if (part.source.type === 'url') return `${what} at ${part.source.url.slice(0, 200)}`;
  const { mediaType, base64 } = part.source;
  const padding = /=*$/.exec(base64.slice(-2))?.[0].length ?? 0;
  return `${what} (${mediaType}, ${String(Math.floor((base64.length * 3) / 4) - padding)} bytes)`;
}

function markTexts(texts: readonly string[]): { turn: number; mark: string } {
  return { turn: texts.length, mark: textMark(texts.join('\u0000')) };
}

function countThinking(input: readonly InputItem[]): Conversation['thinking'] {
  const found = { intact: 0, misplaced: 0, lost: 0 };
  for (const [index, item] of input.entries()) {
    if (item.type !== 'reasoning') continue;
    if (item.state === null) found.lost++;
    else if (item.state.format === stateFormat) found[isAtItsPlace(item.state, input.slice(0, index)) ? 'intact' : 'misplaced']++;
  }
  return found;
}

function isAtItsPlace(state: ReasoningState, before: readonly InputItem[]): boolean {
  const expected = markTexts(textsOfUser(before));
  return isJsonObject(state.data) && state.data['turn'] === expected.turn && state.data['mark'] === expected.mark;
}
