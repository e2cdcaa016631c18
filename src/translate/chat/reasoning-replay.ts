import type { ChatVendor } from './chat-profile.ts';

/** How reasoning of earlier turns goes back to a server. */
export interface ReasoningReplay {
  /** `current-turn`: only what was thought after the last user message. */
  readonly when: 'never' | 'current-turn' | 'always';
  /** Where text goes. `details`: OpenRouter's reasoning_details, unmodified, and `reasoning` for text without details. */
  readonly as: 'reasoning' | 'reasoning_content' | 'thinking-part' | 'details';
  /** The server wants the field on every assistant message, empty when nothing was thought. */
  readonly onEveryMessage: boolean;
}

const never: ReasoningReplay = { when: 'never', as: 'reasoning_content', onEveryMessage: false };

/** What a server wants back, by vendor and model (backends.md C). Servers nobody knows get nothing: chat templates leave earlier reasoning out anyway. */
export function reasoningReplay(vendor: ChatVendor, model: string): ReasoningReplay {
  switch (vendor) {
    case 'deepseek':
      return deepseekReplay(model);
    case 'openrouter':
      return { when: 'always', as: 'details', onEveryMessage: false };
    case 'ollama':
      return { when: 'always', as: 'reasoning', onEveryMessage: false };
    case 'vllm':
    case 'groq':
      return { when: 'current-turn', as: 'reasoning', onEveryMessage: false };
    case 'llamacpp':
      return { when: 'current-turn', as: 'reasoning_content', onEveryMessage: false };
    case 'mistral':
      return { when: 'always', as: 'thinking-part', onEveryMessage: false };
    case 'openai':
    case 'generic':
      return never;
  }
}

/** R1 refuses reasoning with a 400; V3.2 needs it inside a tool loop; V4, which also answers to the unversioned names, needs the field on every message. */
function deepseekReplay(model: string): ReasoningReplay {
  if (/(^|[-_/.])r1([-_:.]|$)/i.test(model)) return never;
  if (/v3/i.test(model)) return { when: 'current-turn', as: 'reasoning_content', onEveryMessage: false };
  return { when: 'always', as: 'reasoning_content', onEveryMessage: true };
}
