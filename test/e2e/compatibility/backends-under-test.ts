import type { Dialect, OfferedTool, Reply } from './client-under-test.ts';
import type { RecordedModels, ScriptedAnswer, Trouble } from './open-recorded-models.ts';
import type { Scene } from './scene-recordings.ts';

/** A kind of backend, and how it is made to do what a test wants to see. */
export interface BackendUnderTest {
  /** As the page calls it. */
  readonly name: string;
  /** Null: a backend without a wire. */
  readonly dialect: Dialect | null;
  /** The model that plays a scene, as the gateway knows it. */
  model(act: Scene | Trouble): string;
  /** A model that is in the list. */
  readonly listed: string;
  /** What it will answer; null: whatever it likes. */
  answerOf(scene: Scene, stream: boolean): ScriptedAnswer | null;
  /** What the tools are that it will call. */
  toolsOf(scene: Scene, stream: boolean): OfferedTool[];
  /** The last request that a model server of this kind got; null without a server. */
  lastRequest(): string | null;
  /** Lets an answer that waits go on. */
  goOn(): void;
  /** Resolves when no call to it is running; whether the gateway broke off the last one. */
  wasBrokenOff(): Promise<boolean>;
}

/** The models that real servers of today have: some settings are translated by the name. */
const modelNames: { readonly [D in Dialect]: string } = {
  anthropic: 'claude-opus-4-6',
  chat: 'gpt-5',
  gemini: 'gemini-3-flash',
  responses: 'gpt-5',
};

/** The configuration of a gateway that has all of them. */
export function configurationOf({ url }: RecordedModels): string {
  return `
store: { url: "memory:" }
routing: { retries: 0, breaker: off }
backends:
  gemini: { type: gemini, base_url: "${url}/gemini", api_key: test }
  chat: { type: chat, base_url: "${url}/chat/v1", api_key: test, vendor: openrouter }
  anthropic: { type: anthropic, base_url: "${url}/anthropic", api_key: test }
  responses: { type: responses, base_url: "${url}/responses/v1", api_key: test }
`;
}

export function backendsOf(models: RecordedModels): BackendUnderTest[] {
  return [
    rehearsal(),
    recorded(models, { name: 'Gemini', dialect: 'gemini' }),
    recorded(models, { name: 'chat', dialect: 'chat' }),
    recorded(models, { name: 'Anthropic', dialect: 'anthropic' }),
    recorded(models, { name: 'Responses', dialect: 'responses' }),
  ];
}

function recorded(
  models: RecordedModels,
  { name, dialect }: { readonly name: string; readonly dialect: Dialect },
): BackendUnderTest {
  return {
    name,
    dialect,
    model: (act) => `${dialect}/${modelNames[dialect]}--${act}`,
    listed: `${dialect}/listed-${dialect}`,
    answerOf: (scene, stream) => models.answerOf(dialect, scene, stream),
    toolsOf: (scene, stream) => toTools(models.answerOf(dialect, scene, stream).calls),
    lastRequest: () => models.lastRequest(),
    goOn: () => {
      models.goOn();
    },
    wasBrokenOff: async () => {
      await models.idle();
      return models.wasBrokenOff();
    },
  };
}

const rehearsals: { readonly [A in Scene | Trouble]?: string } = {
  parallel: 'parallel',
  refuses: '429',
  fails: 'late-failure',
  cut: 'cut',
  hangs: 'stall-text',
};

function rehearsal(): BackendUnderTest {
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  return {
    name: 'rehearsal',
    dialect: null,
    model: (act) => `rehearsal/${rehearsals[act] ?? 'default'}`,
    listed: 'rehearsal/default',
    answerOf: () => null,
    toolsOf: () => [{ name: 'get_weather', parameters }],
    lastRequest: () => null,
    goOn: () => undefined,
    wasBrokenOff: () => Promise.resolve(true),
  };
}

/** Declarations that fit the calls: one for each name, with the arguments it got. */
function toTools(calls: Reply['calls']): OfferedTool[] {
  const tools = new Map<string, OfferedTool>();
  for (const { name, arguments: given } of calls) {
    const properties = Object.fromEntries(Object.entries(given ?? {}).map(([key, value]) => [key, { type: typeOf(value) }]));
    tools.set(name, { name, parameters: { type: 'object', properties } });
  }
  return [...tools.values()];
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value;
}
