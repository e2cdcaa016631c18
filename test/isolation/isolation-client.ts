import { setTimeout as sleep } from 'node:timers/promises';
import type { LogResponse } from '../check-event-log/log-event.ts';
import { postResponse } from '../doubles/post-response.ts';
import { canaryOf, ownerMark } from './canary.ts';
import { judgeAnswer, judgeWords, type Verdict } from './judge-answer.ts';
import type { ModelWatch } from './model-watch.ts';
import { planExchange, turnKinds, type PlannedTurn, type TurnKind } from './plan-turn.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface ClientOptions {
  readonly number: number;
  readonly url: string;
  readonly key: string;
  readonly random: SeededRandom;
  readonly watch: ModelWatch;
  /** Told before every turn. */
  readonly onBegin: () => void;
  /** Told after every turn. */
  readonly onTurn: (verdict: Verdict) => void;
}

/** How the turns of a conversation hang together. */
const chains = ['conversation', 'previous_response_id', 'stateless'] as const;

/** One client: conversations of a few exchanges, one after the other, each chained in one of three ways. */
export class IsolationClient {
  readonly #options: ClientOptions;
  #turns = 0;
  #conversations = 0;
  #chain: (typeof chains)[number] = 'stateless';
  #exchangesLeft = 0;
  #history: object[] = [];
  #last: LogResponse | null = null;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Asks for one thing, and answers the calls that come back. */
  async runExchange(): Promise<void> {
    const { random, number } = this.#options;
    if (this.#exchangesLeft === 0) this.#begin();
    this.#exchangesLeft -= 1;
    const turn = this.#turns;
    const plan = planExchange({
      kind: this.#pickKind(),
      canary: (place) => canaryOf(number, turn, place),
      random,
    });
    for (const planned of plan) {
      await sleep(random.below(20));
      if (!(await this.#runTurn(planned))) {
        // Its history is not what was planned any more.
        this.#exchangesLeft = 0;
        return;
      }
    }
  }

  /** A summary of thinking is made of all that the agent server was sent as the user's text, and with a history to replay that holds earlier thinking. */
  #pickKind(): TurnKind {
    const kind = this.#options.random.pick(turnKinds);
    return kind === 'late-thinking' && this.#chain === 'stateless' && this.#history.length > 0 ? 'thinking' : kind;
  }

  #begin(): void {
    const { random } = this.#options;
    this.#chain = random.pick(chains);
    this.#exchangesLeft = 1 + random.below(5);
    this.#conversations += 1;
    this.#history = [];
    this.#last = null;
  }

  /** Whether everything was as planned. */
  async #runTurn(planned: PlannedTurn): Promise<boolean> {
    const { number: client, url, watch, onBegin, onTurn, random } = this.#options;
    this.#turns += 1;
    onBegin();
    watch.begin(client);
    const own = this.#toInput(planned);
    const isStored = this.#chain !== 'stateless' || random.percent(50);
    let verdict: Verdict;
    try {
      const answer = await postResponse(url, this.#toRequest(planned, own, isStored), this.#headers);
      verdict = judgeAnswer({ client, answer, expected: planned.expected, usage: watch.usageOf(client) });
      this.#last = answer.body;
      this.#history.push(...own, ...(answer.status === 200 ? answer.body.output : []));
      if (answer.status === 200 && isStored) verdict = joinVerdicts(verdict, await this.#judgeStored(answer.body));
    } catch (thrown) {
      verdict = { crossed: [], faults: [String(thrown)] };
    }
    onTurn(verdict);
    return verdict.crossed.length + verdict.faults.length === 0;
  }

  get #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#options.key}` };
  }

  #toInput({ text, outputs }: PlannedTurn): object[] {
    if (text !== null) return [{ role: 'user', content: text }];
    const calls = (this.#last?.output ?? []).filter(({ type }) => type === 'function_call');
    return outputs.map(({ name, output }) => {
      const callId = calls.find((call) => call.name === name)?.call_id ?? '';
      return { type: 'function_call_output', call_id: callId, output };
    });
  }

  #toRequest({ tools, instructions, wantsThinking }: PlannedTurn, own: readonly object[], isStored: boolean): object {
    const { random, number } = this.#options;
    const parameters = { type: 'object', properties: { key: { type: 'string' }, at: { type: 'integer' } } };
    const isStateless = this.#chain === 'stateless';
    return {
      ...{ model: 'agent/gemini-3-pro', instructions, store: isStored, stream: random.percent(50) },
      input: isStateless ? [...this.#history, ...own] : own,
      tools: tools.map((name) => ({ type: 'function', name, description: `Looks for ${name}.`, parameters, strict: false })),
      ...(this.#chain === 'conversation' && {
        conversation: `talk-${ownerMark(number)}-${String(this.#conversations)}`,
      }),
      ...(this.#chain === 'previous_response_id' && this.#last !== null && { previous_response_id: this.#last.id }),
      ...(isStateless && { include: ['reasoning.encrypted_content'] }),
      ...(wantsThinking && { reasoning: { effort: 'low', summary: 'auto' } }),
    };
  }

  /** What the gateway keeps is the same as what it said, and the input is the client's own. */
  async #judgeStored(said: LogResponse): Promise<Verdict> {
    const { number: client } = this.#options;
    const [kept, items] = await Promise.all([this.#get(said.id), this.#get(`${said.id}/input_items?limit=100`)]);
    const crossed = [...judgeWords(client, 'a stored response', kept), ...judgeWords(client, 'a list of input items', items)];
    const { output, usage } = JSON.parse(kept) as LogResponse;
    const isSame = JSON.stringify([output, usage]) === JSON.stringify([said.output, said.usage]);
    return { crossed, faults: isSame ? [] : [`stored otherwise than said: ${kept.slice(0, 300)}`] };
  }

  async #get(path: string): Promise<string> {
    return (await fetch(`${this.#options.url}/v1/responses/${path}`, { headers: this.#headers })).text();
  }
}

function joinVerdicts(one: Verdict, other: Verdict): Verdict {
  return { crossed: [...one.crossed, ...other.crossed], faults: [...one.faults, ...other.faults] };
}
