import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest, TextFormat } from '../../model/model-request.ts';
import type { GeminiGenerationConfig, GeminiTool, GeminiToolConfig } from '../../protocol/gemini/request.ts';
import type { ToolNames } from '../tool-names.ts';
import type { ModelTraits } from './model-traits.ts';
import { toGeminiTools } from './to-gemini-tools.ts';
import { toGenerationConfig } from './to-generation-config.ts';
import { toSystemText } from './to-system-text.ts';

export interface GeminiSettingsOptions {
  readonly names: ToolNames;
  readonly traits: ModelTraits;
  readonly isVertex: boolean;
  /** The request declares functions besides those of the turn. */
  readonly hasOtherFunctions: boolean;
}

/** Everything about a request but its history. */
export interface GeminiSettings {
  readonly systemText: string | null;
  readonly tools: readonly GeminiTool[];
  readonly toolConfig: GeminiToolConfig | undefined;
  readonly generationConfig: GeminiGenerationConfig | undefined;
  readonly serviceTier: string | null;
}

/** System text, tools, tool choice, output format and sampling of a turn. */
export function toGeminiSettings(request: ModelRequest, options: GeminiSettingsOptions): Translated<GeminiSettings> {
  const { traits, hasOtherFunctions } = options;
  const tools = toGeminiTools(request, options);
  const format = settleFormat(request, traits, hasOtherFunctions || tools.value.tools.length > 0);
  const system = toSystemText(request);
  const config = toGenerationConfig(request, traits, format.isNative);
  const tier = toServiceTier(request.serviceTier);
  const systemText = [system.value, format.instruction].filter((text) => text !== null).join('\n\n');
  const parts: readonly { readonly losses: readonly Loss[] }[] = [system, tools, config, format, tier];
  return {
    value: {
      systemText: systemText === '' ? null : systemText,
      ...tools.value,
      generationConfig: config.value,
      serviceTier: tier.value,
    },
    losses: parts.flatMap(({ losses }) => losses),
  };
}

interface SettledFormat {
  readonly isNative: boolean;
  /** What the model is told instead, or null. */
  readonly instruction: string | null;
  readonly losses: readonly Loss[];
}

/** Before Gemini 3, JSON output together with any tool is refused ("Function calling with a response mime type … is unsupported"): there the format is asked for in words. */
function settleFormat({ format }: ModelRequest, traits: ModelTraits, hasTools: boolean): SettledFormat {
  if (format.type === 'text' || traits.isGemini3 || !hasTools) return { isNative: true, instruction: null, losses: [] };
  const losses: Loss[] = [
    {
      path: 'text.format',
      action: 'emulated',
      reason: 'this model cannot combine tools with JSON output; the format is asked for in words',
    },
  ];
  return { isNative: false, instruction: describeFormat(format), losses };
}

function describeFormat(format: Exclude<TextFormat, { type: 'text' }>): string {
  const rule =
    'When you answer with text instead of a function call, answer with a single JSON object and nothing else: no explanation, no code fence.';
  return format.type === 'json-object'
    ? rule
    : `${rule} It must be valid against this JSON Schema:\n${JSON.stringify(format.schema)}`;
}

/** Standard is the default; `auto` and `default` mean it. */
function toServiceTier(tier: string | null): Translated<string | null> {
  if (tier === null || tier === 'auto' || tier === 'default' || tier === 'standard') return { value: null, losses: [] };
  if (tier === 'flex' || tier === 'priority') return { value: tier, losses: [] };
  return {
    value: null,
    losses: [{ path: 'service_tier', action: 'dropped', reason: 'Gemini has no such service tier; the standard one applies' }],
  };
}
