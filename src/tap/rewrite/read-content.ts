import type { JsonObject } from '../../lib/json.ts';
import type { BlockSpan, Mark, Marks } from '../marks.ts';
import { readObjects, sideOf, visibleText, type Side } from './gemini-body.ts';

/** A call mark in the model's words: one of the client's calls stood here. */
export interface CallPlace {
  readonly type: 'call';
  readonly call: string;
}

/** A block that has been taken out: its history belongs here. */
export interface BlockPlace {
  readonly type: 'block';
  readonly turn: string;
  readonly span: BlockSpan;
}

export type Piece = { readonly type: 'part'; readonly part: JsonObject } | CallPlace | BlockPlace;

export interface ReadContent {
  readonly content: JsonObject;
  readonly side: Side;
  readonly pieces: readonly Piece[];
  /** Whether there was any mark; if not, the content stays the object that it is. */
  readonly isMarked: boolean;
}

/** A stretch of a text part between marks, a mark, or a part without marks. */
type Token =
  | { readonly type: 'text'; readonly text: string; readonly source: JsonObject }
  | { readonly type: 'mark'; readonly mark: Mark }
  | { readonly type: 'part'; readonly part: JsonObject };

/**
 * A content with its marks read and taken out. A block goes when its end is there, in this part or a later one, and `isReadable` knows what it stands for; otherwise its text
 * stays, so that nothing is lost. The history of a block belongs before the whole content, because the agent server may have put words around the marked text; only behind an
 * earlier message in the same content it stands where the block was.
 */
export function readContent(content: JsonObject, marks: Marks, isReadable: (span: BlockSpan) => boolean): ReadContent {
  const side = sideOf(content);
  const parts = readObjects(content['parts']);
  const tokens = parts.flatMap((part) => readTokens(part, marks));
  const isMarked = tokens.some(({ type }) => type !== 'part');
  if (!isMarked) return { content, side, pieces: parts.map((part) => ({ type: 'part', part })), isMarked };
  const pieces = side === 'model' ? readModelSide(tokens) : readUserSide(tokens, isReadable);
  return { content, side, pieces, isMarked };
}

function readTokens(part: JsonObject, marks: Marks): Token[] {
  const text = visibleText(part);
  const found = text === undefined ? [] : marks.findMarks(text);
  if (text === undefined || found.length === 0) return [{ type: 'part', part }];
  const tokens: Token[] = [];
  let at = 0;
  for (const { mark, start, end } of found) {
    tokens.push({ type: 'text', text: text.slice(at, start), source: part });
    if (mark !== null) tokens.push({ type: 'mark', mark });
    at = end;
  }
  return [...tokens, { type: 'text', text: text.slice(at), source: part }];
}

function readModelSide(tokens: readonly Token[]): readonly Piece[] {
  const writer = new PieceWriter();
  for (const token of tokens) {
    if (token.type !== 'mark') writer.add(token);
    else if (token.mark.kind === 'call') writer.placeCall({ type: 'call', call: token.mark.call });
  }
  return writer.finish();
}

function readUserSide(tokens: readonly Token[], isReadable: (span: BlockSpan) => boolean): readonly Piece[] {
  const writer = new PieceWriter();
  const blocks = findBlocks(tokens, isReadable);
  let isBehindMessage = false;
  for (const [at, token] of tokens.entries()) {
    const block = blocks.find(({ begin, end }) => at >= begin && at < end);
    if (block?.begin === at) writer.placeBlock(block.place, isBehindMessage);
    if (token.type === 'mark') isBehindMessage ||= token.mark.kind === 'turn';
    else if (block === undefined || !isText(token)) writer.add(token);
  }
  return writer.finish();
}

interface Block {
  readonly begin: number;
  readonly end: number;
  readonly place: BlockPlace;
}

function findBlocks(tokens: readonly Token[], isReadable: (span: BlockSpan) => boolean): readonly Block[] {
  const blocks: Block[] = [];
  for (const [begin, token] of tokens.entries()) {
    const mark = token.type === 'mark' ? token.mark : null;
    if (mark?.kind !== 'block' || begin < (blocks.at(-1)?.end ?? 0) || !isReadable(mark.span)) continue;
    const { turn, span } = mark;
    const end = tokens.findIndex((other, at) => at > begin && isTurnMark(other, turn));
    if (end !== -1) blocks.push({ begin, end, place: { type: 'block', turn, span } });
  }
  return blocks;
}

function isTurnMark(token: Token, turn: string): boolean {
  return token.type === 'mark' && token.mark.kind === 'turn' && token.mark.turn === turn;
}

function isText(token: Exclude<Token, { type: 'mark' }>): boolean {
  return token.type === 'text' || visibleText(token.part) !== undefined;
}

/** Puts the stretches of one part together again, except where something was taken out between them. */
class PieceWriter {
  readonly #pieces: Piece[] = [];
  readonly #sources = new Set<JsonObject>();
  readonly #used = new Set<JsonObject>();
  #open: { readonly source: JsonObject; readonly at: number } | null = null;

  add(token: Exclude<Token, { type: 'mark' }>): void {
    if (token.type === 'part') this.#push({ type: 'part', part: token.part });
    else this.#addText(token.text, token.source);
  }

  placeCall(place: CallPlace): void {
    this.#push(place);
  }

  placeBlock(place: BlockPlace, isHere: boolean): void {
    if (isHere) this.#push(place);
    else {
      this.#pieces.unshift(place);
      if (this.#open !== null) this.#open = { ...this.#open, at: this.#open.at + 1 };
    }
  }

  /** A part that was nothing but marks goes, unless it carries more than text: a signature stays, at the end, where Gemini sends it too. */
  finish(): readonly Piece[] {
    for (const source of this.#sources) {
      const isBare = Object.keys(source).length === 1;
      if (!this.#used.has(source) && !isBare) this.#push({ type: 'part', part: { ...source, text: '' } });
    }
    return this.#pieces;
  }

  #push(piece: Piece): void {
    this.#pieces.push(piece);
    this.#open = null;
  }

  #addText(text: string, source: JsonObject): void {
    this.#sources.add(source);
    if (text === '') return;
    const open = this.#open;
    const last = open?.source === source ? this.#pieces[open.at] : undefined;
    if (open !== null && last?.type === 'part') {
      this.#pieces[open.at] = { type: 'part', part: { ...last.part, text: (visibleText(last.part) ?? '') + text } };
      return;
    }
    const part = this.#used.has(source) ? { text } : { ...source, text };
    this.#used.add(source);
    this.#pieces.push({ type: 'part', part });
    this.#open = { source, at: this.#pieces.length - 1 };
  }
}
