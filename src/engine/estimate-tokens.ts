import type { ModelRequest } from '../model/model-request.ts';
import type { OutputItem } from '../protocol/responses/items.ts';

/** What a chat template adds around each message, about. */
const tokensPerItem = 4;

type CountText = (text: string) => Promise<number>;

/** Input tokens of a request for a backend that does not count: its texts by the tokenizer, plus a little for each item. Media are not counted. */
export async function estimateInputTokens(request: ModelRequest, countText: CountText): Promise<number> {
  const tools = request.tools.map(({ name, description, parameters }) => JSON.stringify({ name, description, parameters }));
  const format = request.format.type === 'json-schema' ? [JSON.stringify(request.format.schema)] : [];
  const texts = [request.instructions ?? '', ...tools, ...format, ...request.input.flatMap(textsOf)];
  return (await countText(texts.join('\n'))) + tokensPerItem * request.input.length;
}

/** Output tokens of what a model said, for a backend that does not report them. */
export async function estimateOutputTokens(
  output: readonly OutputItem[],
  countText: CountText,
): Promise<{ output: number; reasoning: number }> {
  const thinking = output.flatMap((item) => (item.type === 'reasoning' ? item.summary.map(({ text }) => text) : []));
  const said = output.flatMap((item) => {
    if (item.type === 'message') return item.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text));
    return item.type === 'function_call' ? [item.name, item.arguments] : [];
  });
  const reasoning = await countText(thinking.join('\n'));
  return { output: reasoning + (await countText(said.join('\n'))), reasoning };
}

function textsOf(item: ModelRequest['input'][number]): string[] {
  switch (item.type) {
    case 'message':
    case 'call-output':
      return item.content.flatMap((part) => (part.type === 'text' || part.type === 'refusal' ? [part.text] : []));
    case 'reasoning':
      return [item.text];
    case 'call':
      return [item.name, item.arguments];
  }
}
