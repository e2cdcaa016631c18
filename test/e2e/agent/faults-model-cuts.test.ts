import { afterAll, describe, expect, test } from 'vitest';
import { startAgentServer } from '../../doubles/agent-server/start-agent-server.ts';
import type { LogResponse } from '../../check-event-log/log-event.ts';
import { referenceAnswer, referenceArguments, referenceText, toEvents } from '../../doubles/model-wire.ts';
import type { StreamAnswer } from '../../doubles/post-response.ts';
import {
  httpAnswer,
  httpChunk,
  httpHead,
  lastHttpChunk,
  openRawUpstream,
  type RawRequest,
  type RawUpstream,
} from '../../doubles/raw-upstream.ts';
import { startGateway } from '../../doubles/start-gateway.ts';
import { runSideBySide } from '../../run-side-by-side.ts';
import { ask, callsOf, messagesOf } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

type Framing = 'sse' | 'array';

const frames = toEvents('gemini', referenceAnswer);
const chunks = frames.map((frame) => frame.slice('data: '.length).trimEnd());
const wires: Readonly<Record<Framing, { readonly type: string; readonly pieces: readonly string[] }>> = {
  sse: { type: 'text/event-stream', pieces: frames },
  array: { type: 'application/json', pieces: [...chunks.map((chunk, at) => (at === 0 ? `[${chunk}` : `,\r\n${chunk}`)), ']'] },
};
const bytesOf = (framing: Framing): Buffer => Buffer.from(wires[framing].pieces.join(''));

/** Bytes after which a part of the answer has arrived: its JSON is whole, a line end may be missing. */
function arrivedAt(framing: Framing, word: string): number {
  const { pieces } = wires[framing];
  const last = pieces.findLastIndex((piece) => piece.includes(word));
  return Buffer.byteLength(
    pieces
      .slice(0, last + 1)
      .join('')
      .trimEnd(),
  );
}

/** `…cut:fin-120`: the main call gets so many bytes, and then that end. `stall`: nothing more. `whole` and other calls: all there is. */
function answer({ socket, head, body }: RawRequest): void {
  if (!head.includes(':streamGenerateContent')) {
    socket.write(httpAnswer(JSON.stringify({ candidates: [{ content: { role: 'model', parts: [{ text: 'T' }] } }] })));
    return;
  }
  const framing = head.includes('alt=sse') ? 'sse' : 'array';
  const { type } = wires[framing];
  const [, end = 'whole', at = '0'] = /cut:([a-z-]+?)-(\d+)/.exec(body) ?? [];
  const piece = bytesOf(framing).subarray(0, Number(at));
  if (end === 'fin') {
    // HTTP itself sees nothing wrong: such a body ends with its connection.
    socket.end(Buffer.concat([Buffer.from(httpHead({ 'content-type': type })), piece]));
    return;
  }
  const chunk = piece.length === 0 ? piece : httpChunk(piece);
  socket.write(Buffer.concat([Buffer.from(httpHead({ 'content-type': type, 'transfer-encoding': 'chunked' })), chunk]), () => {
    if (end === 'rst') socket.resetAndDestroy();
    else if (end === 'whole') socket.write(lastHttpChunk);
    else if (end !== 'stall') socket.end();
  });
}

interface Bench {
  readonly url: string;
  readonly upstream: RawUpstream;
}
const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

async function open(framing: Framing, retriesCut: boolean): Promise<Bench> {
  const upstream = await openRawUpstream(answer);
  const agent = await startAgentServer({ modelUrl: upstream.url, framing, quirks: { retriesCut } });
  const gateway = await startGateway(
    [
      `backends: { agent: { type: cascade, base_url: "${agent.url}", tap: wire } }`,
      `taps: { wire: { mode: reverse, listen: "127.0.0.1:0", upstream: "${upstream.url}" } }`,
      'store: { url: "memory:" }',
    ].join('\n'),
  );
  agent.setModelWay({ modelUrl: gateway.tapUrl });
  closing.push(
    () => upstream.close(),
    () => agent.close(),
    () => gateway.close(),
  );
  return { url: gateway.url, upstream };
}

const request = { tools: [functionTool('get_weather')], store: false };

/** What is wrong with the answer to a stream that was cut after `at` bytes. */
function judge({ status, body }: StreamAnswer, framing: Framing, at: number): string[] {
  if (status !== 200) return status >= 500 ? [] : [`status ${String(status)}`];
  const found: string[] = [];
  const text = messagesOf(body).join('');
  if (!referenceText.startsWith(text)) found.push(`the text is no prefix: ${text}`);
  if (body.status === 'completed' && at < arrivedAt(framing, 'finishReason'))
    found.push('completed, but the finish had not arrived');
  if (body.status !== 'completed' && body.status !== 'failed') found.push(`status ${body.status}`);
  return [...found, ...judgeCalls(body, at >= arrivedAt(framing, 'functionCall'))];
}

function judgeCalls({ output }: LogResponse, hasArrived: boolean): string[] {
  return output.flatMap(({ type, status, arguments: written = '' }) => {
    if (type !== 'function_call' || status !== 'completed') return [];
    if (!hasArrived) return ['a completed call, but it had not arrived'];
    return JSON.stringify(JSON.parse(written)) === JSON.stringify(referenceArguments) ? [] : ['wrong arguments'];
  });
}

/** `end`, a position, and whether it is streamed. */
type Cut = readonly [end: string, at: number, stream: boolean];

function cutsOf(end: string, size: number, step: number, stream = true): Cut[] {
  return Array.from({ length: Math.ceil(size / step) }, (_, index) => [end, index * step, stream] as const);
}

describe.each([
  ['sse', 8],
  ['array', 24],
] as const)('the model stream is cut on its way to the tap (U18–U22, U43): %s', (framing, step) => {
  const size = bytesOf(framing).length;
  const firstText = arrivedAt(framing, 'The weather');

  test('a stream without a cut is whole', async () => {
    const bench = await open(framing, false);
    const { body } = await ask(bench, { ...request, input: `cut:whole-${String(size)}`, stream: true });
    expect([body.status, messagesOf(body), callsOf(body)]).toEqual([
      'completed',
      [referenceText],
      [`get_weather ${JSON.stringify(referenceArguments)}`],
    ]);
    expect(judge({ status: 200, headers: new Headers(), events: [], faults: [], body }, framing, size)).toEqual([]);
    expect(judge({ status: 200, headers: new Headers(), events: [], faults: [], body }, framing, 100)).toHaveLength(2);
  });

  test.each([false, true])(
    'never completed, never a call that did not arrive; the agent asks again: %s',
    async (retriesCut) => {
      const bench = await open(framing, retriesCut);
      const coarse = step * (retriesCut ? 6 : 3);
      const cuts = [
        ...cutsOf('fin', size, retriesCut ? coarse : step),
        ...cutsOf('chunked-fin', size, coarse),
        ...cutsOf('rst', size, coarse),
        ...cutsOf('rst', size, 2 * coarse, false),
      ];
      const bad: string[] = [];
      await runSideBySide(
        cuts,
        async ([end, at, stream]) => {
          const input = `cut:${end}-${String(at)} ${String(stream)}`;
          const found = judge(await ask(bench, { ...request, input, stream }), framing, at);
          bad.push(...found.map((word) => `${input}: ${word}`));
        },
        32,
      );
      console.log(`model stream cut through the tap (${framing}): ${String(bad.length)} bad / ${String(cuts.length)} tried`);
      expect(bad).toEqual([]);
      const main = bench.upstream.requests.filter(({ head }) => head.includes(':streamGenerateContent'));
      // Whatever the agent does about a cut: where something of it was shown, the model is not asked a second time (U41).
      const shown = main.map(({ body }) => /cut:[a-z-]+?-(\d+) /.exec(body)).filter((found) => Number(found?.[1]) >= firstText);
      expect(shown.length).toBe(cuts.filter(([, at]) => at >= firstText).length);
    },
    180_000,
  );

  test('a stall ends with the time of the request: what came is kept, nothing is completed', async () => {
    const bench = await open(framing, false);
    const text = arrivedAt(framing, 'worth a look');
    const places = [0, 20, Math.floor(text / 2), text, text + 40, arrivedAt(framing, 'functionCall') - 1];
    const bad = await Promise.all(
      places.flatMap((at) =>
        [true, false].map(async (stream) => {
          const { status, body } = await ask(bench, { ...request, input: `cut:stall-${String(at)}`, timeout: 1.5, stream });
          const isEnded = status === 200 ? ['incomplete', 'failed'].includes(body.status) : status === 504;
          const calls =
            status === 200
              ? body.output.filter(({ type, status: state }) => type === 'function_call' && state === 'completed')
              : [];
          return isEnded && calls.length === 0 ? [] : [`${String(at)}: ${String(status)} ${body.status}`];
        }),
      ),
    );
    console.log(`model stream that stalls (${framing}): ${String(bad.flat().length)} bad / ${String(bad.length)} tried`);
    expect(bad.flat()).toEqual([]);
  });
});
