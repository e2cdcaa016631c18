import type { ServerResponse } from 'node:http';
import { answerWith, openChatUpstream, type ChatUpstream } from '../../doubles/chat-upstream.ts';
import { call, streamOf } from '../../doubles/responses-events.ts';
import { expectedAnthropic } from '../../recorded-traffic/expected-anthropic.ts';
import { expectedChat } from '../../recorded-traffic/expected-chat.ts';
import { expectedGemini } from '../../recorded-traffic/expected-gemini.ts';
import { expectedResponses } from '../../recorded-traffic/expected-responses.ts';
import { bodiesOf, listOf, loose, words, type Content, type Loose, type Recording } from '../../recorded-traffic/loose.ts';
import { loadRecordings, type LoadedRecordings } from '../../recorded-traffic/open-replay.ts';
import type { Dialect } from './client-under-test.ts';
import { sceneFiles, sceneRecordings, type Scene } from './scene-recordings.ts';

/** What a model server does instead of answering: refuses; fails, breaks off or falls silent half way through a text; waits there for `goOn()`. */
export type Trouble = 'refuses' | 'fails' | 'cut' | 'hangs' | 'waits';

/** The answer that a model server gives in a scene, as a client of any dialect has to see it. */
export interface ScriptedAnswer extends Content {
  /** Of the answer, as the server wrote it. */
  readonly id: string;
  /** State of thinking that has to come back with the next turn; the server may have written it more than once. */
  readonly states: readonly string[];
}

/**
 * Model servers of all four dialects that answer with recorded bytes, under `url/DIALECT`. A model is called `ANYTHING--SCENE` or `ANYTHING--TROUBLE`; what comes with the
 * result of a tool is answered with a text.
 */
export interface RecordedModels {
  readonly url: string;
  /** The last request of a turn, as JSON text. */
  lastRequest(): string;
  answerOf(dialect: Dialect, scene: Scene, stream: boolean): ScriptedAnswer;
  /** Lets the answer that waits go on. */
  goOn(): void;
  /** Whether the other side broke off the last call before it was answered. */
  wasBrokenOff(): boolean;
  /** Resolves when no server is answering any more. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Every result a test gives back has this in it. */
export const resultMark = 'minus 4 degrees';
export const refusal = 'Too many requests, said the model server.';
export const countedTokens = 4321;

const readers: { readonly [D in Dialect]: (recording: Recording) => Content } = {
  anthropic: expectedAnthropic,
  chat: expectedChat,
  gemini: expectedGemini,
  responses: expectedResponses,
};

export async function openRecordedModels(): Promise<RecordedModels> {
  const loaded = await loadRecordings([...sceneFiles]);
  const byId = new Map([...loaded.recordings, parallelResponse].map((recording) => [recording.id, recording]));
  const find = (dialect: Dialect, scene: Scene, stream: boolean): Recording => {
    const id = sceneRecordings[dialect][scene][stream ? 0 : 1];
    const recording = byId.get(id);
    if (recording === undefined) throw new Error(`no recording ${id}`);
    return recording;
  };
  let last = '';
  let isBroken = false;
  const waiting: (() => void)[] = [];
  const upstream: ChatUpstream = await openChatUpstream((response, request) => {
    const asked = readCall(request.path, loose(request.body));
    if (asked.kind === 'models') answerWith(200, modelList(asked.dialect))(response, request);
    else if (asked.kind === 'count') answerWith(200, tokenCount(asked.dialect))(response, request);
    else {
      last = JSON.stringify(request.body);
      response.once('close', () => (isBroken = !response.writableEnded));
      play(response, { ...asked, loaded, find, isAnswered: last.includes(resultMark), waiting });
    }
  });
  return {
    url: upstream.url,
    lastRequest: () => last,
    answerOf(dialect, scene, stream) {
      const recording = find(dialect, scene, stream);
      return { ...readers[dialect](recording), id: idOf(recording), states: statesOf(recording) };
    },
    goOn: () => {
      for (const next of waiting.splice(0)) next();
    },
    wasBrokenOff: () => isBroken,
    idle: () => upstream.idle(),
    close: () => upstream.close(),
  };
}

interface AskedTurn {
  readonly kind: 'turn' | 'models' | 'count';
  readonly dialect: Dialect;
  readonly act: Scene | Trouble;
  readonly stream: boolean;
}

function readCall(path: string, body: Loose): AskedTurn {
  const dialect = (/^\/(\w+)\//.exec(path)?.[1] ?? '') as Dialect;
  const [, named, verb = ''] = /\/models\/([^:?]+):(\w+)/.exec(path) ?? [];
  const model = named === undefined ? words(body['model']) : decodeURIComponent(named);
  const isCount = /count|input_tokens/i.test(path);
  return {
    kind: /\/models(?:\?|$)/.test(path) ? 'models' : isCount ? 'count' : 'turn',
    dialect,
    act: model.replace(/^.*--/, '') as Scene | Trouble,
    stream: body['stream'] === (true as unknown) || verb.startsWith('stream'),
  };
}

interface Stage extends AskedTurn {
  readonly loaded: LoadedRecordings;
  readonly find: (dialect: Dialect, scene: Scene, stream: boolean) => Recording;
  readonly isAnswered: boolean;
  readonly waiting: (() => void)[];
}

/** How an answer goes on after its first half. */
const endings: {
  readonly [T in Exclude<Trouble, 'refuses'>]: (response: ServerResponse, stage: Stage & { readonly rest: string }) => void;
} = {
  fails: (response, { dialect }) => response.end(failureFrame(dialect)),
  cut: (response) => response.destroy(),
  hangs: () => undefined,
  waits: (response, { rest, waiting }) => waiting.push(() => response.end(rest)),
};

function play(response: ServerResponse, stage: Stage): void {
  const { dialect, act, stream, loaded, find, isAnswered } = stage;
  if (act === 'refuses') {
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' });
    response.end(JSON.stringify(refusalOf(dialect)));
    return;
  }
  if (act in endings) {
    const frames = loaded.framesOf(find(dialect, 'text', true));
    // On both sides of the middle every one of these recordings says something.
    const middle = Math.floor(frames.length / 2);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(frames.slice(0, middle).join(''), () => {
      endings[act as keyof typeof endings](response, { ...stage, rest: frames.slice(middle).join('') });
    });
    return;
  }
  const recording = find(dialect, isAnswered ? 'text' : (act as Scene), stream);
  if (recording.response.chunks === undefined) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(recording.response.body));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const frame of loaded.framesOf(recording)) response.write(frame);
  response.end();
}

function refusalOf(dialect: Dialect): object {
  switch (dialect) {
    case 'anthropic':
      return { type: 'error', error: { type: 'rate_limit_error', message: refusal }, request_id: 'req_1' };
    case 'gemini':
      return { error: { code: 429, message: refusal, status: 'RESOURCE_EXHAUSTED' } };
    case 'chat':
    case 'responses':
      return { error: { message: refusal, type: 'rate_limit_error', param: null, code: 'rate_limit_exceeded' } };
  }
}

function failureFrame(dialect: Dialect): string {
  switch (dialect) {
    case 'anthropic':
      return 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
    case 'gemini':
      return 'data: {"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}\r\n\r\n';
    case 'chat':
      return 'data: {"error":{"message":"Overloaded","type":"server_error","code":"server_error"}}\n\n';
    case 'responses':
      return 'event: error\ndata: {"type":"error","code":"server_error","message":"Overloaded","param":null,"sequence_number":90}\n\n';
  }
}

const parallelResponse: Recording = {
  ...{ id: 'made-up:responses/parallel', provider: 'openai-responses', vendor: 'openai' },
  response: {
    status: 200,
    chunks: streamOf(call('get_weather', ['{"city":', '"Oslo"}']), call('get_weather', ['{"city":', '"Rome"}'])).map((event) =>
      JSON.stringify(event),
    ),
  },
};

/** Its name says that it is listed. */
function modelList(dialect: Dialect): object {
  const id = `listed-${dialect}`;
  if (dialect === 'gemini')
    return { models: [{ name: `models/${id}`, displayName: id, supportedGenerationMethods: ['generateContent'] }] };
  const data = [
    { id, type: 'model', object: 'model', created: 1, owned_by: 'test', display_name: id, created_at: '2026-01-01T00:00:00Z' },
  ];
  return { object: 'list', data, has_more: false, first_id: id, last_id: id };
}

function tokenCount(dialect: Dialect): object {
  if (dialect === 'gemini') return { totalTokens: countedTokens };
  return { object: 'response.input_tokens', input_tokens: countedTokens };
}

function idOf(recording: Recording): string {
  const [first] = bodiesOf(recording);
  const ids = [first?.['id'], first?.['responseId'], first?.['message']?.['id'], first?.['response']?.['id']].map(words);
  return ids.find((id) => id !== '') ?? '';
}

const stateMembers = ['thoughtSignature', 'signature', 'encrypted_content'];

/** Every signature in it, wherever it stands. */
function statesOf(recording: Recording): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      if (stateMembers.includes(name) && words(inner) !== '') found.add(words(inner));
      if (Array.isArray(inner)) listOf(inner).forEach(look);
      else look(inner);
    }
  };
  bodiesOf(recording).forEach(look);
  return [...found];
}
