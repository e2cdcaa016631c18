import { countInputTokens } from '../../engine/prepare-response.ts';
import { settleLosses } from '../../engine/settle-losses.ts';
import { fromAnthropicCount } from '../../translate/anthropic/from-anthropic-request.ts';
import { toClientPath } from '../../translate/front-request.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { anthropicDoor } from '../front-doors/anthropic-door.ts';
import { inClientWords } from '../front-doors/serve-front-door.ts';
import { toNativeRequest } from '../front-doors/to-native-request.ts';
import { readJsonSource } from '../guards/read-json-body.ts';
import { lossHeader } from '../losses-header.ts';

/** `POST /v1/messages/count_tokens`: what the input of such a message would count. */
export async function countMessageTokens(exchange: Exchange): Promise<void> {
  const { context, gone: signal, options } = exchange;
  const source = await readJsonSource(exchange.request, options.maxBodyBytes);
  const { request, losses, names } = fromAnthropicCount(source.value);
  const native = toNativeRequest(source, request, { door: anthropicDoor, exchange });
  try {
    const counted = await countInputTokens(request, { context, signal, native }, options.engine);
    const all = [...losses, ...counted.losses];
    settleLosses(all, context);
    const shown = all.map((loss) => ({ ...loss, path: toClientPath(loss.path, names) }));
    sendJson(exchange, { input_tokens: counted.inputTokens }, lossHeader(shown));
  } catch (thrown) {
    throw inClientWords(thrown, names);
  }
}
