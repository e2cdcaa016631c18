import { installAiSdkPackage } from '../../../test/doubles/ai-sdk-package.ts';
import { answerWith, openChatUpstream, type ChatAnswer } from '../../../test/doubles/chat-upstream.ts';
import { backendSuite, type OpenBackend } from '../../../test/backend-suite.ts';
import { toOpenBackend } from '../../../test/to-open-backend.ts';
import { counterId } from '../../../test/counter-id.ts';
import { scratchFolder } from '../../../test/scratch-folder.ts';
import { isJsonObject } from '../../lib/json.ts';
import { createAiSdkBackend } from './ai-sdk-backend.ts';

const folder = scratchFolder();

const finishReason = { unified: 'stop', raw: 'end' };
const usage = { inputTokens: { total: 9, cacheRead: 2 }, outputTokens: { total: 4, reasoning: 1 } };

/** A server that answers by model name, streamed or not. */
const answer: ChatAnswer = (response, call) => {
  const { modelId, prompt } = isJsonObject(call.body) ? call.body : {};
  const said = `You said: ${lastText(prompt)}`;
  if (modelId === 'refused') {
    answerWith(429, { error: { message: 'slow down' } }, { 'retry-after': '3' })(response, call);
    return;
  }
  if (call.path === '/whole') {
    answerWith(200, { content: [{ type: 'text', text: said }], finishReason, usage, warnings: [] })(response, call);
    return;
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  const write = (part: object): void => void response.write(`${JSON.stringify(part)}\n`);
  write({ type: 'stream-start', warnings: [] });
  if (modelId === 'stall') return;
  if (modelId === 'call') write({ type: 'tool-call', toolCallId: 'c1', toolName: 'get_weather', input: '{"city":"Oslo"}' });
  else {
    write({ type: 'text-start', id: '0' });
    for (const delta of [said.slice(0, 12), said.slice(12)]) write({ type: 'text-delta', id: '0', delta });
  }
  if (modelId === 'stall-text') return;
  write({ type: 'finish', finishReason, usage });
  response.end();
};

function lastText(prompt: unknown): string {
  const message: unknown = Array.isArray(prompt) ? prompt.at(-1) : undefined;
  const content = isJsonObject(message) ? message['content'] : undefined;
  const part: unknown = Array.isArray(content) ? content.at(-1) : undefined;
  return isJsonObject(part) ? String(part['text']) : '';
}

async function open(): Promise<OpenBackend> {
  await installAiSdkPackage(folder);
  const upstream = await openChatUpstream(answer);
  const backend = await createAiSdkBackend({
    ...{ name: 'fake', packageName: '@fake/provider', folders: [folder], modelIds: ['text'], newId: counterId() },
    options: { baseURL: upstream.url, apiKey: 'k' },
    timeouts: { firstByteMs: 5000, idleMs: 5000 },
  });
  return toOpenBackend(backend, upstream);
}

backendSuite('ai-sdk', open);
