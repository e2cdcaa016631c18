import { isJsonObject, type JsonObject } from '../lib/json.ts';
import type { ModelTap } from '../model/model-tap.ts';
import { captureAnswer } from './capture-answer.ts';
import { collectThoughts } from './capture/collect-thoughts.ts';
import { TurnBook } from './capture/turn-book.ts';
import type { Marks } from './marks.ts';
import type { Intercept, Interception, ModelCall } from './model-call.ts';
import { rewriteRequest } from './rewrite-request.ts';
import { readExactJson, type ExactJson } from './rewrite/exact-json.ts';
import { findTurn, type FoundTurn } from './rewrite/find-turn.ts';
import { declaredNames, innerRequest, isWrapped, readObjects, sideOf } from './rewrite/gemini-body.ts';
import { stripBody } from './rewrite/strip-body.ts';

export interface TapSessionsOptions {
  /** Of the tap, for messages and `ModelTap.name`. */
  readonly name: string;
  readonly marks: Marks;
  readonly newId: (prefix: string) => string;
}

export interface TapSessions {
  readonly tap: ModelTap;
  readonly intercept: Intercept;
}

/**
 * Joins the turns of a backend and the model calls of its agent server. A model call belongs to the open turn whose mark it carries, and to none otherwise: there is no other way
 * to find a turn.
 */
export function createTapSessions(options: TapSessionsOptions): TapSessions {
  const { name, marks } = options;
  const turns = new Map<string, TurnBook>();
  const tap: ModelTap = {
    name,
    openTurn(settings) {
      const turn = marks.newTurn();
      const book = new TurnBook({ turn, settings, marks, onClose: () => turns.delete(turn) });
      turns.set(turn, book);
      return book;
    },
  };
  return { tap, intercept: (call) => interceptCall(call, { ...options, turns }) };
}

interface InterceptContext extends TapSessionsOptions {
  readonly turns: ReadonlyMap<string, TurnBook>;
}

function interceptCall(call: ModelCall, context: InterceptContext): Interception {
  const { marks, turns } = context;
  if (!marks.mayContain(call.body)) return { type: 'pass' };
  const source = new TextDecoder().decode(call.body);
  const json = readExactJson(source);
  const body = isJsonObject(json?.value) ? json.value : {};
  const inner = innerRequest(body);
  const found = findTurn({ inner, source }, marks, (turn) => turns.has(turn));
  const book = found === null ? undefined : turns.get(found.turn);
  if (json !== undefined && found !== null && book !== undefined && isMainCall(call, inner, found, book))
    return serveMainCall({ call, json, body, found, book }, context);
  const stripped = stripBody(source, marks);
  if (book === undefined && stripped === source) return { type: 'pass' };
  const answer = book === undefined ? null : collectThoughts(book.openSubRequest());
  return { type: 'forward', body: stripped, answer, signal: null };
}

/** Streamed, ends in what the user says or the tools answer, and declares tools – unless those are to be dropped anyway. */
function isMainCall({ streams }: ModelCall, inner: JsonObject, { isAsked }: FoundTurn, { settings }: TurnBook): boolean {
  const last = readObjects(inner['contents']).at(-1);
  if (!streams || !isAsked || last === undefined || sideOf(last) !== 'user') return false;
  return settings.ownTools === 'drop' || declaredNames(inner).size > 0;
}

interface MainCall {
  readonly call: ModelCall;
  readonly json: ExactJson;
  /** `json.value` */
  readonly body: JsonObject;
  readonly found: FoundTurn;
  readonly book: TurnBook;
}

function serveMainCall({ call, json, body, found, book }: MainCall, { name, marks, newId }: InterceptContext): Interception {
  const model = modelOf(call, body);
  if (book.isSettled) {
    const chunk = toClosingChunk(marks.writeTurnMark(found.turn), model);
    return { type: 'answer', chunks: [isWrapped(body) ? { response: chunk } : chunk] };
  }
  const { request, ownTools } = book.settings;
  const turn = { turn: found.turn, request: { ...request, model }, plannedModel: request.model };
  const rewritten = rewriteRequest(body, { ...turn, ownTools, marks });
  const { names, ownNames, losses } = rewritten;
  const sink = book.openCall(losses);
  const answer = captureAnswer({ name, marks, newId, model, names, ownNames, sink });
  return { type: 'forward', body: json.write(rewritten.body), answer, signal: book.stopped };
}

/** Bodies that wrap their request name the model beside it; their URL does not. */
function modelOf({ model }: ModelCall, body: JsonObject): string {
  const named = isWrapped(body) ? body['model'] : undefined;
  return typeof named === 'string' ? named.replace(/^models\//, '') : model;
}

/** An answer that ends the agent's loop: the turn is the client's now. The mark is all it says, and is taken out of every later request. */
function toClosingChunk(text: string, model: string): JsonObject {
  return {
    candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 0, candidatesTokenCount: 0, totalTokenCount: 0 },
    modelVersion: model,
  };
}
