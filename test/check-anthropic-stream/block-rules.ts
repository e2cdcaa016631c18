import { loose, type Loose } from './loose-event.ts';

/** The block that is open. */
export interface Block {
  readonly index: number;
  readonly type: string;
  json: string;
  isSigned: boolean;
}

/** What is wrong with a block as it starts: clients put it together in these members, so they must be there, and empty. */
export function blockFaults(block: Loose): string[] {
  switch (block['type']) {
    case 'text':
      return block['text'] === '' ? [] : ['text is not ""'];
    case 'thinking':
      return block['thinking'] === '' && (block['signature'] ?? '') === '' ? [] : ['thinking and signature are not ""'];
    case 'redacted_thinking':
      return typeof block['data'] === 'string' && block['data'] !== '' ? [] : ['no data'];
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return callFaults(block);
    default:
      return String(block['type']).endsWith('_result') && typeof block['tool_use_id'] === 'string' ? [] : ['no such block'];
  }
}

function callFaults({ id, name, input }: Loose): string[] {
  const faults: string[] = [];
  if (typeof id !== 'string' || id === '') faults.push('no id');
  if (typeof name !== 'string' || name === '') faults.push('no name');
  if (Object.keys(loose(input)).length > 0 || typeof input !== 'object') faults.push('input is not {}');
  return faults;
}

const homes: Readonly<Record<string, readonly string[]>> = {
  text_delta: ['text'],
  citations_delta: ['text'],
  thinking_delta: ['thinking'],
  signature_delta: ['thinking'],
  input_json_delta: ['tool_use', 'server_tool_use', 'mcp_tool_use'],
};

const members: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'signature',
  input_json_delta: 'partial_json',
};

/** What is wrong with a delta of that block. Remembers what the end of the block needs. */
export function deltaFaults(block: Block, delta: Loose): string[] {
  const type = String(delta['type']);
  const faults: string[] = [];
  if (homes[type]?.includes(block.type) !== true) faults.push(`${type} in a block of type ${block.type}`);
  const member = members[type];
  if (member !== undefined && typeof delta[member] !== 'string') faults.push(`${type} without ${member}`);
  if (block.isSigned) faults.push('comes after the signature');
  if (type === 'signature_delta') block.isSigned = true;
  if (type === 'input_json_delta') block.json += String(delta['partial_json']);
  if (type === 'citations_delta') faults.push(...citationFaults(loose(delta['citation'])));
  return faults;
}

function citationFaults({ type, cited_text, url }: Loose): string[] {
  const isWhole = typeof type === 'string' && typeof cited_text === 'string';
  const needsUrl = type === 'web_search_result_location';
  return isWhole && (!needsUrl || typeof url === 'string') ? [] : ['a citation without its members'];
}
