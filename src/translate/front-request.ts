import type { Loss } from '../model/loss.ts';
import type { CreateResponseRequest } from '../protocol/responses/request.ts';

/** What `from-P-request` makes of a body: the request in the hub's words, and what else is needed to answer in P's. */
export interface FrontRequest<Facts> {
  readonly request: CreateResponseRequest;
  /** What of the body is not done; paths as the client wrote them. */
  readonly losses: readonly Loss[];
  readonly names: ClientNames;
  /** What `to-P-chunks` has to know of the request. */
  readonly facts: Facts;
}

/** How a client wrote what the hub calls otherwise: errors and losses must name what stands in its body. */
export interface ClientNames {
  /** By index in the hub's `input`. */
  readonly inputs: readonly InputName[];
  /** Hub path → the client's: `max_output_tokens` → `max_tokens`. The longest beginning that fits wins; its rest stays: `tools[2].name` → `tools[2].function.name`. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface InputName {
  /** `messages[2]` */
  readonly item: string;
  /** By index in the item's content, where a part does not stand at `${item}.content[index]`. */
  readonly parts?: readonly string[];
  /** Members that the client calls otherwise, below `item`: `arguments` → `function.arguments`. */
  readonly members?: Readonly<Record<string, string>>;
}

/** A path in the hub's words (`input[3].content[0].text`) as the client wrote it (`messages[4].content[0].text`). What has no other name stays. */
export function toClientPath(path: string, names: ClientNames): string {
  const item = /^input\[(\d+)\]/.exec(path);
  if (item !== null) return toInputPath(path.slice(item[0].length), names.inputs[Number(item[1])]) ?? path;
  for (let end = path.length; end > 0; end = lastBreak(path, end)) {
    const known = names.fields.get(path.slice(0, end));
    if (known !== undefined) return known + path.slice(end);
  }
  return path;
}

function toInputPath(rest: string, name: InputName | undefined): string | undefined {
  if (name === undefined) return undefined;
  const part = /^\.(?:content|output)\[(\d+)\]/.exec(rest);
  const known = part === null ? undefined : name.parts?.[Number(part[1])];
  return known === undefined || part === null ? toMemberPath(rest, name) : known + rest.slice(part[0].length);
}

function toMemberPath(rest: string, { item, members }: InputName): string {
  const [whole, member = ''] = /^\.(\w+)/.exec(rest) ?? [''];
  const known = members?.[member];
  return known === undefined ? item + rest : `${item}.${known}${rest.slice(whole.length)}`;
}

/** Where the path could be cut before `end`: at a member or an index. */
function lastBreak(path: string, end: number): number {
  return Math.max(path.lastIndexOf('.', end - 1), path.lastIndexOf('[', end - 1));
}
