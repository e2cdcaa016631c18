import { countInputTokens } from '../../engine/prepare-response.ts';
import { settleLosses } from '../../engine/settle-losses.ts';
import { toClientPath } from '../../translate/front-request.ts';
import { fromGeminiCount } from '../../translate/gemini/from-gemini-request.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { inClientWords } from '../front-doors/serve-front-door.ts';
import { toNativeRequest } from '../front-doors/to-native-request.ts';
import { readJsonSource } from '../guards/read-json-body.ts';
import { lossHeader } from '../losses-header.ts';

/** Nothing of the headers or the query belongs to the dialect. */
const door = { dialect: 'gemini', toNative: () => ({ headers: {}, query: '' }) } as const;

/** `POST /v1beta/models/{model}:countTokens`: what the input of such a request would count. */
export async function countGeminiTokens(model: string, exchange: Exchange): Promise<void> {
  const { context, gone: signal, options } = exchange;
  const source = await readJsonSource(exchange.request, options.maxBodyBytes);
  const { request, losses, names } = fromGeminiCount(source.value, model);
  const native = toNativeRequest(source, request, { door, exchange });
  try {
    const counted = await countInputTokens(request, { context, signal, native }, options.engine);
    const all = [...losses, ...counted.losses];
    settleLosses(all, context);
    const shown = all.map((loss) => ({ ...loss, path: toClientPath(loss.path, names) }));
    sendJson(exchange, { totalTokens: counted.inputTokens }, lossHeader(shown));
  } catch (thrown) {
    throw inClientWords(thrown, names);
  }
}
