import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import { commentFrame, doneFrame, encodeSse } from '../deliver/encode-sse.ts';
import { endsStream } from '../deliver/ends-stream.ts';
import { parseCreateResponse } from '../parse-request/parse-create-response.ts';
import type { FrontDoor, StreamWriter } from './front-door.ts';

/** `POST /v1/responses`: the hub's own words, so nothing is translated. */
export const responsesDoor: FrontDoor<null> = {
  dialect: 'responses',
  readRequest: (body) => ({ ...parseCreateResponse(body), names: { inputs: [], fields: new Map() }, facts: null }),
  toNative: (request) => (isAlone(request) ? { headers: {}, query: '' } : null),
  openStream: () => responsesWriter,
  toBody: (response) => response,
};

/** A request that names nothing we have stored. */
function isAlone({ previous_response_id: previous, conversation, input }: CreateResponseRequest): boolean {
  return previous === null && conversation === null && !input.some(({ type }) => type === 'item_reference');
}

const responsesWriter: StreamWriter = {
  contentType: 'text/event-stream; charset=utf-8',
  write: (events) => encodeSse(events) + (endsStream(events) ? doneFrame : ''),
  idleFrame: commentFrame,
  passedEnd: doneFrame,
  fail: (event) => encodeSse([event]) + doneFrame,
};
