import type { SeededRandom } from './seeded-random.ts';

/** One request to the gateway, and what the model will make of it: everything in it is the client's own. */
export interface PlannedTurn {
  /** The user's words, or null where outputs of calls are sent. */
  readonly text: string | null;
  /** Names of the tools that are offered. */
  readonly tools: readonly string[];
  readonly outputs: readonly PlannedOutput[];
  readonly instructions: string;
  readonly wantsThinking: boolean;
  readonly expected: Expected;
}

export interface Expected {
  readonly text: string;
  readonly thinking: string;
  /** It comes after the end of the turn, and whoever asked waits for a moment only: on a busy machine it may be missed. */
  readonly isThinkingLate?: boolean;
  readonly calls: readonly { readonly name: string; readonly args: string }[];
}

interface PlannedOutput {
  readonly name: string;
  readonly output: string;
}

export const turnKinds = ['text', 'thinking', 'late-thinking', 'own-tool', 'call', 'parallel-calls', 'text-and-call'] as const;
export type TurnKind = (typeof turnKinds)[number];

export interface PlanOptions {
  readonly kind: TurnKind;
  /** Writes a canary of this client and turn. */
  readonly canary: (place: string) => string;
  readonly random: SeededRandom;
}

/** The requests of one exchange: one, or two where the client's tools are called. */
export function planExchange({ kind, canary, random }: PlanOptions): readonly PlannedTurn[] {
  const instructions = `You are ${canary('instr')}. ${'Speak plainly. '.repeat(random.below(20))}`;
  const base = { outputs: [], tools: [`${canary('idle')}_tool`], instructions, wantsThinking: false };
  const say = `Here is ${canary('text')} for you, ${'word '.repeat(random.below(12))}end.`;
  const pause = random.percent(50) ? ` [[pause ${String(random.below(25))}]] ` : ' ';
  switch (kind) {
    case 'text':
      return [{ ...base, text: `${canary('user')}${pause}[[say ${say}]]`, expected: { text: say, thinking: '', calls: [] } }];
    case 'thinking':
    case 'late-thinking': {
      const thinking = `I ponder ${canary('think')} a while.`;
      const word = kind === 'thinking' ? 'think' : 'think-late';
      const text = `[[${word} ${thinking}]]${pause}[[say ${say}]]`;
      const isThinkingLate = kind === 'late-thinking';
      return [{ ...base, text, wantsThinking: true, expected: { text: say, thinking, isThinkingLate, calls: [] } }];
    }
    case 'own-tool': {
      const note = canary('note');
      const found = `read_note returned {"error":"there is no note ${note}"}.`;
      const text = `${canary('user')}${pause}[[call read_note {"name":"${note}"}]]`;
      return [{ ...base, text, expected: { text: found, thinking: '', calls: [] } }];
    }
    case 'call':
      return planRoundTrip({ ...base, canary, pause, count: 1, say: '' });
    case 'parallel-calls':
      return planRoundTrip({ ...base, canary, pause, count: 3, say: '' });
    case 'text-and-call':
      return planRoundTrip({ ...base, canary, pause, count: 1, say });
  }
}

interface RoundTrip extends Pick<PlannedTurn, 'instructions' | 'wantsThinking'> {
  readonly canary: (place: string) => string;
  readonly pause: string;
  readonly count: number;
  readonly say: string;
}

function planRoundTrip({ canary, pause, count, say, instructions, wantsThinking }: RoundTrip): readonly PlannedTurn[] {
  const calls = Array.from({ length: count }, (_, at) => ({
    name: `look_${canary(`tool${String(at)}`)}`,
    args: JSON.stringify({ key: canary(`arg${String(at)}`), at }),
  }));
  const tools = calls.map(({ name }) => name);
  const outputs = calls.map(({ name }, at) => ({ name, output: JSON.stringify({ found: canary(`result${String(at)}`) }) }));
  const asked = calls.map(({ name, args }) => `[[call ${name} ${args}]]`).join(pause);
  const spoken = say === '' ? '' : `[[say ${say}]] `;
  const told = outputs.map(({ name, output }) => `${name} returned ${output}.`).join(' ');
  const shared = { tools, instructions, wantsThinking };
  return [
    { ...shared, text: `${canary('user')} ${spoken}${asked}`, outputs: [], expected: { text: say, thinking: '', calls } },
    { ...shared, text: null, outputs, expected: { text: told, thinking: '', calls: [] } },
  ];
}
