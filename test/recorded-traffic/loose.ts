/** JSON that nobody has looked at: any member may be asked for. Written for the expectation readers, which share nothing with the product. */
export type Loose = { readonly [key: string]: Loose } & { readonly [at: number]: Loose };

export function loose(value: unknown): Loose {
  return (value ?? {}) as Loose;
}

export function listOf(value: unknown): Loose[] {
  return Array.isArray(value) ? (value as Loose[]) : [];
}

export function words(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** A recorded exchange (recordings README §2). */
export interface Recording {
  readonly id: string;
  readonly provider: string;
  readonly vendor: string;
  readonly response: { readonly status: number; readonly chunks?: readonly string[]; readonly body?: unknown };
}

/** The JSON bodies of an answer: one, or one a chunk. */
export function bodiesOf({ response }: Recording): Loose[] {
  if (response.chunks === undefined) return [loose(response.body)];
  return response.chunks.filter((chunk) => chunk.startsWith('{')).map((chunk) => loose(JSON.parse(chunk)));
}

/** What an answer holds, in the words of a Responses client. */
export interface Content {
  text: string;
  refusal: string;
  reasoning: string;
  calls: { name: string; arguments: unknown }[];
  /** input, cached, output, reasoning, total; null when the recording has none. */
  usage: number[] | null;
  /** `completed`, `incomplete REASON` or `failed`. */
  ending: string;
}
