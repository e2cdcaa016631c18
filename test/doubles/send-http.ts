import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface HttpCall {
  readonly method?: string;
  /** As it stands in the request line, not normalised. */
  readonly path?: string;
  /** May carry its own `host`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** Without a declared length, in chunks. */
  readonly chunked?: boolean;
}

/** One request on a connection of its own, with exactly these headers. An answer that comes before the body has been sent counts; what then happens to the connection does not. */
export function sendHttp(url: string, call: HttpCall = {}): Promise<HttpAnswer> {
  const { method = call.body === undefined ? 'GET' : 'POST', path = '/', headers = {}, body } = call;
  const length = body === undefined || call.chunked === true ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const sent = request({ hostname, port, method, path, headers: { ...length, ...headers }, agent: false });
    let isAnswered = false;
    sent.on('error', (error) => {
      if (!isAnswered) reject(error);
    });
    sent.on('response', (response) => {
      isAnswered = true;
      buffer(response).then((bytes) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: bytes.toString() });
      }, reject);
    });
    sent.end(body);
  });
}

/** JSON to `POST /v1/responses`. */
export function postJson(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
  return sendHttp(url, {
    path: '/v1/responses',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Writes raw bytes to a new connection and returns everything that came back until it was closed. */
export function sendBytes(url: string, ...bytes: readonly (string | Uint8Array)[]): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    socket.once('close', () => {
      resolve(text);
    });
    socket.once('error', reject);
    for (const piece of bytes) socket.write(piece);
  });
}

/** Status and body of each answer in what a connection brought; every one of them must carry its length. */
export function splitAnswers(text: string): { status: number; head: string; body: string }[] {
  const answers: { status: number; head: string; body: string }[] = [];
  for (let rest = text; rest !== '';) {
    const [head = ''] = rest.split('\r\n\r\n', 1);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const start = head.length + 4;
    const body = Buffer.from(rest.slice(start)).subarray(0, length).toString();
    answers.push({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body });
    rest = rest.slice(start + body.length);
  }
  return answers;
}

interface Headers {
  get(name: string): string | null;
}

/** What every error answer carries, whatever its cause: SDKs read these. */
const errorHeaders: readonly (readonly [string, RegExp])[] = [
  ['content-type', /^application\/json; charset=utf-8$/],
  ['x-request-id', /^req_[0-9a-f]{32,64}$/],
  ['x-should-retry', /^(true|false)$/],
  ['openai-processing-ms', /^\d+$/],
];

/**
 * `400 invalid_request_error invalid_value model`: status, type, code and param of an error answer. Throws when the answer is not formed as every error has to be: exactly the four
 * members, JSON content type, and the headers that SDKs read.
 */
export function errorLine(answer: {
  status: number;
  headers: IncomingHttpHeaders | Headers;
  text?: string;
  body?: unknown;
}): string {
  const { headers } = answer;
  const header = (name: string): string =>
    String((typeof headers.get === 'function' ? headers.get(name) : (headers as IncomingHttpHeaders)[name]) ?? '');
  const body = answer.body ?? (JSON.parse(answer.text ?? '') as unknown);
  const { error, ...others } = body as { error: Record<string, unknown> };
  const faults = errorHeaders.flatMap(([name, form]) => (form.test(header(name)) ? [] : [`${name}: ${header(name)}`]));
  if (Object.keys(others).length > 0) faults.push(`also has ${Object.keys(others).join()}`);
  if (Object.keys(error).sort().join() !== 'code,message,param,type') faults.push(`error has ${Object.keys(error).join()}`);
  if (typeof error['message'] !== 'string' || error['message'] === '') faults.push('no message');
  if (faults.length > 0) throw new Error(`malformed error: ${faults.join('; ')}: ${JSON.stringify(body)}`);
  return [answer.status, error['type'], error['code'], error['param']].map(String).join(' ');
}
