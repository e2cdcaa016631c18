/** Providers whose own options are known. `other`: none are. */
type AiSdkFamily =
  'openai' | 'openai-compatible' | 'google' | 'anthropic' | 'xai' | 'groq' | 'deepseek' | 'openrouter' | 'mistral' | 'other';

/** What one provider expects beside the common interface. */
export interface AiSdkProfile {
  readonly family: AiSdkFamily;
  /** Under which name it looks for its options. */
  readonly optionsKey: string;
  /** OpenAI's Responses API stands behind it, which remembers unless it is told not to. */
  readonly isResponsesApi: boolean;
  /** Images and files may stand in the output of a tool; elsewhere they would be written out as text. */
  readonly takesMediaInOutputs: boolean;
}

/** Packages made of `@ai-sdk/openai-compatible`: they read its options whatever they call themselves. */
const compatiblePackages = /^@ai-sdk\/(openai-compatible|cerebras|togetherai|fireworks|deepinfra|baseten|moonshotai|vercel)$/;

/** The profile of a model: `provider` is what it calls itself (`openai.responses`), `packageName` where it comes from. */
export function createAiSdkProfile(provider: string, packageName: string): AiSdkProfile {
  const family = familyOf(provider.toLowerCase(), packageName);
  return {
    family,
    optionsKey: keyOf(family, provider.toLowerCase()),
    isResponsesApi: family === 'openai' && provider.includes('responses'),
    takesMediaInOutputs: family === 'anthropic' || family === 'google' || (family === 'openai' && provider.includes('responses')),
  };
}

function familyOf(provider: string, packageName: string): AiSdkFamily {
  if (compatiblePackages.test(packageName)) return 'openai-compatible';
  // Claude has many hosts: vertex.anthropic.messages, bedrock.anthropic.messages.
  if (provider.includes('anthropic')) return 'anthropic';
  const first = /^[a-z]+/.exec(provider)?.[0] ?? '';
  switch (first) {
    case 'openai':
    case 'azure':
      return 'openai';
    case 'google':
    case 'vertex':
      return 'google';
    case 'xai':
    case 'groq':
    case 'deepseek':
    case 'openrouter':
    case 'mistral':
      return first;
    default:
      return 'other';
  }
}

function keyOf(family: AiSdkFamily, provider: string): string {
  switch (family) {
    case 'openai-compatible':
      return 'openaiCompatible';
    case 'openai':
      return provider.startsWith('azure') ? 'azure' : 'openai';
    case 'google':
      return provider.includes('vertex') ? 'vertex' : 'google';
    default:
      return family;
  }
}
