import type { Dialect } from '../../model/dialect.ts';
import type { GatewayError } from '../../model/errors.ts';
import type { NativeRequest } from '../../model/native-request.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';
import type { FrontRequest } from '../../translate/front-request.ts';
import type { Exchange } from '../exchange.ts';

/** One dialect at our front: how its requests are read and its answers are written. Everything in between is the same for all (`serve-front-door`). */
export interface FrontDoor<Facts> {
  readonly dialect: Dialect;
  /** Parsed JSON body, and what the URL says, in the hub's words. Throws GatewayError with the client's own `param`. */
  readRequest(body: unknown, exchange: Pick<Exchange, 'params' | 'query' | 'request'>): FrontRequest<Facts>;
  /** What of the URL and the headers a server of this dialect should get too, when the body may go there as it is; null: it may not. */
  toNative(request: CreateResponseRequest, exchange: Pick<Exchange, 'query' | 'request'>): NativeEnvelope | null;
  openStream(facts: Facts, late: LateFacts): StreamWriter;
  /** The body of an unstreamed answer, which did not fail. */
  toBody(response: ResponseResource, facts: Facts, late: LateFacts): unknown;
}

type NativeEnvelope = Pick<NativeRequest, 'headers' | 'query'>;

/** What the terminal event does not say. To be read when it is there. */
export interface LateFacts {
  /** Which of the request's `stop` ended the answer; null: none did. */
  readonly stopSequence: string | null;
  /** Why the response failed; null when it did not. */
  readonly failure: GatewayError | null;
}

/** How a dialect writes a stream, batch by batch. One of them serves one stream. */
export interface StreamWriter {
  readonly contentType: string;
  /** A batch as whole frames, for one write; empty when the dialect has no words for it. With the batch that ends in the terminal event comes whatever ends the stream. */
  write(events: readonly ResponseEvent[]): string;
  /** What keeps a silent stream awake and is no event for anybody; null: this dialect's clients bear nothing of the kind. */
  readonly idleFrame: string | null;
  /** What stands behind a server's own bytes when they show how the answer ended. */
  readonly passedEnd: string;
  /** The frames that end a stream which consists of a model server's own bytes so far (`isEmpty`: of none), and which failed. */
  fail(event: ResponseEvent, isEmpty: boolean): string;
}
