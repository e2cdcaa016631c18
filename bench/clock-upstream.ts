/**
 * A Gemini-format model server whose events say when they were written: `@NANOSECONDS ` of the clock that all processes of a machine share. The prompt says how it speaks: `events:100 pace:5` are a
 * hundred events, five milliseconds from one to the next (0: one write behind the other).
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

const inputTokens = 60;

function chunk(said: string, tokens: number, finishReason?: string): object {
  return {
    candidates: [{ content: { parts: [{ text: said }], role: 'model' }, ...(finishReason && { finishReason }), index: 0 }],
    usageMetadata: { promptTokenCount: inputTokens, candidatesTokenCount: tokens, totalTokenCount: inputTokens + tokens },
    modelVersion: 'clock',
    responseId: 'clock0123456789abcdefgh',
  };
}

async function speak(response: ServerResponse, events: number, pace: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let event = 1; event <= events && !response.destroyed; event++) {
    const finish = event === events ? 'STOP' : undefined;
    const frame = chunk(`@${process.hrtime.bigint()} and a word `, event, finish);
    response.write(`data: ${JSON.stringify(frame)}\r\n\r\n`);
    if (pace > 0 && event < events) await pause(pace);
  }
  response.end();
}

const server = createServer((request, response) => {
  void (async () => {
    const url = request.url ?? '';
    const asked = [...(await text(request)).matchAll(/events:(\d+) pace:(\d+)/g)].at(-1);
    if (url.includes(':streamGenerateContent')) await speak(response, Number(asked?.[1] ?? 1), Number(asked?.[2] ?? 0));
    else {
      const models = [{ name: 'models/gemini-3-pro', supportedGenerationMethods: ['generateContent'] }];
      const body = JSON.stringify(request.method === 'GET' ? { models } : chunk('A title', 2, 'STOP'));
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
    }
  })();
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`clock upstream listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
