import type { Response, ResponseCreateParamsNonStreaming, Tool } from 'openai/resources/responses/responses';
import type { GeminiCall } from '../../doubles/gemini-model/gemini-model-options.ts';

export type ScenarioRequest = Omit<ResponseCreateParamsNonStreaming, 'model' | 'stream'>;

/** One turn: the request, made of the answers before it; `unique` is a word that no other run of the scenario has. */
type ScenarioTurn = (answers: readonly Response[], unique: string) => ScenarioRequest;

/** A conversation that is to look the same through every backend and every way of asking. */
export interface Scenario {
  readonly name: string;
  readonly turns: readonly ScenarioTurn[];
  /** What each turn's output is, as `describeOutput` tells it. */
  readonly expected: readonly string[];
  /** Further things that must be seen in the main model calls of the scenario. */
  readonly check?: (calls: readonly GeminiCall[]) => void;
  /** The agent server's own tools take part: there is nothing to compare with. */
  readonly agentOnly?: true;
}

export function functionTool(name: string, more: object = {}): Tool {
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  return { type: 'function', name, description: `The tool ${name}`, parameters, strict: false, ...more };
}

/** The output in one line: `reasoning "…" | message "…" | call NAME {…}`. Reasoning without words (it carries signatures) is left out. */
export function describeOutput({ output }: Response): string {
  const lines = output.flatMap((item) => {
    switch (item.type) {
      case 'message':
        return [
          `message ${JSON.stringify(item.content.map((part) => (part.type === 'output_text' ? part.text : part.type)).join())}`,
        ];
      case 'function_call':
        return [`call ${item.name} ${item.arguments}`];
      case 'reasoning':
        return item.summary.length === 0 ? [] : [`reasoning ${JSON.stringify(item.summary.map(({ text }) => text).join())}`];
      default:
        return [item.type];
    }
  });
  return lines.join(' | ');
}

/** The types of all items, those without words too. */
export function typesOf({ output }: Response): string {
  return output.map(({ type }) => type).join(' ');
}

/** One output for each call of a response, in the order of `order`. */
export function answerCalls(
  { output }: Response,
  toOutput: (name: string) => string,
  order: (ids: readonly string[]) => readonly string[] = (ids) => ids,
): { type: 'function_call_output'; call_id: string; output: string }[] {
  const calls = output.flatMap((item) => (item.type === 'function_call' ? [item] : []));
  return order(calls.map(({ call_id: id }) => id)).map((id) => ({
    type: 'function_call_output' as const,
    call_id: id,
    output: toOutput(calls.find(({ call_id: other }) => other === id)?.name ?? ''),
  }));
}
