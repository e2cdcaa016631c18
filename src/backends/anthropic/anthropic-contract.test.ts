import type { ServerResponse } from 'node:http';
import { backendSuite, type OpenBackend } from '../../../test/backend-suite.ts';
import { toOpenBackend } from '../../../test/to-open-backend.ts';
import { counterId } from '../../../test/counter-id.ts';
import { answerWith, openChatUpstream, type ChatAnswer } from '../../../test/doubles/chat-upstream.ts';
import { eventLine, textMessage, toolMessage } from '../../../test/doubles/anthropic-answers.ts';
import { createAnthropicBackend } from './anthropic-backend.ts';

/** Repeats the last text of the request. */
function speak(body: unknown): string {
  const { messages } = body as { messages: { content: { text: string }[] }[] };
  return `You said: ${messages.at(-1)?.content[0]?.text ?? ''}`;
}

const refuse = answerWith(
  429,
  { type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } },
  { 'retry-after': '2' },
);

/** A Messages server that answers by model name, streamed or not. */
const answer: ChatAnswer = (response, call) => {
  const { model, stream } = call.body as { model: string; stream?: boolean };
  if (model === 'refused') refuse(response, call);
  else if (call.path === '/v1/messages/count_tokens') answerWith(200, { input_tokens: 9 })(response, call);
  else if (stream === true) writeStream(response, model, speak(call.body));
  else answerWith(200, textMessage(speak(call.body)).body)(response, call);
};

function writeStream(response: ServerResponse, model: string, said: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  if (model === 'stall') return;
  const { events } = model === 'call' ? toolMessage('get_weather', '{"city":"Oslo"}') : textMessage(said);
  const shown = model === 'stall-text' ? events.slice(0, -3) : events;
  for (const event of shown) response.write(eventLine(event));
  if (model !== 'stall-text') response.end();
}

async function open(): Promise<OpenBackend> {
  const upstream = await openChatUpstream(answer);
  const timeouts = { connectMs: 2000, firstByteMs: 5000, idleMs: 5000 };
  const backend = createAnthropicBackend({
    name: 'anthropic',
    baseUrl: upstream.url,
    apiKey: null,
    timeouts,
    newId: counterId(),
  });
  return toOpenBackend(backend, upstream);
}

backendSuite('anthropic', open);
