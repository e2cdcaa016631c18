import { openChatUpstream, deltaLine, streamLines, type ChatAnswer, type ChatUpstream } from './chat-upstream.ts';
import { postResponse, type StreamAnswer } from './post-response.ts';
import { startGateway, type StartedGateway } from './start-gateway.ts';

/** A gateway with chat backends `a`, `b`, `c` … on loopback, whose waits a test sees and whose time it moves. */
export interface Routes {
  readonly gateway: StartedGateway;
  /** How often each backend was called. */
  calls(): Readonly<Record<string, number>>;
  upstream(name: string): ChatUpstream;
  /** What the next answers of a backend are; the last one stays. */
  script(name: string, ...answers: readonly ChatAnswer[]): void;
  /** Waits before retries so far (milliseconds). They pass at once, unless held. */
  readonly waits: readonly number[];
  advance(milliseconds: number): void;
  /** Asks with a stream that the oracle finds nothing in. */
  ask(model: string, more?: object, headers?: Record<string, string>): Promise<StreamAnswer>;
  close(): Promise<void>;
}

export interface RoutesOptions {
  /** By name, the answers in order; the last one stays. */
  readonly backends: Readonly<Record<string, readonly ChatAnswer[]>>;
  /** YAML of the sections `models`, `routing` and whatever else. */
  readonly yaml: string;
  /** Called with each wait and its signal; the wait lasts as long as the promise. */
  readonly holdWait?: (signal: AbortSignal) => Promise<void>;
}

/** Answers with that text, and then the end. */
export function say(text: string): ChatAnswer {
  return streamLines(deltaLine({ content: text }), deltaLine({}, 'stop'), 'data: [DONE]');
}

export async function startRoutes({ backends, yaml, holdWait }: RoutesOptions): Promise<Routes> {
  const scripts = new Map(Object.entries(backends).map(([name, answers]) => [name, [...answers]]));
  const upstreams = new Map<string, ChatUpstream>();
  for (const name of scripts.keys()) {
    upstreams.set(
      name,
      await openChatUpstream((response, call) => {
        const script = scripts.get(name) ?? [];
        const answer = script.length > 1 ? script.shift() : script[0];
        answer?.(response, call);
      }),
    );
  }
  let now = 1_000_000;
  const waits: number[] = [];
  const lines = [...upstreams].map(([name, { url }]) => `  ${name}: { type: chat, base_url: "${url}/v1", vendor: generic }`);
  const gateway = await startGateway(`store: { url: "memory:" }\nbackends:\n${lines.join('\n')}\n${yaml}`, {
    routing: {
      now: () => now,
      random: () => 0,
      wait: async (milliseconds, signal) => {
        waits.push(milliseconds);
        await holdWait?.(signal);
        now += milliseconds;
      },
    },
  });
  return {
    gateway,
    waits,
    calls: () => Object.fromEntries([...upstreams].map(([name, { seen }]) => [name, seen.length])),
    upstream: (name) => {
      const found = upstreams.get(name);
      if (found === undefined) throw new Error(`no backend ${name}`);
      return found;
    },
    script: (name, ...answers) => scripts.set(name, [...answers]),
    advance: (milliseconds) => {
      now += milliseconds;
    },
    async ask(model, more = {}, headers = {}) {
      const answer = await postResponse(gateway.url, { model, input: 'Hello', stream: true, ...more }, headers);
      if (answer.faults.length > 0) throw new Error(answer.faults.join('\n'));
      return answer;
    },
    async close() {
      await gateway.close();
      for (const upstream of upstreams.values()) await upstream.close().catch(() => undefined);
    },
  };
}
