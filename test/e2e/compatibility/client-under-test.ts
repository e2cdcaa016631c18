/** A dialect of the wire. */
export type Dialect = 'responses' | 'chat' | 'anthropic' | 'gemini';

/** A function that the model may call; `parameters` is a JSON schema. */
export interface OfferedTool {
  readonly name: string;
  readonly parameters: { readonly [key: string]: unknown };
}

export interface ConversationOptions {
  /** As the gateway knows it. */
  readonly model: string;
  readonly tools?: readonly OfferedTool[];
  /** JSON schema of the answer. */
  readonly schema?: { readonly [key: string]: unknown };
  /** The model shall think, and show it. */
  readonly thinks?: boolean;
  /** The client sends what its dialect has of `sampling`. */
  readonly samples?: boolean;
}

interface Said {
  readonly text: string;
  /** Base64 of a PNG. */
  readonly image?: string;
}

export interface HowToAsk {
  readonly stream: boolean;
  readonly signal?: AbortSignal;
  /** Runs with each piece of text of a stream. */
  readonly onPiece?: () => void;
}

/** An answer as the user of a client sees it. */
export interface Reply {
  /** Of the answer, in the dialect's own place. */
  readonly id: string;
  readonly text: string;
  /** Pieces in which the text came. */
  readonly pieces: number;
  readonly thinking: string;
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[];
  /** All tokens that went in and came out; null when the client was not told. */
  readonly usage: { readonly input: number; readonly output: number } | null;
  /** Where a dialect tells of a failure without its client throwing. */
  readonly failure: string | null;
  /** What the gateway reported in `antiphon-losses`. */
  readonly losses: readonly ReportedLoss[];
}

interface TokenCount {
  readonly count: number;
  readonly losses: readonly ReportedLoss[];
}

/** Settings of the sampling in no dialect's words; none of the values is found elsewhere in a request. */
export const sampling = { temperature: 0.5, topP: 0.75, topK: 40, seed: 7, stop: 'THE END', maxTokens: 3210 } as const;

export interface ReportedLoss {
  readonly path: string;
  readonly action: string;
  readonly reason: string;
}

/** A conversation that carries back whatever its client carries back. */
export interface Conversation {
  say(said: Said, how: HowToAsk): Promise<Reply>;
  /** One result for each call of the last answer, in their order. */
  giveResults(results: readonly string[], how: HowToAsk): Promise<Reply>;
}

/** An official client in front of the gateway. */
export interface ClientUnderTest {
  readonly dialect: Dialect;
  /** What its dialect has of `sampling`. */
  readonly settings: readonly (keyof typeof sampling)[];
  readonly open: (options: ConversationOptions) => Conversation;
  /** Null: its API has none. */
  readonly countTokens: ((model: string, text: string) => Promise<TokenCount>) | null;
  readonly listModels: () => Promise<string[]>;
}

export interface ClientOptions {
  /** `http://127.0.0.1:4711` */
  readonly url: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A `fetch` that keeps what the last answer reported as lost. */
export interface LossWatch {
  readonly fetch: typeof fetch;
  take(): ReportedLoss[];
}

export function createLossWatch(): LossWatch {
  let last: string | null = null;
  return {
    fetch: async (...call) => {
      const response = await fetch(...call);
      last = response.headers.get('antiphon-losses');
      return response;
    },
    take: () => readLosses(last),
  };
}

/** The value of `antiphon-losses`. */
export function readLosses(header: string | null | undefined): ReportedLoss[] {
  return JSON.parse(header ?? '[]') as ReportedLoss[];
}
