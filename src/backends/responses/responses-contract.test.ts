import { isJsonObject } from '../../lib/json.ts';
import { backendSuite, type OpenBackend } from '../../../test/backend-suite.ts';
import { toOpenBackend } from '../../../test/to-open-backend.ts';
import { counterId } from '../../../test/counter-id.ts';
import { answerWith, openChatUpstream, type ChatAnswer } from '../../../test/doubles/chat-upstream.ts';
import { eventFrames, textEvents, callEvents, wholeResponse } from '../../../test/doubles/responses-events.ts';
import { createResponsesBackend } from './responses-backend.ts';

/** A Responses server that answers by model name, streamed or not. */
const answer: ChatAnswer = (response, call) => {
  const { model, stream, input } = isJsonObject(call.body) ? call.body : {};
  if (call.path.endsWith('/input_tokens')) {
    answerWith(200, { object: 'response.input_tokens', input_tokens: 7 })(response, call);
    return;
  }
  const last: unknown = Array.isArray(input) ? input.at(-1) : undefined;
  const said = `You said: ${isJsonObject(last) ? String(last['content']) : ''}`;
  if (model === 'refused') {
    answerWith(429, { error: { message: 'slow down', code: 'rate_limit_exceeded' } })(response, call);
    return;
  }
  const events =
    model === 'call' ? callEvents('get_weather', '{"city":"Oslo"}') : textEvents([said.slice(0, 12), said.slice(12)]);
  if (stream !== true) {
    answerWith(200, wholeResponse(events))(response, call);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  if (model === 'stall') return;
  if (model === 'stall-text') response.write(eventFrames(events.slice(0, 5)));
  else response.end(eventFrames(events));
};

async function open(): Promise<OpenBackend> {
  const upstream = await openChatUpstream(answer);
  const timeouts = { connectMs: 2000, firstByteMs: 5000, idleMs: 5000 };
  const backend = createResponsesBackend({
    name: 'responses',
    baseUrl: upstream.url,
    apiKey: null,
    timeouts,
    newId: counterId(),
  });
  return toOpenBackend(backend, upstream);
}

backendSuite('responses', open);
