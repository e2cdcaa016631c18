import type { ServerResponse } from 'node:http';
import { parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { checkRequest } from '../../doubles/gemini-model/check-request.ts';
import { objectOf } from '../../doubles/gemini-model/gemini-words.ts';
import { googleError } from '../../doubles/gemini-model/google-error.ts';
import { createIssuedSignatures, type IssuedSignatures } from '../../doubles/gemini-model/issued-signatures.ts';
import { openHttpUpstream } from '../../doubles/http-upstream.ts';
import { checkAnthropicRequest } from './check-anthropic-request.ts';
import { checkChatRequest } from './check-chat-request.ts';
import { checkResponsesRequest } from './check-responses-request.ts';
import { createIssuedState, type IssuedState } from './issued-state.ts';
import { readView, toolsOf, type Protocol, type ViewEntry } from './read-view.ts';
import { writeAnswer, type Said } from './write-answer.ts';

/** A request as its server got it. */
export interface SeenTurn {
  readonly protocol: Protocol;
  readonly body: JsonObject;
  readonly view: readonly ViewEntry[];
  /** What a real server of this protocol would have refused; it was refused. */
  readonly faults: readonly string[];
}

/** Servers of four protocols behind one address. */
export interface StrictUpstream {
  readonly url: string;
  /** Since the last `forget`. */
  readonly seen: readonly SeenTurn[];
  forget(): void;
  close(): Promise<void>;
}

export interface ServerState {
  readonly gemini: IssuedSignatures;
  readonly anthropic: IssuedState;
  readonly responses: IssuedState;
  /** For ids that no other call has. */
  calls: number;
}

/**
 * Model servers that refuse what the real ones refuse, and do what stands in the user's words: `[[think TEXT]]`, `[[say TEXT]]`, `[[call 1 {"a":1}]]` (the second tool of the request). After tool
 * results they say how many there were. Whole answers only.
 */
export async function openStrictUpstream(): Promise<StrictUpstream> {
  let seen: SeenTurn[] = [];
  const state: ServerState = {
    gemini: createIssuedSignatures({ allowsSkipValues: true }),
    anthropic: createIssuedState('anthropic'),
    responses: createIssuedState('responses'),
    calls: 0,
  };
  const upstream = await openHttpUpstream((response, { url, body: bytes }) => {
    const protocol = protocolOf(url);
    const body = objectOf(parseJson(bytes.toString()));
    const faults = checkBody(protocol, body, state);
    const turn = { protocol, body, view: readView(protocol, body), faults };
    seen.push(turn);
    const [fault] = faults;
    if (fault === undefined) sendJson(response, 200, writeAnswer(protocol, planAnswer(turn), state));
    else sendJson(response, 400, toError(protocol, fault));
  });
  return {
    url: upstream.url,
    get seen() {
      return seen;
    },
    forget() {
      seen = [];
    },
    close: () => upstream.close(),
  };
}

function protocolOf(url: string): Protocol {
  if (url.startsWith('/v1beta/')) return 'gemini';
  if (url.startsWith('/v1/messages')) return 'anthropic';
  return url.startsWith('/v1/chat/') ? 'chat' : 'responses';
}

/** What is wrong with a request. */
export function checkBody(protocol: Protocol, body: JsonObject, state: ServerState): readonly string[] {
  switch (protocol) {
    case 'gemini':
      return checkRequest(body, 'gemini-3-pro', state.gemini);
    case 'anthropic':
      return checkAnthropicRequest(body, state.anthropic);
    case 'chat':
      return checkChatRequest(body);
    case 'responses':
      return checkResponsesRequest(body, state.responses);
  }
}

function planAnswer({ protocol, body, view }: Omit<SeenTurn, 'faults'>): Said {
  const at = view.findLastIndex((entry) => entry.kind === 'user' && entry.text.includes('[['));
  const results = view.slice(at + 1).filter(({ kind }) => kind === 'result').length;
  const directing = view[at];
  if (results > 0 || directing?.kind !== 'user') return { thinking: '', text: `Done with ${String(results)}.`, calls: [] };
  const tools = toolsOf(protocol, body);
  const said: { thinking: string; text: string; calls: { name: string; args: JsonObject }[] } = {
    thinking: '',
    text: '',
    calls: [],
  };
  for (const [, word, rest = ''] of directing.text.matchAll(/\[\[(\w+) ([\s\S]*?)\]\]/g)) {
    if (word === 'think') said.thinking = rest;
    if (word === 'say') said.text = rest;
    if (word === 'call')
      said.calls.push({ name: tools[Number(rest[0])]?.name ?? 'missing', args: objectOf(parseJson(rest.slice(2))) });
  }
  return said;
}

function toError(protocol: Protocol, message: string): object {
  switch (protocol) {
    case 'gemini':
      return googleError(400, message);
    case 'anthropic':
      return { type: 'error', error: { type: 'invalid_request_error', message } };
    default: {
      const code = message.startsWith('The encrypted content') ? 'invalid_encrypted_content' : 'invalid_value';
      return { error: { message, type: 'invalid_request_error', param: 'input', code } };
    }
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
