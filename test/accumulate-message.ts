import { loose, type Loose } from './check-anthropic-stream/loose-event.ts';

/** The message that a client has at the end of a stream of the Messages API: every delta put where it belongs. Undefined when the stream failed or never began. */
export function accumulateMessage(events: readonly Loose[]): Loose | undefined {
  let message: Loose | undefined;
  const blocks: Loose[] = [];
  const json = new Map<number, string>();
  for (const event of events) {
    if (event['type'] === 'error') return undefined;
    if (event['type'] === 'message_start') message = { ...loose(event['message']) };
    if (event['type'] === 'content_block_start') blocks.push({ ...loose(event['content_block']) });
    if (event['type'] === 'content_block_delta') addDelta(Number(event['index']), loose(event['delta']), blocks, json);
    if (event['type'] === 'message_delta') message = { ...message, ...loose(event['delta']), usage: event['usage'] };
  }
  for (const [index, text] of json) Object.assign(loose(blocks[index]), { input: toInput(text) });
  return message === undefined ? undefined : { ...message, content: blocks };
}

function addDelta(index: number, delta: Loose, blocks: Loose[], json: Map<number, string>): void {
  const block = loose(blocks[index]);
  switch (delta['type']) {
    case 'text_delta':
      block['text'] = `${String(block['text'])}${String(delta['text'])}`;
      return;
    case 'thinking_delta':
      block['thinking'] = `${String(block['thinking'])}${String(delta['thinking'])}`;
      return;
    case 'signature_delta':
      block['signature'] = delta['signature'];
      return;
    case 'citations_delta':
      block['citations'] = [...((block['citations'] as unknown[] | null | undefined) ?? []), delta['citation']];
      return;
    case 'input_json_delta':
      json.set(index, (json.get(index) ?? '') + String(delta['partial_json']));
  }
}

/** What was cut off is no JSON object. */
function toInput(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    return Array.isArray(value) ? {} : loose(value);
  } catch {
    return {};
  }
}
