import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { HistoryPart, WrittenAnswer, WrittenHistory } from '../../translate/gemini/write-history.ts';
import { readObjects, type Side } from './gemini-body.ts';
import type { Placement } from './place-history.ts';
import type { Piece, ReadContent } from './read-content.ts';

/** A content that is being put together. */
export interface Draft {
  readonly side: Side;
  readonly parts: JsonObject[];
  /** What the agent server wrote, with everything else that it said about the content; null when it is ours. */
  readonly base: JsonObject | null;
  /** Which of the agent server's contents went into it; NaN for ours, which is next to nothing. */
  readonly from: number;
  readonly to: number;
}

/**
 * The agent server's contents with the history in its places. Neighbours of one side become one content where something was put in or taken out between them; those that the
 * agent server itself sent one after the other stay as they are, unless a step of the client's calls stands in one of them: it must come right behind the user. The last word is the
 * user's.
 */
export function writeContents(contents: readonly ReadContent[], placement: Placement, history: WrittenHistory): readonly Draft[] {
  const answers = new Map<object, WrittenAnswer>(
    history.exchanges.flatMap(({ part, answer }) => (answer === null ? [] : [[part, answer] as const])),
  );
  const isStep = ({ side, parts }: Draft) => side === 'model' && parts.some((part) => answers.has(part));
  const drafts = joinNeighbours(
    contents.flatMap((content, at) => toDrafts(content, at, placement)),
    isStep,
  );
  // A content that only held the block of a tool's result is empty until here, and still parts one step of the model from the next.
  return endWithUser(
    joinNeighbours(
      placeAnswers(drafts, answers).filter((draft) => !isEmptied(draft)),
      isStep,
    ),
  );
}

export function toContent({ base, side, parts }: Draft): JsonObject {
  return base === null ? { role: side, parts } : { ...base, parts };
}

function isEmptied({ parts, base }: Draft): boolean {
  return parts.length === 0 && (base === null || readObjects(base['parts']).length > 0);
}

function joinNeighbours(drafts: readonly Draft[], isStep: (draft: Draft) => boolean): readonly Draft[] {
  const joined: Draft[] = [];
  for (const draft of drafts) {
    const last = joined.at(-1);
    if (last === undefined || last.side !== draft.side) joined.push(draft);
    else if (last.to + 1 === draft.from && isStep(last) === isStep(draft)) joined.push(draft);
    else joined.splice(-1, 1, joinDrafts(last, draft));
  }
  return joined;
}

/**
 * When the user says nothing but outputs, these stand where their calls are, and what the agent server itself said behind the calls would come last. It goes in front of the
 * responses then: it was said without them.
 */
function endWithUser(drafts: readonly Draft[]): readonly Draft[] {
  const [step, answer, last] = drafts.slice(-3);
  const end = drafts.at(-1);
  if (end === undefined || end.side === 'user') return drafts;
  if (step?.side === 'model' && answer?.parts.some(isResponse) === true && last !== undefined)
    return [...drafts.slice(0, -3), joinDrafts(step, last), answer];
  return [...drafts, { side: 'user', parts: [{ text: ' ' }], base: null, from: Number.NaN, to: Number.NaN }];
}

function joinDrafts(first: Draft, second: Draft): Draft {
  const { side, from } = first;
  return { side, parts: [...first.parts, ...second.parts], base: first.base ?? second.base, from, to: second.to };
}

/** One content → drafts: more than one where a history stands before it or in it. */
function toDrafts({ content, side, pieces }: ReadContent, at: number, placement: Placement): readonly Draft[] {
  const drafts: Draft[] = [];
  let parts: JsonObject[] = [];
  function close(): void {
    drafts.push({ side, parts, base: content, from: at, to: at });
    parts = [];
  }
  for (const piece of pieces) {
    if (piece.type !== 'block') parts.push(...toParts(piece, placement));
    else {
      const native = placement.partsAt(piece);
      if (native.length === 0) continue;
      if (parts.length > 0) close();
      drafts.push(...native.map(toDraft));
    }
  }
  close();
  return drafts;
}

function toParts(piece: Exclude<Piece, { type: 'block' }>, placement: Placement): readonly JsonObject[] {
  if (piece.type === 'part') return [piece.part];
  return toJson(placement.callsAt(piece).map(({ part }) => part));
}

function toDraft({ role, part }: HistoryPart): Draft {
  return { side: role, parts: toJson([part]), base: null, from: Number.NaN, to: Number.NaN };
}

/**
 * Puts the response of every call of the client first into the user's next content, together with those of the agent's own calls, in the order of the calls: Gemini wants all
 * of a step's responses in one content.
 */
function placeAnswers(drafts: readonly Draft[], answers: ReadonlyMap<object, WrittenAnswer>): readonly Draft[] {
  const placed: Draft[] = [];
  const waiting = [...drafts];
  for (let draft = waiting.shift(); draft !== undefined; draft = waiting.shift()) {
    placed.push(draft);
    if (draft.side === 'user' || !draft.parts.some((part) => answers.has(part))) continue;
    placed.push(answerCalls(draft, takeAnswers(waiting), answers));
  }
  return placed;
}

/** The user's content behind a step, with those that hold nothing but more responses; an empty one when there is none. */
function takeAnswers(waiting: Draft[]): Draft {
  let taken: Draft = { side: 'user', parts: [], base: null, from: Number.NaN, to: Number.NaN };
  for (let next = waiting[0]; next?.side === 'user'; next = waiting[0]) {
    if (taken.parts.length > 0 && !next.parts.some(isResponse)) break;
    taken = taken.parts.length === 0 ? next : joinDrafts(taken, next);
    waiting.shift();
  }
  return taken;
}

function answerCalls(step: Draft, target: Draft, answers: ReadonlyMap<object, WrittenAnswer>): Draft {
  const ours = new Set<object>([...answers.values()].flatMap(({ part, attachments }) => [part, ...attachments]));
  const foreign = target.parts.filter((part) => isResponse(part) && !ours.has(part));
  const sorted: JsonObject[] = [];
  const media: JsonObject[] = [];
  for (const part of step.parts) {
    const answer = answers.get(part);
    if (answer !== undefined) {
      sorted.push(...toJson([answer.part]));
      media.push(...toJson(answer.attachments));
    } else if (readCall(part) !== undefined) {
      const at = foreign.findIndex((response) => isAnswerTo(response, part));
      if (at !== -1) sorted.push(...foreign.splice(at, 1));
    }
  }
  const rest = target.parts.filter((part) => !isResponse(part) && !ours.has(part));
  return { ...target, parts: [...sorted, ...foreign, ...media, ...rest] };
}

function isAnswerTo(response: JsonObject, call: JsonObject): boolean {
  const { id, name } = readResponse(response) ?? {};
  const { id: callId, name: calledName } = readCall(call) ?? {};
  return typeof id === 'string' && typeof callId === 'string' ? id === callId : name === calledName;
}

function isResponse(part: JsonObject): boolean {
  return readResponse(part) !== undefined;
}

function readCall(part: JsonObject): JsonObject | undefined {
  return [part['functionCall'], part['function_call']].find(isJsonObject);
}

function readResponse(part: JsonObject): JsonObject | undefined {
  return [part['functionResponse'], part['function_response']].find(isJsonObject);
}

/** Our own parts beside those of the agent server, of which nothing is known: the same objects. */
function toJson(parts: readonly object[]): JsonObject[] {
  return parts.filter(isJsonObject);
}
