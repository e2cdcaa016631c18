import { isJsonObject } from '../../lib/json.ts';
import { backendSuite, type OpenBackend } from '../../../test/backend-suite.ts';
import { toOpenBackend } from '../../../test/to-open-backend.ts';
import { counterId } from '../../../test/counter-id.ts';
import { answerWith, dataLine, deltaLine, openChatUpstream, type ChatAnswer } from '../../../test/doubles/chat-upstream.ts';
import { createChatBackend } from './chat-backend.ts';

const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
const call = { index: 0, id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } };

/** A chat server that answers by model name, streamed or not. */
const answer: ChatAnswer = (response, { body }) => {
  const { model, stream, messages } = isJsonObject(body) ? body : {};
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  const said = `You said: ${isJsonObject(last) ? String(last['content']) : ''}`;
  if (model === 'refused') {
    answerWith(429, { error: { message: 'slow down', code: 'rate_limit_exceeded' } })(response, { path: '', headers: {}, body });
    return;
  }
  if (stream !== true) {
    answerWith(200, { choices: [{ message: { content: said }, finish_reason: 'stop' }], usage })(response, {
      path: '',
      headers: {},
      body,
    });
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  const deltas =
    model === 'call'
      ? [{ tool_calls: [call] }]
      : model === 'stall'
        ? []
        : [{ content: said.slice(0, 12) }, { content: said.slice(12) }];
  for (const delta of deltas) response.write(`${deltaLine(delta)}\n\n`);
  if (model === 'stall' || model === 'stall-text') return;
  response.end(`${deltaLine({}, 'stop')}\n\n${dataLine({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
};

async function open(): Promise<OpenBackend> {
  const upstream = await openChatUpstream(answer);
  const timeouts = { connectMs: 2000, firstByteMs: 5000, idleMs: 5000 };
  const backend = createChatBackend({ name: 'chat', baseUrl: upstream.url, apiKey: null, timeouts, newId: counterId() });
  return toOpenBackend(backend, upstream);
}

backendSuite('chat', open);
