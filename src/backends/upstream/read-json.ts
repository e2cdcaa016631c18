import { parseJson } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { MapError } from './map-http-error.ts';
import { readFailure, readText } from './read-body.ts';
import type { UpstreamClient, UpstreamRequest } from './upstream-client.ts';

/**
 * Sends a call whose answer is one JSON document (lists of models, token counts) and returns it unlooked at. Throws what `mapError` makes of a status that is not 2xx,
 * `upstream_invalid_response` when the body is not JSON, whatever `send` throws, and the signal's reason.
 */
export async function sendForJson(
  client: UpstreamClient,
  request: UpstreamRequest,
  options: { readonly mapError: MapError; readonly signal: AbortSignal },
): Promise<unknown> {
  const answer = await client.send(request, options.signal);
  if (answer.status < 200 || answer.status > 299) throw options.mapError(await readFailure(answer, options.signal));
  const value = parseJson(await readText([], answer.body[Symbol.asyncIterator]()));
  if (value === undefined)
    throw new GatewayError(
      'upstream_invalid_response',
      'The model server answered with something that is not JSON. Check its base_url.',
    );
  return value;
}
