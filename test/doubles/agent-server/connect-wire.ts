import type { JsonObject } from '../../../src/lib/json.ts';

/** Connect code → HTTP status (backends.md A.1). */
const statuses: Readonly<Record<string, number>> = {
  canceled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
};

/** What an RPC fails with. Real servers answer most business errors with `unknown` and a text. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status?: number) {
    super(message);
    this.code = code;
    this.status = status ?? statuses[code] ?? 500;
  }

  toJson(): JsonObject {
    return { code: this.code, message: this.message, details: [] };
  }
}

const headLength = 5;
const endFlag = 2;
const compressedFlag = 1;

/** Flags, length, payload. The last frame has the end flag. */
export function encodeEnvelope(message: JsonObject, isEnd = false): Buffer {
  const payload = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(headLength);
  head.writeUInt8(isEnd ? endFlag : 0, 0);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** The one message a streaming request must be. Bare JSON is read as a header, as the real server does, with the resulting complaint. */
export function decodeRequestEnvelope(body: Buffer): string {
  if (body.length < headLength) throw new RpcError('invalid_argument', 'protocol error: incomplete envelope: unexpected EOF');
  const promised = body.readUInt32BE(1);
  const got = body.length - headLength;
  if (promised !== got)
    throw new RpcError('invalid_argument', `protocol error: promised ${promised} bytes in enveloped message, got ${got} bytes`);
  if (((body[0] ?? 0) & compressedFlag) !== 0)
    throw new RpcError('internal', 'protocol error: sent compressed message without compression support');
  return body.subarray(headLength).toString();
}
