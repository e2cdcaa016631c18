import { parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { objectOf, objectsOf, textOf } from '../../doubles/gemini-model/gemini-words.ts';

/** Base64 of an image. */
export type Image = string;

export interface UserWords {
  readonly text: string;
  readonly image?: Image;
}

export interface ClientCall {
  readonly id: string;
  readonly tool: string;
  readonly args: unknown;
}

export interface ToolResult extends UserWords {
  readonly call: ClientCall;
  readonly isError?: boolean;
}

interface ShownLoss {
  readonly path: string;
  readonly action: string;
  readonly reason: string;
}

/** What a client got, and what it had sent for it. */
export interface ClientTurn {
  readonly status: number;
  readonly request: JsonObject;
  readonly answer: JsonObject;
  readonly losses: readonly ShownLoss[];
  readonly text: string;
  readonly calls: readonly ClientCall[];
  /** Something came that belongs to what the model thought: the client keeps it. */
  readonly hasThought: boolean;
}

export interface ClientTool {
  readonly name: string;
  /** By which a tool is known everywhere. */
  readonly description: string;
}

/** A client that keeps a conversation in its own way. Each turn may go to another model. */
export interface PortableClient {
  /** Its dialect has a word for a tool that failed. */
  readonly tellsFailures: boolean;
  /** Its dialect has room for images in what a tool returned. */
  readonly returnsImages: boolean;
  ask(model: string, words: UserWords): Promise<ClientTurn>;
  answer(model: string, results: readonly ToolResult[]): Promise<ClientTurn>;
}

export interface Connection {
  readonly url: string;
  readonly tools: readonly ClientTool[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a request and takes apart what every dialect has in common. */
export async function send(
  { url, headers = {} }: Connection,
  path: string,
  request: JsonObject,
): Promise<Pick<ClientTurn, 'status' | 'request' | 'answer' | 'losses'>> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(request),
  });
  const losses = objectsOf(parseJson(answer.headers.get('antiphon-losses') ?? '[]')).map(({ path: at, action, reason }) => ({
    path: textOf(at),
    action: textOf(action),
    reason: textOf(reason),
  }));
  return { status: answer.status, request, answer: objectOf(parseJson(await answer.text())), losses };
}

export function dataUrl(image: Image): string {
  return `data:image/png;base64,${image}`;
}

/** The description of the tool with that name. */
export function toolNamed(name: unknown, tools: readonly ClientTool[]): string {
  return tools.find((tool) => tool.name === name)?.description ?? `unknown tool ${textOf(name)}`;
}

/** The name of the tool with that description. */
export function nameOf(tool: string, tools: readonly ClientTool[]): string {
  return tools.find(({ description }) => description === tool)?.name ?? tool;
}
