import { isJsonObject, type JsonObject } from '../../lib/json.ts';

/** A whole answer (`doGenerate`) as the parts that a stream would have had: there is no second reader of answers. */
export function toAiSdkParts(result: unknown): readonly unknown[] {
  if (!isJsonObject(result)) return [];
  const { content, warnings, response, finishReason, usage, providerMetadata } = result;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  return [
    { type: 'stream-start', warnings },
    ...(isJsonObject(response) ? [{ type: 'response-metadata', modelId: response['modelId'] }] : []),
    ...parts.flatMap((part, at) => (isJsonObject(part) ? toStreamed(part, `part-${at}`) : [part])),
    { type: 'finish', finishReason, usage, providerMetadata },
  ];
}

/** Text and thinking have a beginning and an end in a stream; all else is the same. */
function toStreamed(part: JsonObject, id: string): readonly unknown[] {
  const { type, text, providerMetadata } = part;
  if (type !== 'text' && type !== 'reasoning') return [part];
  return [
    { type: `${type}-start`, id },
    { type: `${type}-delta`, id, delta: text },
    { type: `${type}-end`, id, ...(providerMetadata !== undefined && { providerMetadata }) },
  ];
}
