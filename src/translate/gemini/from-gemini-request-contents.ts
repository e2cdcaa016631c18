import type { Loss } from '../../model/loss.ts';
import type { InputItemParam, InputMessage, InputPart, InputReasoning } from '../../protocol/responses/items.ts';
import type { InputName } from '../front-request.ts';
import { parseChoice, parseObject, parseString } from '../parse/parse-value.ts';
import { invalid, missingParameter } from '../parse/request-error.ts';
import { CallPairs } from './from-gemini-request-calls.ts';
import { readFileData, readInlineData } from './from-gemini-request-media.ts';
import { readList, readMembers, type Member, type Members } from './from-gemini-request-members.ts';
import { decodeThoughtSignature } from './thought-signature.ts';

/** History in the hub's words; `names[i]` says where `items[i]` stands in the client's body. */
export interface ReadContents {
  readonly items: readonly InputItemParam[];
  readonly names: readonly InputName[];
  readonly losses: readonly Loss[];
}

export interface ContentsOptions {
  /** A history that is only counted may end with calls that nobody has answered yet. */
  readonly isCounted: boolean;
}

/** `contents` → items. Throws GatewayError with the client's own path. */
export function readContents(source: Member, { isCounted }: ContentsOptions): ReadContents {
  const reader = new ContentsReader();
  for (const content of readList(source)) reader.read(content);
  return reader.finish(isCounted);
}

type PartKind = 'functionResponse' | 'functionCall' | 'text' | 'inlineData' | 'fileData' | 'code' | 'signature' | 'other';

/** An assistant message that still grows: a client that kept a stream sends one content for each of its chunks. */
interface OpenMessage {
  readonly content: InputPart[];
  readonly parts: string[];
}

class ContentsReader {
  readonly #items: InputItemParam[] = [];
  readonly #names: InputName[] = [];
  readonly #losses: Loss[] = [];
  readonly #calls = new CallPairs();
  #message: OpenMessage | null = null;
  /** The last item, as long as it is reasoning without its seal. */
  #reasoning: InputReasoning | null = null;
  /** Of this turn: a call repeats the signature of the text before it. */
  #signatures = new Set<string>();

  read(source: Member): void {
    if (typeof source.value === 'string') {
      this.#readUser([{ kind: 'text', part: toTextPart(source) }], source.path);
      return;
    }
    const content = readMembers(source);
    const role = content.get('role');
    const isModel = role.value !== undefined && parseChoice(role.value, role.path, ['user', 'model', 'function']) === 'model';
    const parts = content.has('parts') ? readList(content.get('parts')).map(toPart) : [];
    if (!isModel) this.#readUser(parts, source.path);
    else for (const { kind, part } of parts) this.#readModelPart(kind, part, source.path);
  }

  finish(isCounted: boolean): ReadContents {
    const [open] = this.#calls.unanswered;
    if (open !== undefined && !isCounted) {
      const message = `Invalid '${open.path}': no function response answers this call of '${open.name}'.`;
      throw invalid('invalid_request_error', open.path, message);
    }
    for (const { callId, path } of this.#calls.unanswered)
      this.#add({ type: 'function_call_output', call_id: callId, output: '' }, { item: path });
    return { items: this.#items, names: this.#names, losses: this.#losses };
  }

  /** Function responses first: nothing may stand between a call and its output. */
  #readUser(parts: readonly KnownPart[], path: string): void {
    this.#endTurn();
    for (const { kind, part } of parts) if (kind === 'functionResponse') this.#readResponse(part);
    const content: InputPart[] = [];
    const places: string[] = [];
    for (const { kind, part } of parts) {
      if (kind === 'functionResponse') continue;
      if (kind === 'functionCall') this.#readCall(part);
      const read = this.#toContent(kind, part);
      if (read === null) continue;
      content.push(read.type === 'output_text' ? { type: 'input_text', text: read.text } : read);
      places.push(part.path);
    }
    if (content.length > 0) this.#add({ type: 'message', role: 'user', content }, { item: path, parts: places });
    this.#endTurn();
  }

  #readModelPart(kind: PartKind, part: Members, contentPath: string): void {
    if (kind === 'functionResponse') {
      this.#endTurn();
      this.#readResponse(part);
      return;
    }
    const isThought = part.get('thought').value === true;
    if (isThought) this.#readThought(part);
    this.#readSignature(part);
    if (isThought) return;
    if (kind === 'functionCall') {
      this.#readCall(part);
      return;
    }
    const read = this.#toContent(kind, part);
    if (read !== null) this.#grow(read, part.path, contentPath);
  }

  #grow(read: InputPart, path: string, contentPath: string): void {
    this.#reasoning = null;
    if (this.#message === null) {
      this.#message = { content: [], parts: [] };
      const { content, parts } = this.#message;
      this.#add({ type: 'message', role: 'assistant', content } satisfies InputMessage, { item: contentPath, parts });
    }
    const { content, parts } = this.#message;
    const last = content.at(-1);
    // Pieces of one text, as a stream brought them.
    if (read.type === 'output_text' && last?.type === 'output_text') {
      last.text += read.text;
      return;
    }
    content.push(read);
    parts.push(path);
  }

  #readThought(part: Members): void {
    const { value, path } = part.get('text');
    const text = value === undefined ? '' : parseString(value, path);
    if (text === '') return;
    const summary = this.#reasoning?.summary[0];
    if (summary !== undefined) summary.text += text;
    else {
      this.#message = null;
      this.#reasoning = { type: 'reasoning', summary: [{ type: 'summary_text', text }] };
      this.#add(this.#reasoning, toReasoningName(part));
    }
  }

  /** What was thought before this part. It belongs to the thought right before it, or is an item of its own. */
  #readSignature(part: Members): void {
    const { value, path } = part.get('thoughtSignature');
    const sealed = value === undefined ? null : decodeThoughtSignature(parseString(value, path));
    if (sealed === null || sealed === '' || this.#signatures.has(sealed)) return;
    this.#signatures.add(sealed);
    this.#message = null;
    if (this.#reasoning === null) this.#add({ type: 'reasoning', summary: [], encrypted_content: sealed }, toReasoningName(part));
    else {
      this.#reasoning.encrypted_content = sealed;
      this.#names[this.#names.length - 1] = toReasoningName(part);
    }
    this.#reasoning = null;
  }

  #readCall(part: Members): void {
    this.#message = null;
    this.#reasoning = null;
    const call = readMembers(part.get('functionCall'));
    const { callId, name } = this.#calls.add(call);
    const args = call.get('args');
    const json = args.value === undefined ? '{}' : JSON.stringify(parseObject(args.value, args.path));
    this.#add(
      { type: 'function_call', call_id: callId, name, arguments: json },
      { item: call.path, members: { arguments: 'args', call_id: 'id' } },
    );
  }

  /** `response` as JSON text, then the media in `parts`. With `error` in it, the tool has failed (Google's convention). */
  #readResponse(part: Members): void {
    const answer = readMembers(part.get('functionResponse'));
    const callId = this.#calls.take(answer);
    const { value, path } = answer.get('response');
    const response = value === undefined ? {} : parseObject(value, path);
    const media = answer.has('parts') ? readList(answer.get('parts')).map((member) => readMedia(readMembers(member))) : [];
    const isBare = media.length > 0 && Object.keys(response).length === 0;
    const output: InputPart[] = isBare ? [] : [{ type: 'input_text', text: JSON.stringify(response) }];
    const places = isBare ? [] : [path];
    for (const [at, one] of media.entries()) {
      output.push(one);
      places.push(`${answer.get('parts').path}[${String(at)}]`);
    }
    const isError = Boolean(response['error']);
    this.#add(
      { type: 'function_call_output', call_id: callId, output, ...(isError && { is_error: true }) },
      { item: answer.path, parts: places, members: { call_id: 'id' } },
    );
  }

  /** Null for what says nothing, and for what no other model could be shown. Text is `output_text`. */
  #toContent(kind: PartKind, part: Members): InputPart | null {
    switch (kind) {
      case 'text': {
        const text = parseString(part.get('text').value, part.get('text').path);
        return text === '' ? null : { type: 'output_text', text };
      }
      case 'inlineData':
      case 'fileData':
        return readMedia(part);
      case 'code':
        return this.#toCode(part);
      case 'other':
        this.#losses.push({ path: part.path, action: 'dropped', reason: 'parts of this kind cannot be shown to a model here' });
        return null;
      default:
        return null;
    }
  }

  /** Code that Google ran, and what came of it: the model sees it as text. */
  #toCode(part: Members): InputPart {
    const isCode = part.has('executableCode');
    const code = readMembers(part.get(isCode ? 'executableCode' : 'codeExecutionResult'));
    const { value, path } = code.get(isCode ? 'code' : 'output');
    this.#losses.push({ path: part.path, action: 'emulated', reason: 'code and its results are shown to the model as text' });
    const fence = isCode ? '\n```python\n' : '\n```\n';
    return { type: 'output_text', text: `${fence}${value === undefined ? '' : parseString(value, path)}\n\`\`\`\n` };
  }

  #add(item: InputItemParam, name: InputName): void {
    this.#items.push(item);
    this.#names.push(name);
  }

  #endTurn(): void {
    this.#message = null;
    this.#reasoning = null;
    this.#signatures = new Set();
  }
}

interface KnownPart {
  readonly kind: PartKind;
  readonly part: Members;
}

const kinds: readonly (readonly [member: string, kind: PartKind])[] = [
  ['functionCall', 'functionCall'],
  ['functionResponse', 'functionResponse'],
  ['inlineData', 'inlineData'],
  ['fileData', 'fileData'],
  ['executableCode', 'code'],
  ['codeExecutionResult', 'code'],
  ['text', 'text'],
];

/** Throws `missing_required_parameter` for a part without any content, as Google does. */
function toPart(source: Member): KnownPart {
  if (typeof source.value === 'string') return { kind: 'text', part: toTextPart(source) };
  const part = readMembers(source);
  const kind = kinds.find(([member]) => part.has(member))?.[1];
  if (kind !== undefined) return { kind, part };
  // A stream may bring a signature by itself.
  if (part.has('thoughtSignature') || part.has('thought')) return { kind: 'signature', part };
  if (part.size === 0)
    throw missingParameter(`${source.path}.text`, 'A part holds text, inlineData, fileData, functionCall or functionResponse.');
  return { kind: 'other', part };
}

/** A bare string where a part or a content is expected. */
function toTextPart({ value, path }: Member): Members {
  return readMembers({ value: { text: value }, path });
}

function readMedia(part: Members): InputPart {
  if (part.has('fileData')) return readFileData(part);
  return readInlineData(part);
}

function toReasoningName(part: Members): InputName {
  const { path } = part.get('thoughtSignature');
  return { item: part.path, members: { encrypted_content: path.slice(part.path.length + 1) } };
}
