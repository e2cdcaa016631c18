import type { JsonObject } from '../lib/json.ts';
import type { Dialect } from './dialect.ts';

/** A request as the client wrote it, for a backend that speaks the client's dialect and may send it on as it is. */
export interface NativeRequest {
  readonly dialect: Dialect;
  /** The JSON body, decompressed, byte for byte. */
  readonly body: Uint8Array;
  /** The same, parsed. Nobody changes it. */
  readonly fields: JsonObject;
  /** Those of the client's headers that belong to the dialect; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What of the client's query belongs to the dialect: `beta=true`; may be empty. */
  readonly query: string;
}
