/**
 * Subject (b): the least that a chat → Responses translator written by hand can do and still send every event of a text answer, with every member.
 * No checks, no tools, no store, no errors. What it costs more than the bare proxy is the price of translating at all.
 */
import { randomBytes } from 'node:crypto';
import { Agent, createServer, request as callUpstream, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number } | null;
}

const upstream = new URL(process.argv[2] ?? '');
const agent = new Agent({ keepAlive: true });

function newResponse(model: string): object {
  return {
    id: `resp_${randomBytes(25).toString('hex')}`,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: 'in_progress',
    background: false,
    completed_at: null,
    error: null,
    frequency_penalty: 0,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    max_tool_calls: null,
    model,
    moderation: null,
    output: [],
    parallel_tool_calls: true,
    presence_penalty: 0,
    previous_response_id: null,
    prompt_cache_key: null,
    prompt_cache_retention: null,
    reasoning: { effort: null, summary: null },
    safety_identifier: null,
    service_tier: 'default',
    store: false,
    temperature: 1,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
    usage: null,
    user: null,
    metadata: {},
  };
}

/** Turns upstream text into Responses frames; one call per upstream read. */
function createTranslator(model: string): (read: string) => string {
  const response = newResponse(model);
  const itemId = `msg_${randomBytes(25).toString('hex')}`;
  const place = { item_id: itemId, output_index: 0, content_index: 0 };
  let rest = '';
  let answer = '';
  let sequence = 0;
  let usage: Chunk['usage'];

  function frame(type: string, members: object): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...members })}\n\n`;
  }

  function begin(): string {
    return (
      frame('response.created', { response }) +
      frame('response.in_progress', { response }) +
      frame('response.output_item.added', {
        output_index: 0,
        item: { id: itemId, type: 'message', status: 'in_progress', role: 'assistant', content: [] },
      }) +
      frame('response.content_part.added', { ...place, part: { type: 'output_text', text: '', annotations: [], logprobs: [] } })
    );
  }

  function finish(): string {
    const part = { type: 'output_text', text: answer, annotations: [], logprobs: [] };
    const item = { id: itemId, type: 'message', status: 'completed', role: 'assistant', content: [part] };
    const total = {
      input_tokens: usage?.prompt_tokens ?? 0,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: usage?.completion_tokens ?? 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage?.total_tokens ?? 0,
    };
    const completedAt = Math.floor(Date.now() / 1000);
    return (
      frame('response.output_text.done', { ...place, text: answer, logprobs: [] }) +
      frame('response.content_part.done', { ...place, part }) +
      frame('response.output_item.done', { output_index: 0, item }) +
      frame('response.completed', {
        response: { ...response, status: 'completed', completed_at: completedAt, output: [item], usage: total },
      }) +
      'data: [DONE]\n\n'
    );
  }

  // Nearly all events are deltas: their constant part is built once, and only the text itself is encoded.
  const deltaStart = `event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"${itemId}","output_index":0,"content_index":0,"delta":`;

  function readChunk(chunk: Chunk): string {
    usage = chunk.usage ?? usage;
    const delta = chunk.choices[0]?.delta.content;
    if (!delta) return '';
    answer += delta;
    return `${deltaStart}${JSON.stringify(delta)},"logprobs":[],"sequence_number":${sequence++}}\n\n`;
  }

  return (read) => {
    const upstreamText = rest + read;
    let out = sequence === 0 ? begin() : '';
    let start = 0;
    for (let end = upstreamText.indexOf('\n\n'); end !== -1; end = upstreamText.indexOf('\n\n', start)) {
      const data = upstreamText.slice(start + 'data: '.length, end);
      out += data === '[DONE]' ? finish() : readChunk(JSON.parse(data) as Chunk);
      start = end + 2;
    }
    rest = upstreamText.slice(start);
    return out;
  };
}

async function translate(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { model, input } = JSON.parse(await text(request)) as { model: string; input: string };
  const body = JSON.stringify({
    model,
    messages: [{ role: 'user', content: input }],
    stream: true,
    stream_options: { include_usage: true },
  });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const target = { agent, host: upstream.hostname, port: upstream.port, method: 'POST', path: '/v1/chat/completions', headers };
  const call = callUpstream(target, (answer) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const toFrames = createTranslator(model);
    answer.setEncoding('utf8');
    answer.on('data', (read: string) => response.write(toFrames(read)));
    answer.on('end', () => response.end());
  });
  call.on('error', () => response.destroy());
  response.on('close', () => call.destroy());
  call.end(body);
}

const server = createServer((request, response) => void translate(request, response));
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`floor translator listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
