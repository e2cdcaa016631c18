import { commentFrame, doneFrame, encodeSse } from '../deliver/encode-sse.ts';
import { endsStream } from '../deliver/ends-stream.ts';
import { parseCreateResponse } from '../parse-request/parse-create-response.ts';
import type { FrontDoor, StreamWriter } from './front-door.ts';

/** `POST /v1/responses`: the hub's own words, so nothing is translated. */
export const responsesDoor: FrontDoor<null> = {
  dialect: 'responses',
  readRequest: (body) => ({ ...parseCreateResponse(body), names: { inputs: [], fields: new Map() }, facts: null }),
  // The grammar of this dialect has to be kept by us: its answers are written anew.
  toNative: () => null,
  openStream: () => responsesWriter,
  toBody: (response) => response,
};

const responsesWriter: StreamWriter = {
  contentType: 'text/event-stream; charset=utf-8',
  write: (events) => encodeSse(events) + (endsStream(events) ? doneFrame : ''),
  idleFrame: commentFrame,
  fail: (event) => encodeSse([event]) + doneFrame,
};
