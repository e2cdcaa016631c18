import type { ServerResponse } from 'node:http';
import { backendSuite, type OpenBackend } from '../../../test/backend-suite.ts';
import { toOpenBackend } from '../../../test/to-open-backend.ts';
import { counterId } from '../../../test/counter-id.ts';
import { answerWith, dataLine, openChatUpstream, type ChatAnswer } from '../../../test/doubles/chat-upstream.ts';
import { createGeminiBackend } from './gemini-backend.ts';

const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 4, totalTokenCount: 13 };

function chunk(part: object | null, finishReason?: string): object {
  const content = { role: 'model', parts: part === null ? [] : [part] };
  return { candidates: [{ content, ...(finishReason !== undefined && { finishReason }) }], usageMetadata };
}

/** Repeats the last text of the request. */
function speak(body: unknown): string {
  const { contents } = body as { contents: { parts: { text: string }[] }[] };
  return `You said: ${contents.at(-1)?.parts[0]?.text ?? ''}`;
}

const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' }];
const refuse = answerWith(429, { error: { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED', details } });

/** A Gemini server that answers by model name, streamed or not. */
const answer: ChatAnswer = (response, call) => {
  const [, model = '', method = ''] = /^\/v1beta\/models\/([^:]+):(\w+)/.exec(call.path) ?? [];
  if (model === 'refused') refuse(response, call);
  else if (method === 'countTokens') answerWith(200, { totalTokens: 9 })(response, call);
  else if (method === 'generateContent') answerWith(200, chunk({ text: speak(call.body) }, 'STOP'))(response, call);
  else stream(response, model, speak(call.body));
};

function stream(response: ServerResponse, model: string, said: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  const weather = { functionCall: { name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: 'U0lH' };
  const words = [{ text: said.slice(0, 12) }, { text: said.slice(12) }];
  const parts = model === 'stall' ? [] : model === 'call' ? [weather] : words;
  for (const part of parts) response.write(`${dataLine(chunk(part))}\r\n\r\n`);
  if (!model.startsWith('stall')) response.end(`${dataLine(chunk(null, 'STOP'))}\r\n\r\n`);
}

async function open(): Promise<OpenBackend> {
  const upstream = await openChatUpstream(answer);
  const timeouts = { connectMs: 2000, firstByteMs: 5000, idleMs: 5000 };
  const backend = createGeminiBackend({ name: 'gemini', baseUrl: upstream.url, apiKey: null, timeouts, newId: counterId() });
  return toOpenBackend(backend, upstream);
}

backendSuite('gemini', open);
