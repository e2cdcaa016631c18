import { parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { objectOf, objectsOf, textOf } from '../gemini-model/gemini-words.ts';

/** A small client for tests of the double itself: it shares nothing with the gateway's. */
export interface AgentClient {
  /** A unary call; status and JSON body. */
  call(
    method: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly body: JsonObject }>;
  /** A stream: its frames, the end frame last; stops at `enough`, or where the body ends. */
  stream(method: string, body: object, enough?: (frames: readonly StreamFrame[]) => boolean): Promise<readonly StreamFrame[]>;
  /** StartCascade. */
  start(more?: object): Promise<string>;
  /** SendUserCascadeMessage with a model. */
  send(cascadeId: string, text: string, more?: object): Promise<{ readonly status: number; readonly body: JsonObject }>;
  /** All steps, page by page; null entries included. */
  steps(cascadeId: string): Promise<readonly JsonObject[]>;
}

export interface StreamFrame {
  readonly isEnd: boolean;
  readonly message: JsonObject;
}

const service = 'exa.language_server_pb.LanguageServerService';
export const planner = {
  plannerConfig: { conversational: {}, planModel: 'MODEL_PLACEHOLDER_M11', requestedModel: { model: 'MODEL_PLACEHOLDER_M11' } },
};

export function createAgentClient(url: string): AgentClient {
  async function call(method: string, body: object = {}, headers: Record<string, string> = {}): ReturnType<AgentClient['call']> {
    const response = await fetch(`${url}/${service}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'connect-protocol-version': '1', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: objectOf(parseJson(await response.text())) };
  }

  async function stream(
    method: string,
    body: object,
    enough?: (frames: readonly StreamFrame[]) => boolean,
  ): Promise<readonly StreamFrame[]> {
    const leave = new AbortController();
    const response = await fetch(`${url}/${service}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/connect+json', 'connect-protocol-version': '1' },
      body: envelope(JSON.stringify(body)),
      signal: leave.signal,
    });
    const frames: StreamFrame[] = [];
    let rest = Buffer.alloc(0);
    for await (const bytes of response.body ?? []) {
      rest = Buffer.concat([rest, bytes as Uint8Array]);
      for (let frame = takeFrame(rest); frame !== null; frame = takeFrame(rest)) {
        frames.push(frame.frame);
        rest = frame.rest;
      }
      if (enough?.(frames) === true) break;
    }
    leave.abort();
    return frames;
  }

  async function steps(cascadeId: string): Promise<readonly JsonObject[]> {
    const all: JsonObject[] = [];
    for (;;) {
      const { body } = await call('GetCascadeTrajectorySteps', { cascadeId, stepOffset: all.length });
      const page = objectsOf(body['steps']);
      if (page.length === 0) return all;
      all.push(...page);
    }
  }

  return {
    call,
    stream,
    steps,
    async start(more = {}) {
      const { body } = await call('StartCascade', {
        source: 'CORTEX_TRAJECTORY_SOURCE_SDK',
        requestedModel: 'MODEL_PLACEHOLDER_M11',
        ...more,
      });
      return textOf(body['cascadeId']);
    },
    send: (cascadeId, text, more = {}) =>
      call('SendUserCascadeMessage', { cascadeId, items: [{ text }], cascadeConfig: planner, ...more }),
  };
}

function envelope(json: string): Buffer {
  const payload = Buffer.from(json);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

function takeFrame(bytes: Buffer): { frame: StreamFrame; rest: Buffer<ArrayBuffer> } | null {
  const length = bytes.length < 5 ? Infinity : bytes.readUInt32BE(1);
  if (bytes.length < 5 + length) return null;
  const message = objectOf(parseJson(bytes.subarray(5, 5 + length).toString()));
  return { frame: { isEnd: ((bytes[0] ?? 0) & 2) !== 0, message }, rest: Buffer.from(bytes.subarray(5 + length)) };
}

/** The member of that path: `member(step, 'plannerResponse.response')`. */
export function at(value: unknown, path: string): unknown {
  let inner: unknown = value;
  for (const name of path.split('.')) inner = objectOf(inner)[name];
  return inner;
}
