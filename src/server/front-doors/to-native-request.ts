import { isSealed } from '../../engine/reasoning-envelope.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { NativeRequest } from '../../model/native-request.ts';
import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import type { Exchange } from '../exchange.ts';
import type { JsonSource } from '../guards/read-json-body.ts';
import type { FrontDoor } from './front-door.ts';

/**
 * The request as a model server of the client's dialect may get it; null when something of ours is in it (state that we sealed, our `timeout`, a place in a stored
 * conversation), or the client does not want it (`antiphon-pass-through: off`).
 */
export function toNativeRequest<Facts>(
  { value, bytes }: JsonSource,
  request: CreateResponseRequest,
  { door, exchange }: { readonly door: Pick<FrontDoor<Facts>, 'dialect' | 'toNative'>; readonly exchange: Exchange },
): NativeRequest | null {
  if (exchange.request.headers['antiphon-pass-through'] === 'off') return null;
  if (!isJsonObject(value) || request.store || request.timeout !== null || hasSealedState(request)) return null;
  const envelope = door.toNative(request, exchange);
  return envelope === null ? null : { dialect: door.dialect, body: bytes, fields: value, ...envelope };
}

function hasSealedState({ input }: CreateResponseRequest): boolean {
  return input.some((item) => item.type === 'reasoning' && isSealed(item.encrypted_content ?? ''));
}
