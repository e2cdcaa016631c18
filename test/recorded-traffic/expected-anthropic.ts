import { bodiesOf, count, listOf, loose, words, type Content, type Loose, type Recording } from './loose.ts';

/** What a Messages recording holds. Some files have several answers one after the other: a client reads the first. */
export function expectedAnthropic(recording: Recording): Content {
  const bodies = firstAnswer(bodiesOf(recording));
  const blocks = recording.response.chunks === undefined ? wholeBlocks(bodies[0]) : streamedBlocks(bodies);
  const end = loose(recording.response.chunks === undefined ? bodies[0] : bodies.findLast(isEnd)?.['delta']);
  const reason = words(end['stop_reason']);
  return {
    text: blocks.map(({ type, text }) => (type === 'text' ? text : '')).join(''),
    refusal: reason === 'refusal' ? words(loose(end['stop_details'])['explanation']) : '',
    reasoning: blocks.map(({ type, text }) => (type === 'thinking' ? text : '')).join(''),
    calls: blocks.filter(({ type }) => type === 'tool_use').map(({ name, text }) => ({ name, arguments: parse(text) })),
    usage: usageOf(bodies),
    ending: isBroken(bodies) ? 'failed' : endingOf(reason),
  };
}

interface Block {
  type: string;
  name: string;
  /** Its text, thinking or input as JSON text. */
  text: string;
}

function firstAnswer(bodies: Loose[]): Loose[] {
  const stop = bodies.findIndex(({ type }) => words(type) === 'message_stop');
  return stop === -1 ? bodies : bodies.slice(0, stop + 1);
}

function isEnd({ type }: Loose): boolean {
  return words(type) === 'message_delta';
}

function wholeBlocks(body: Loose | undefined): Block[] {
  return listOf(body?.['content']).map((block) => ({
    type: words(block['type']),
    name: words(block['name']),
    text: block['input'] === undefined ? words(block['text']) + words(block['thinking']) : JSON.stringify(block['input']),
  }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    return text;
  }
}

function streamedBlocks(bodies: readonly Loose[]): Block[] {
  const blocks: Block[] = [];
  for (const body of bodies) {
    const started = loose(body['content_block']);
    if (body['content_block'] !== undefined) {
      // A call may come whole in its first event.
      const input = Object.keys(loose(started['input'])).length > 0 ? JSON.stringify(started['input']) : '';
      const text = words(started['text']) || words(started['thinking']) || input;
      blocks.push({ type: words(started['type']), name: words(started['name']), text });
    }
    const { text, thinking, partial_json: json } = loose(body['delta']);
    const block = blocks.at(-1);
    if (block !== undefined) block.text += words(text) + words(thinking) + words(json);
  }
  return blocks;
}

/** A second message that begins inside the first, or no end. */
function isBroken(bodies: readonly Loose[]): boolean {
  const starts = bodies.filter(({ type }) => words(type) === 'message_start').length;
  const isWhole = bodies.some(({ type }) => ['message_stop', 'message'].includes(words(type)));
  return starts > 1 || !isWhole;
}

function endingOf(reason: string): string {
  const cut: Readonly<Record<string, string>> = {
    max_tokens: 'incomplete max_output_tokens',
    model_context_window_exceeded: 'incomplete max_output_tokens',
    refusal: 'incomplete content_filter',
  };
  return cut[reason] ?? 'completed';
}

function usageOf(bodies: readonly Loose[]): number[] | null {
  const merged: Record<string, unknown> = {};
  for (const body of bodies) Object.assign(merged, loose(body['message'])['usage'] ?? {}, body['usage'] ?? {});
  if (merged['output_tokens'] === undefined) return null;
  const cached = count(merged['cache_creation_input_tokens']) + count(merged['cache_read_input_tokens']);
  const input = count(merged['input_tokens']) + cached;
  const output = count(merged['output_tokens']);
  return [input, output, input + output];
}
