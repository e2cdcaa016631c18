import type { InputItem, ModelRequest } from '../../model/model-request.ts';
import { describeContent } from './read-conversation.ts';

/** Everything the model reads, as one text: what input tokens are counted of. Images and files count as the line that describes them. */
export function describeInput(request: ModelRequest): string {
  const format = request.format.type === 'json-schema' ? [JSON.stringify(request.format.schema)] : [];
  const tools = request.tools.map(({ name, description, parameters }) => JSON.stringify({ name, description, parameters }));
  return [
    ...(request.instructions === null ? [] : [request.instructions]),
    ...tools,
    ...format,
    ...request.input.map(describeItem),
  ].join('\n');
}

function describeItem(item: InputItem): string {
  switch (item.type) {
    case 'message':
      return `${item.role}: ${describeContent(item.content)}`;
    case 'reasoning':
      return item.text;
    case 'call':
      return `${item.name}(${item.arguments})`;
    case 'call-output':
      return `${item.name}: ${describeContent(item.content)}`;
  }
}
