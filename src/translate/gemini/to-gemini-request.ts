import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest, TextFormat } from '../../model/model-request.ts';
import type { GeminiContent, GeminiRequest } from '../../protocol/gemini/request.ts';
import { createToolNames, type ToolNames } from '../tool-names.ts';
import { mapModelTraits, type ModelTraits } from './model-traits.ts';
import { toContents } from './to-contents.ts';
import { geminiToolNameRule, toGeminiTools } from './to-gemini-tools.ts';
import { toGenerationConfig } from './to-generation-config.ts';
import { toSystemText } from './to-system-text.ts';

export interface GeminiRequestOptions {
  /** The request goes to Vertex AI: same bodies, with small differences. Default false. */
  readonly isVertex?: boolean;
}

/**
 * A turn → the body of `generateContent` and `streamGenerateContent` (backends.md B.2). `prompt_cache_key` and `safety_identifier` are left out without a loss: they change
 * nothing about the answer (Gemini caches by itself). `parallel_tool_calls` has no counterpart; the engine keeps the first call.
 */
export function toGeminiRequest(request: ModelRequest, options: GeminiRequestOptions = {}): Translated<GeminiRequest> {
  const traits = mapModelTraits(request.model);
  const names = createGeminiToolNames(request);
  const tools = toGeminiTools(request, { names, traits, isVertex: options.isVertex ?? false });
  const format = settleFormat(request, traits, tools.value.tools.length > 0);
  const system = toSystemText(request);
  const contents = toContents(request, names, traits);
  const config = toGenerationConfig(request, traits, format.isNative);
  const tier = toServiceTier(request.serviceTier);
  const body: GeminiRequest = { contents: contents.value };
  const systemText = [system.value, format.instruction].filter((text) => text !== null).join('\n\n');
  if (systemText !== '') addSystemText(body, systemText, traits);
  if (tools.value.tools.length > 0) body.tools = tools.value.tools;
  if (tools.value.toolConfig !== undefined) body.toolConfig = tools.value.toolConfig;
  if (config.value !== undefined) body.generationConfig = config.value;
  if (tier.value !== null) body.serviceTier = tier.value;
  const parts: readonly { readonly losses: readonly Loss[] }[] = [system, contents, tools, config, format, tier];
  return { value: body, losses: parts.flatMap((part) => part.losses) };
}

/** Both directions of tool names for one request; the answer is read with the same ones. Names in the history count too. */
export function createGeminiToolNames(request: ModelRequest): ToolNames {
  const called = request.input.flatMap((item) => (item.type === 'call' ? [item.name] : []));
  return createToolNames([...request.tools.map((tool) => tool.name), ...called], geminiToolNameRule);
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

function addSystemText(body: GeminiRequest, text: string, { takesSystemInstruction }: ModelTraits): void {
  if (takesSystemInstruction) {
    body.systemInstruction = { parts: [{ text }] };
    return;
  }
  const first: GeminiContent | undefined = body.contents[0];
  if (first?.role === 'user') first.parts.unshift({ text });
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
