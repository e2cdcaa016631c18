/** What differs between the models behind a Messages API as far as requests are concerned. */
export interface AnthropicModelTraits {
  /** `budget`: a number of tokens; `adaptive`: the model decides, an effort guides it. */
  readonly thinking: 'none' | 'budget' | 'adaptive';
  /** Whether an adaptive model also takes a number of tokens. */
  readonly takesBudget: boolean;
  /** Some models always think: `disabled` is refused. */
  readonly canTurnThinkingOff: boolean;
  readonly hasXhighEffort: boolean;
  /** `either`: temperature or top_p, not both. `none`: any of temperature, top_p, top_k is refused. */
  readonly sampling: 'none' | 'either' | 'both';
  /** Whether a history may end with words of the model, which it then continues. */
  readonly takesPrefill: boolean;
  /** `output_config.format` and strict tools. */
  readonly hasStructuredOutput: boolean;
  /** `max_tokens` when the client gave none: thinking is not in it. */
  readonly defaultTokens: number;
  /** The most that `max_tokens` may be; null: not known. */
  readonly maxTokens: number | null;
  readonly longestToolName: number;
}

/** The newest generation, which is also what an unknown Claude is taken for. */
const newest: AnthropicModelTraits = {
  thinking: 'adaptive',
  takesBudget: false,
  canTurnThinkingOff: true,
  hasXhighEffort: true,
  sampling: 'none',
  takesPrefill: false,
  hasStructuredOutput: true,
  defaultTokens: 32_000,
  maxTokens: null,
  longestToolName: 128,
};

/** 3.7 to 4.5: thinking by a number of tokens. */
const withBudget: AnthropicModelTraits = {
  ...newest,
  thinking: 'budget',
  takesBudget: true,
  hasXhighEffort: false,
  sampling: 'either',
  takesPrefill: true,
  maxTokens: 64_000,
};

const thoughtless: AnthropicModelTraits = {
  ...withBudget,
  thinking: 'none',
  takesBudget: false,
  sampling: 'both',
  hasStructuredOutput: false,
  longestToolName: 64,
};

/** Deny-list of what is old: new models come faster than new gateways. An id may carry a prefix (`anthropic.`, `us.anthropic.`) and a date. */
const olderModels: readonly { readonly pattern: RegExp; readonly traits: AnthropicModelTraits }[] = [
  { pattern: /claude-(?:instant|v?2)/, traits: { ...thoughtless, defaultTokens: 4096, maxTokens: 4096 } },
  { pattern: /claude-3-(?:opus|sonnet|haiku)/, traits: { ...thoughtless, defaultTokens: 4096, maxTokens: 4096 } },
  { pattern: /claude-3[-.]5/, traits: { ...thoughtless, defaultTokens: 8192, maxTokens: 8192 } },
  { pattern: /claude-3[-.]7/, traits: { ...withBudget, sampling: 'both', hasStructuredOutput: false } },
  {
    pattern: /claude-(?:opus-4|4-opus)(?:-0|[-@]\d{8}|$)/,
    traits: { ...withBudget, hasStructuredOutput: false, maxTokens: 32_000 },
  },
  { pattern: /claude-(?:sonnet-4|4-sonnet)(?:-0|[-@]\d{8}|$)/, traits: { ...withBudget, hasStructuredOutput: false } },
  { pattern: /claude-opus-4[-.]1/, traits: { ...withBudget, maxTokens: 32_000 } },
  { pattern: /claude-(?:opus|sonnet|haiku)-4[-.]5/, traits: withBudget },
  {
    pattern: /claude-(?:opus|sonnet)-4[-.]6/,
    traits: { ...newest, takesBudget: true, hasXhighEffort: false, sampling: 'either', maxTokens: 128_000 },
  },
  { pattern: /claude-(?:fable|mythos)/, traits: { ...newest, canTurnThinkingOff: false } },
];

/** Whose models have other names: a server of somebody else, which takes what Anthropic's old and new models take. */
const foreign: AnthropicModelTraits = { ...newest, takesBudget: true, sampling: 'both', takesPrefill: true };

/** What a model of this id can do (backends.md D). */
export function mapAnthropicModelTraits(model: string): AnthropicModelTraits {
  const id = model.toLowerCase();
  if (!id.includes('claude')) return foreign;
  return olderModels.find(({ pattern }) => pattern.test(id))?.traits ?? newest;
}
