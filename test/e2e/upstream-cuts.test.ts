import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogItem, LogResponse } from '../check-event-log/log-event.ts';
import { dialects, openModelUpstream, upstreamYaml, type Dialect, type ModelCall } from '../doubles/model-upstream.ts';
import {
  referenceAnswer,
  referenceArguments,
  referenceRequest,
  referenceText,
  toEvents,
  toWhole,
} from '../doubles/model-wire.ts';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { eventStreamHead, httpChunk, httpHead, lastHttpChunk, type RawUpstream } from '../doubles/raw-upstream.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

/** How the connection ends: FIN after a body without a length, so that HTTP itself sees nothing wrong; FIN inside of HTTP chunks; RST. */
const ends = ['fin', 'chunked-fin', 'rst'] as const;
const concurrency = 32;

const streams = { chat: toEvents('chat', referenceAnswer), gemini: toEvents('gemini', referenceAnswer) };
/** Nothing is stored: these are thousands. */
const requestOf = (model: string, stream: boolean): object => ({ ...referenceRequest(model, stream), store: false });
const bytesOf = (dialect: Dialect): Buffer => Buffer.from(streams[dialect].join(''));

/** Bytes after which the model has said that it is done: its finish has arrived, only usage may be missing. */
function wholeFrom(dialect: Dialect): number {
  const finish = streams[dialect].findIndex((frame) => /"finish_reason":"|"finishReason"/.test(frame));
  const text = streams[dialect].slice(0, finish + 1).join('');
  // The last line end may be missing: the JSON was whole.
  return Buffer.byteLength(text.trimEnd());
}

/** Bytes after which the call is whole. */
function callFrom(dialect: Dialect): number {
  const last = streams[dialect].findLastIndex((frame) => frame.includes('tool_calls":[') || frame.includes('functionCall'));
  return Buffer.byteLength(
    streams[dialect]
      .slice(0, last + 1)
      .join('')
      .trimEnd(),
  );
}

function answer({ socket, dialect, model, stream }: ModelCall): void {
  const [, end = '', at = '0'] = /^(.+)-(\d+)$/.exec(model) ?? [];
  const bytes = stream ? bytesOf(dialect) : Buffer.from(toWhole(dialect, referenceAnswer));
  const piece = bytes.subarray(0, Number(at));
  const type = stream ? 'text/event-stream' : 'application/json';
  if (end === 'fin') socket.end(Buffer.concat([Buffer.from(httpHead({ 'content-type': type })), piece]));
  else if (end === 'length-fin') {
    socket.end(Buffer.concat([Buffer.from(httpHead({ 'content-type': type, 'content-length': String(bytes.length) })), piece]));
  } else {
    const chunk = piece.length === 0 ? piece : httpChunk(piece);
    socket.write(Buffer.concat([Buffer.from(eventStreamHead), chunk]), () => {
      if (end === 'rst') socket.resetAndDestroy();
      else if (end === 'whole') socket.end(lastHttpChunk);
      else socket.end();
    });
  }
}

let upstream: RawUpstream;
let gateway: StartedGateway;
beforeAll(async () => {
  upstream = await openModelUpstream(answer);
  gateway = await startGateway(upstreamYaml(upstream.url));
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** What is wrong with an answer whose stream was cut after `at` bytes. */
function judge({ status, faults, body }: StreamAnswer, dialect: Dialect, at: number): string[] {
  const found = [...faults];
  if (status !== 200) return body.error === null ? ['no error'] : found;
  const text = body.output.flatMap(({ content = [] }) => content.map((part) => part.text ?? '')).join('');
  if (!referenceText.startsWith(text)) found.push(`the text is no prefix: ${text}`);
  if (body.status === 'completed' && at < wholeFrom(dialect)) found.push('completed, but the finish had not arrived');
  if (body.status !== 'completed' && at >= bytesOf(dialect).length) found.push(`whole, but ${body.status}`);
  if (body.status !== 'completed' && body.status !== 'failed') found.push(`status ${body.status}`);
  return [...found, ...body.output.flatMap((item) => judgeCall(item, dialect, at))];
}

function judgeCall(item: LogItem, dialect: Dialect, at: number): string[] {
  if (item.type !== 'function_call' || item.status !== 'completed') return [];
  if (at < callFrom(dialect)) return ['a completed call, but its arguments had not arrived'];
  return JSON.stringify(JSON.parse(item.arguments ?? '')) === JSON.stringify(referenceArguments) ? [] : ['wrong arguments'];
}

/** Runs the cases, 32 at a time; every bad one in words. */
async function runAll(cases: readonly string[], run: (one: string) => Promise<string[]>): Promise<string[]> {
  const bad: string[] = [];
  const queue = cases.values();
  async function work(): Promise<void> {
    for (const one of queue) for (const fault of await run(one)) bad.push(`${one}: ${fault}`);
  }
  await Promise.all(Array.from({ length: concurrency }, work));
  return bad;
}

describe.each(dialects)('%s', (dialect) => {
  const size = bytesOf(dialect).length;

  test('the reference stream is whole without a cut', async () => {
    const { body, faults } = await postResponse(gateway.url, requestOf(`${dialect}/whole-${size}`, true));
    expect(faults).toEqual([]);
    expect(body).toMatchObject({ status: 'completed', usage: { input_tokens: 11, output_tokens: 7 } });
    expect(judge({ status: 200, headers: new Headers(), events: [], faults: [], body }, dialect, size)).toEqual([]);
    expect(body.output.map(({ type, status }) => `${type} ${String(status)}`)).toEqual([
      'message completed',
      'function_call completed',
    ]);
  });

  test('a judge that sees what it must see', async () => {
    const { body } = await postResponse(gateway.url, requestOf(`${dialect}/whole-${size}`, true));
    const settled = (changes: Partial<LogResponse>, at: number): string[] =>
      judge({ status: 200, headers: new Headers(), events: [], faults: [], body: { ...body, ...changes } }, dialect, at);
    expect(settled({}, wholeFrom(dialect) - 1)).toEqual(['completed, but the finish had not arrived']);
    expect(settled({ status: 'failed' }, callFrom(dialect) - 1)).toEqual(['a completed call, but its arguments had not arrived']);
    expect(settled({ status: 'failed' }, size)).toEqual(['whole, but failed']);
  });

  test(`a stream cut at every one of its ${String(size)} bytes, by FIN and by RST`, async () => {
    // A FIN inside of HTTP chunks looks to us like an RST: every fifth byte is enough of it.
    const cases = ends.flatMap((end) =>
      Array.from({ length: size }, (_, at) => at).flatMap((at) =>
        end !== 'chunked-fin' || at % 5 === 0 ? [`${end}-${at}`] : [],
      ),
    );
    const bad = await runAll(cases, async (one) =>
      judge(await postResponse(gateway.url, requestOf(`${dialect}/${one}`, true)), dialect, Number(/\d+$/.exec(one)?.[0])),
    );
    console.log(`${dialect} stream cut at every byte: ${String(bad.length)} bad / ${String(cases.length)} tried`);
    expect(bad).toEqual([]);
  }, 180_000);

  test('a body cut at every byte is never an answer', async () => {
    const length = Buffer.byteLength(toWhole(dialect, referenceAnswer));
    const cases = ['fin', 'length-fin', 'rst'].flatMap((end) =>
      Array.from({ length }, (_, at) => at).flatMap((at) => (end === 'fin' || at % 4 === 0 ? [`${end}-${at}`] : [])),
    );
    const bad = await runAll(cases, async (one) => {
      const { status, body } = await postResponse(gateway.url, requestOf(`${dialect}/${one}`, false));
      return status === 502 && body.error?.type === 'server_error' ? [] : [`${String(status)} ${String(body.error?.code)}`];
    });
    console.log(`${dialect} body cut at every byte: ${String(bad.length)} bad / ${String(cases.length)} tried`);
    expect(bad).toEqual([]);
  }, 180_000);
});
