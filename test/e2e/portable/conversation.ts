import { isDeepStrictEqual } from 'node:util';
import { objectOf } from '../../doubles/gemini-model/gemini-words.ts';
import type { ClientTurn, PortableClient, ToolResult, UserWords } from './client.ts';
import type { ViewEntry } from './read-view.ts';
import type { SeenTurn, StrictUpstream } from './strict-upstream.ts';

/** What a conversation should look like to the model that gets it next, and what became of each turn. */
export class Conversation {
  readonly faults: string[] = [];
  readonly #client: PortableClient;
  readonly #upstream: StrictUpstream;
  readonly #expected: ViewEntry[];
  /** How often each model has thought. */
  readonly #thoughts = new Map<string, number>();

  /** `expected`: the conversation so far, where it did not begin here. */
  constructor(client: PortableClient, upstream: StrictUpstream, expected: readonly ViewEntry[] = []) {
    this.#client = client;
    this.#upstream = upstream;
    this.#expected = [...expected];
  }

  async ask(model: string, words: UserWords): Promise<ClientTurn> {
    this.#expected.push({ kind: 'user', text: words.text }, ...imagesOf(words));
    return this.#judge(model, () => this.#client.ask(model, words));
  }

  async answer(model: string, results: readonly ToolResult[]): Promise<ClientTurn> {
    for (const { text, isError = false, ...words } of results)
      this.#expected.push(
        { kind: 'result', text, isError: isError && this.#client.tellsFailures },
        ...(this.#client.returnsImages ? imagesOf({ text, ...words }) : []),
      );
    return this.#judge(model, () => this.#client.answer(model, results));
  }

  async #judge(model: string, run: () => Promise<ClientTurn>): Promise<ClientTurn> {
    this.#upstream.forget();
    const turn = await run();
    const seen = this.#upstream.seen.at(-1);
    const found = [
      ...(turn.status === 200 ? [] : [`status ${String(turn.status)}: ${JSON.stringify(turn.answer).slice(0, 300)}`]),
      ...(model.startsWith('rehearsal') ? [] : checkTurn(turn, seen, this.#expected)),
      ...checkOwnThoughts(turn, seen, this.#thoughts.get(model) ?? 0),
      ...checkPaths(turn),
    ];
    this.faults.push(...found.map((fault) => `at ${model}: ${fault}`));
    // Chat servers give text only, which is for people: no server takes it back as something thought.
    if (turn.hasThought && !model.startsWith('chat/')) {
      this.#thoughts.set(model, (this.#thoughts.get(model) ?? 0) + 1);
      this.#expected.push({ kind: 'thought' });
    }
    if (turn.text !== '') this.#expected.push({ kind: 'assistant', text: turn.text });
    this.#expected.push(...turn.calls.map(({ tool, args }) => ({ kind: 'call', tool, args }) as const));
    return turn;
  }
}

function imagesOf({ image }: UserWords): ViewEntry[] {
  return image === undefined ? [] : [{ kind: 'image', data: image }];
}

/** What the model did not get of the conversation although nothing tells so, and what its server refused for good. */
export function checkTurn(
  { losses }: Pick<ClientTurn, 'losses'>,
  seen: Pick<SeenTurn, 'view' | 'faults'> | undefined,
  expected: readonly ViewEntry[],
): string[] {
  if (seen === undefined) return ['no server was asked'];
  const faults = [...seen.faults];
  const { view } = seen;
  const isTold = (form: RegExp): boolean => losses.some(({ reason }) => form.test(reason));
  const [wanted, got] = [expected, view].map(countKinds);
  if (wanted === undefined || got === undefined) return faults;
  if (got.thought < wanted.thought && !isTold(/reasoning|thinking|thought|signature/i))
    faults.push('thinking is gone without a loss');
  if (got.failed < wanted.failed && !isTold(/failed/)) faults.push('is_error is gone without a loss');
  const calls = (entries: readonly ViewEntry[]): unknown[] => entries.filter(({ kind }) => kind === 'call');
  if (!isDeepStrictEqual(calls(view), calls(expected)))
    faults.push(`calls are ${JSON.stringify(calls(view))} instead of ${JSON.stringify(calls(expected))}`);
  for (const entry of expected)
    if (entry.kind === 'image' && !view.some((other) => other.kind === 'image' && other.data === entry.data))
      faults.push('an image is gone');
  faults.push(...missingWords(view, expected));
  return faults;
}

function countKinds(entries: readonly ViewEntry[]): { thought: number; failed: number } {
  return {
    thought: entries.filter(({ kind }) => kind === 'thought').length,
    failed: entries.filter((entry) => entry.kind === 'result' && entry.isError).length,
  };
}

/** Everything that was said and returned stands there in order; the gateway may have written words between. */
function missingWords(view: readonly ViewEntry[], expected: readonly ViewEntry[]): string[] {
  const faults: string[] = [];
  let at = 0;
  for (const entry of expected) {
    if (entry.kind !== 'user' && entry.kind !== 'assistant' && entry.kind !== 'result') continue;
    const found = view.findIndex((other, index) => index >= at && other.kind === entry.kind && other.text.includes(entry.text));
    if (found < 0) faults.push(`${entry.kind} text is gone or in another place: ${entry.text}`);
    else at = found + (entry.kind === 'result' ? 1 : 0);
  }
  const results = (entries: readonly ViewEntry[]): number => entries.filter(({ kind }) => kind === 'result').length;
  if (results(view) !== results(expected)) faults.push(`${String(results(view))} results for ${String(results(expected))}`);
  return faults;
}

/**
 * What a server signed comes back to it, whoever spoke in between. Two exceptions: where Anthropic may not think on, it gets none of it (backends.md D); and an answer that was passed on in the
 * server's own bytes has a signature that nobody else can place, so it is lost, and told, once a conversation is mixed.
 */
function checkOwnThoughts({ losses }: ClientTurn, seen: SeenTurn | undefined, own: number): string[] {
  if (seen === undefined || (seen.protocol === 'anthropic' && objectOf(seen.body['thinking'])['type'] !== 'enabled')) return [];
  if (losses.some(({ reason }) => reason.includes('sealed by another server'))) return [];
  const { thought } = countKinds(seen.view);
  return thought < own ? [`${String(thought)} of its own ${String(own)} thoughts came back`] : [];
}

/** Every loss names something that stands in the client's own request. */
function checkPaths({ losses, request }: ClientTurn): string[] {
  return losses
    .filter(({ path }) => !((path.split(/[.[]/)[0] ?? '') in request))
    .map(({ path, reason }) => `a loss in somebody else's words: ${path} – ${reason}`);
}
