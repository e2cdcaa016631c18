import { GatewayError } from '../../model/errors.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import { fromGeminiRequest, toModelName } from '../../translate/gemini/from-gemini-request.ts';
import { toGeminiAnswer } from '../../translate/gemini/to-gemini-answer.ts';
import { createGeminiChunks } from '../../translate/gemini/to-gemini-chunks.ts';
import type { GeminiAnswerFacts } from '../../translate/gemini/to-gemini-chunks-writer.ts';
import { endsStream } from '../deliver/ends-stream.ts';
import type { Exchange } from '../exchange.ts';
import { countGeminiTokens } from '../routes/count-gemini-tokens.ts';
import type { FrontDoor, LateFacts, StreamWriter } from './front-door.ts';
import { serveFrontDoor } from './serve-front-door.ts';

/** How a stream is framed: server-sent events (`alt=sse`), or one JSON array that grows. */
type Framing = 'sse' | 'array';

interface GeminiFacts extends GeminiAnswerFacts {
  readonly framing: Framing;
}

/** `POST /v1beta/models/{model}:{verb}`, the same under `/v1/models/`: names of models hold slashes and colons, so the verb stands behind the last colon. */
export async function serveGeminiModel(exchange: Exchange): Promise<void> {
  const rest = exchange.params['*'] ?? '';
  const colon = rest.lastIndexOf(':');
  const model = toModelName(rest.slice(0, Math.max(colon, 0)));
  const verb = rest.slice(colon + 1);
  if (model === '') throw unknownVerb(rest);
  switch (verb) {
    case 'generateContent':
      return serveFrontDoor(toDoor({ model, stream: false }), exchange);
    case 'streamGenerateContent':
      return serveFrontDoor(toDoor({ model, stream: true }), exchange);
    case 'countTokens':
      return countGeminiTokens(model, exchange);
    default:
      throw unknownVerb(verb);
  }
}

/** `POST /v1/gemini`: the model stands in the body, and `stream` beside it. */
export async function serveGeminiBody(exchange: Exchange): Promise<void> {
  const asksForStream = exchange.query.get('alt') === 'sse';
  return serveFrontDoor(toDoor({ model: null, stream: asksForStream ? true : null }), exchange);
}

function toDoor(call: { readonly model: string | null; readonly stream: boolean | null }): FrontDoor<GeminiFacts> {
  /** With the model in the body, a stream is one of events unless the client wants JSON. */
  function framingOf(query: URLSearchParams): Framing {
    const alt = query.get('alt');
    const isArray = call.model === null ? alt === 'json' : alt !== 'sse';
    return isArray ? 'array' : 'sse';
  }

  return {
    dialect: 'gemini',
    readRequest(body, { query }) {
      const read = fromGeminiRequest(body, call);
      return { ...read, facts: { ...read.facts, framing: framingOf(query) } };
    },
    toNative: (_request, { query }) => ({ headers: {}, query: framingOf(query) === 'sse' ? 'alt=sse' : '' }),
    openStream: (facts, late) => new GeminiWriter(facts, late),
    toBody: (response, facts) => toGeminiAnswer(response, facts),
  };
}

function unknownVerb(verb: string): GatewayError {
  const message = `Unknown method '${verb.slice(0, 64)}'. A model has generateContent, streamGenerateContent and countTokens: POST /v1beta/models/{model}:generateContent.`;
  return new GatewayError('not_found', message);
}

/** Nothing but data: Google's own clients break on a comment and on `[DONE]` (clients.md §4, §9). */
class GeminiWriter implements StreamWriter {
  readonly contentType: string;
  readonly idleFrame = null;
  readonly passedEnd = '';
  readonly #isArray: boolean;
  readonly #chunks: ReturnType<typeof createGeminiChunks>;
  #hasBegun = false;

  constructor(facts: GeminiFacts, late: LateFacts) {
    this.#isArray = facts.framing === 'array';
    this.contentType = this.#isArray ? 'application/json; charset=UTF-8' : 'text/event-stream';
    this.#chunks = createGeminiChunks(facts, late);
  }

  fail(event: ResponseEvent, isEmpty: boolean): string {
    this.#hasBegun = !isEmpty;
    return this.write([event]);
  }

  write(events: readonly ResponseEvent[]): string {
    let frames = '';
    for (const chunk of this.#chunks.push(events)) {
      const json = JSON.stringify(chunk);
      frames += this.#isArray ? `${this.#hasBegun ? '\n,\n' : '['}${json}` : `data: ${json}\r\n\r\n`;
      this.#hasBegun = true;
    }
    return this.#isArray && endsStream(events) ? `${frames}\n]` : frames;
  }
}
