import type { Translated } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { GeminiContent, GeminiRequest } from '../../protocol/gemini/request.ts';
import { createToolNames, type ToolNames } from '../tool-names.ts';
import { mapModelTraits, type ModelTraits } from './model-traits.ts';
import { toContents } from './to-contents.ts';
import { toGeminiSettings } from './to-gemini-settings.ts';
import { geminiToolNameRule } from './to-gemini-tools.ts';

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
  const contents = toContents(request, names, traits);
  const settings = toGeminiSettings(request, { names, traits, isVertex: options.isVertex ?? false, hasOtherFunctions: false });
  const { systemText, tools, toolConfig, generationConfig, serviceTier } = settings.value;
  const body: GeminiRequest = { contents: contents.value };
  if (systemText !== null) addSystemText(body, systemText, traits);
  if (tools.length > 0) body.tools = [...tools];
  if (toolConfig !== undefined) body.toolConfig = toolConfig;
  if (generationConfig !== undefined) body.generationConfig = generationConfig;
  if (serviceTier !== null) body.serviceTier = serviceTier;
  return { value: body, losses: [...contents.losses, ...settings.losses] };
}

/**
 * Both directions of tool names for one request; the answer is read with the same ones. Names in the history count too. `taken` are names that somebody else declares in the
 * same request.
 */
export function createGeminiToolNames(request: ModelRequest, taken?: ReadonlySet<string>): ToolNames {
  const called = request.input.flatMap((item) => (item.type === 'call' ? [item.name] : []));
  return createToolNames([...request.tools.map((tool) => tool.name), ...called], geminiToolNameRule, taken);
}

function addSystemText(body: GeminiRequest, text: string, { takesSystemInstruction }: ModelTraits): void {
  if (takesSystemInstruction) {
    body.systemInstruction = { parts: [{ text }] };
    return;
  }
  const first: GeminiContent | undefined = body.contents[0];
  if (first?.role === 'user') first.parts.unshift({ text });
}
