import type { MediaSource, MessageInput, ModelRequest } from '../../model/model-request.ts';
import { renderItems, type DescribeMedia, type MediaPart } from './render-history.ts';
import { splitInput, type SplitInput, type ToldItem } from './split-input.ts';

/** What one turn says to an agent server. */
export interface TurnMessage {
  /** Rendered history and outputs, '' when there are none. With a tap the model gets these natively instead. */
  readonly block: string;
  /** The user's own text. */
  readonly text: string;
  /** Images and files that go with it. */
  readonly media: readonly TurnMedia[];
  /** Instructions, and system messages of this turn; null when there are none, and with a tap, which writes them into the model call. */
  readonly system: string | null;
  /** How many items of the input's beginning (`reasoning` left out) are in the block because the agent server has not seen them. */
  readonly replayedItems: number;
  /** The turn said nothing, so words were put into its mouth. */
  readonly isMadeUp: boolean;
}

interface TurnMedia {
  readonly mimeType: string;
  readonly inlineData: string;
  readonly displayName?: string;
}

export interface TurnPlace {
  /** The turn begins a cascade: everything before it must be told. */
  readonly isFresh: boolean;
  /** A tap writes tools, system text, history and outputs into the model call in their own form. */
  readonly hasTap: boolean;
}

/** What is said when the turn itself says nothing: an agent server takes no empty message. */
const emptyTurn = 'Continue.';

const historyHead = 'This is the conversation so far. Go on from where it stands.';
const outputsHead = 'These are the results of the calls you made.';
const textHead = 'The user says now:';

/** The part of the input that must be told: all of it to a fresh cascade, else what the request itself brought. */
export function selectInput({ input, session }: ModelRequest, { isFresh }: TurnPlace): SplitInput {
  return splitInput(isFresh ? input : input.slice(session?.inheritedItems ?? 0));
}

/** Whether a cascade that knows everything before this request can go on: the request adds only what a turn consists of. */
export function canGoOn(request: ModelRequest): boolean {
  return selectInput(request, { isFresh: false, hasTap: false }).replay.length === 0;
}

/** A turn → the text and media to send. The block is laid out as `render-history` says. */
export function toTurnMessage(request: ModelRequest, place: TurnPlace): TurnMessage {
  const { replay, current } = selectInput(request, place);
  const attached: TurnMedia[] = [];
  const describeMedia = place.hasTap ? describeUnsent : attachTo(attached);
  const outputs = current.filter((item) => item.type === 'call-output');
  const users = current.filter((item) => item.type === 'message' && item.role === 'user');
  // With a tap the model knows the calls from their own form, and an id would be seen only where a title or a summary quotes this text.
  const rendered = renderItems([...replay, ...outputs], { describeMedia, showsCallIds: !place.hasTap });
  const said = users.map((message) => textsOf(message).join('\n\n')).join('\n\n');
  const media = [...attached, ...users.flatMap(toMedia)];
  const saysSomething = said !== '' || media.length > 0 || outputs.length > 0 || (rendered !== '' && !place.hasTap);
  const text = saysSomething ? said : emptyTurn;
  const head = replay.length > 0 ? historyHead : outputsHead;
  const tail = text === '' || place.hasTap ? '' : `\n\n${textHead}`;
  return {
    block: rendered === '' ? '' : `${head}\n\n${rendered}${tail}`,
    text,
    media,
    system: place.hasTap ? null : systemText(request.instructions, current),
    replayedItems: replay.length,
    isMadeUp: !saysSomething,
  };
}

/** The whole as one text, for an agent server without a tap. `system` null: it is told in another way, or not at all. */
export function joinTurnText({ block, text }: TurnMessage, system: string | null): string {
  const head = system === null ? '' : `[system]\n${system}`;
  const tail = system !== null && block === '' && text !== '' ? `[user]\n${text}` : text;
  return [head, block, tail].filter((part) => part !== '').join('\n\n');
}

function systemText(instructions: string | null, current: readonly ToldItem[]): string | null {
  const messages = current.filter((item) => item.type === 'message' && item.role !== 'user' && item.role !== 'assistant');
  const texts = [instructions ?? '', ...messages.flatMap(textsOf)].filter((text) => text !== '');
  return texts.length === 0 ? null : texts.join('\n\n');
}

function textsOf(item: ToldItem): string[] {
  if (item.type !== 'message') return [];
  return item.content.flatMap((part) => (part.type === 'text' || part.type === 'refusal' ? [part.text] : []));
}

function toMedia(item: ToldItem): TurnMedia[] {
  if (item.type !== 'message') return [];
  return mediaOf(item).flatMap((part) => (part.source.type === 'data' ? [toInline(part, part.source, nameOf(part))] : []));
}

/** Images and files of a message. */
export function mediaOf({ content }: Pick<MessageInput, 'content'>): MediaPart[] {
  return content.filter((part) => part.type === 'image' || part.type === 'file');
}

/** Media of the history travel with this turn, under a number that the text names. */
function attachTo(attached: TurnMedia[]): DescribeMedia {
  return (part) => {
    if (part.source.type !== 'data') return describeUnsent(part);
    const name = nameOf(part);
    const label = `${part.type} ${attached.length + 1}${name === null ? '' : ` ${name}`}`;
    attached.push(toInline(part, part.source, label));
    return `${label}, attached`;
  };
}

function describeUnsent(part: MediaPart): string {
  const name = nameOf(part);
  return name === null ? part.type : `${part.type} ${name}`;
}

function toInline(part: MediaPart, source: Extract<MediaSource, { type: 'data' }>, name: string | null): TurnMedia {
  return { mimeType: source.mediaType, inlineData: source.base64, ...(name !== null && { displayName: name }) };
}

function nameOf(part: MediaPart): string | null {
  return part.type === 'file' && part.filename !== null ? part.filename.replace(/[\p{Cc}[\]]+/gu, ' ').trim() : null;
}
