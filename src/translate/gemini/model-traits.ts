/** How a model is told how much to think: not at all, by a number of tokens (2.5), or by a level (3 and newer). */
export type ThinkingControl =
  | { readonly type: 'none' }
  /** `lowest` and `highest` are the bounds of the budget (0: thinking can be off), `minimal` is what the effort `minimal` becomes. */
  | { readonly type: 'budget'; readonly lowest: number; readonly highest: number; readonly minimal: number }
  | { readonly type: 'level'; readonly lowest: 'MINIMAL' | 'LOW' };

/** What differs between Gemini models as far as requests are concerned. */
export interface ModelTraits {
  readonly thinking: ThinkingControl;
  /**
   * Gemini 3 and newer: signatures of the current turn are validated, functions go together with built-in tools and with JSON output, and function responses may hold media.
   */
  readonly isGemini3: boolean;
  /** Gemma refuses `systemInstruction`. */
  readonly takesSystemInstruction: boolean;
}

const noThinking: ThinkingControl = { type: 'none' };

/** Deny-list of what is old: an id that is not recognised is taken for the newest generation, because new models come faster than new gateways. */
const olderModels: readonly { readonly pattern: RegExp; readonly thinking: ThinkingControl }[] = [
  { pattern: /^gemini-(?:1\.|2\.0|pro$|pro-vision)/, thinking: noThinking },
  { pattern: /^learnlm/, thinking: noThinking },
  { pattern: /^gemini-2\.5.*(?:image|tts|audio|live)/, thinking: noThinking },
  { pattern: /^gemini-2\.5-pro/, thinking: { type: 'budget', lowest: 128, highest: 32_768, minimal: 128 } },
  { pattern: /^gemini-2\.5-flash-lite/, thinking: { type: 'budget', lowest: 0, highest: 24_576, minimal: 512 } },
  { pattern: /^(?:gemini-2\.5|gemini-robotics-er-1)/, thinking: { type: 'budget', lowest: 0, highest: 24_576, minimal: 128 } },
];

/** What a model of this id can do (backends.md B.2). The id may carry `models/`. */
export function mapModelTraits(model: string): ModelTraits {
  const id = model.toLowerCase().replace(/^models\//, '');
  if (id.startsWith('gemma')) return { thinking: noThinking, isGemini3: false, takesSystemInstruction: false };
  const older = olderModels.find(({ pattern }) => pattern.test(id));
  if (older !== undefined) return { thinking: older.thinking, isGemini3: false, takesSystemInstruction: true };
  return {
    thinking: { type: 'level', lowest: hasMinimal(id) ? 'MINIMAL' : 'LOW' },
    isGemini3: true,
    takesSystemInstruction: true,
  };
}

/** MINIMAL exists on Flash-Lite and on Flash before 3.7; everything else, also what is unknown, begins at LOW. */
function hasMinimal(id: string): boolean {
  if (/^gemini-(?:[\d.]+-)?flash-lite/.test(id)) return true;
  const flash = /^gemini-3(?:\.(\d+))?-flash/.exec(id);
  return flash !== null && Number(flash[1] ?? 0) < 7;
}
