import { countInputTokens } from '../../engine/prepare-response.ts';
import { settleLosses } from '../../engine/settle-losses.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { readJsonBody } from '../guards/read-json-body.ts';
import { lossHeader } from '../losses-header.ts';
import { parseInputTokens } from '../parse-request/parse-create-response.ts';

/** `POST /v1/responses/input_tokens`: what the input of such a request would count. */
export async function countTokens(exchange: Exchange): Promise<void> {
  const parsed = parseInputTokens(await readJsonBody(exchange.request, exchange.options.maxBodyBytes));
  const { context, gone: signal } = exchange;
  const counted = await countInputTokens(parsed.request, { context, signal }, exchange.options.engine);
  const losses = [...parsed.losses, ...counted.losses];
  settleLosses(losses, context);
  sendJson(exchange, { object: 'response.input_tokens', input_tokens: counted.inputTokens }, lossHeader(losses));
}
