import type { ModelRequest } from '../../model/model-request.ts';
import type { AiSdkProviderOptions } from '../../protocol/ai-sdk/call-options.ts';
import type { ReportLoss } from '../chat/to-chat-content.ts';
import { toShortIdentifier } from '../short-identifier.ts';
import type { AiSdkProfile } from './ai-sdk-profile.ts';
import { toAiSdkThinking } from './to-ai-sdk-thinking.ts';

type Members = { readonly [name: string]: unknown };

/** What only this provider understands, under its name; undefined when there is nothing to say. Wishes that it has no option for are losses, mere hints are left out. */
export function toAiSdkOptions(
  request: ModelRequest,
  profile: AiSdkProfile,
  report: ReportLoss,
): AiSdkProviderOptions | undefined {
  const members: Members = {
    ...toAiSdkThinking(request, profile, report),
    ...toVerbosity(request, profile, report),
    ...toTier(request, profile, report),
    ...toStrictness(request, profile),
    ...toHints(request, profile),
    // The history is ours to keep, and comes whole with every request.
    ...(profile.isResponsesApi && { store: false }),
  };
  return Object.keys(members).length === 0 ? undefined : { [profile.optionsKey]: members };
}

/** `medium` is the default. */
function toVerbosity({ verbosity }: ModelRequest, { family }: AiSdkProfile, report: ReportLoss): Members {
  if (verbosity === null) return {};
  if (family === 'openai' || family === 'openai-compatible') return { textVerbosity: verbosity };
  if (verbosity !== 'medium') report({ path: 'text.verbosity', action: 'dropped', reason: 'this provider has no such setting' });
  return {};
}

const openaiTiers = ['auto', 'flex', 'priority', 'fast', 'ultrafast', 'default'];
const groqTiers = ['auto', 'flex'];

/** `auto` and `default` ask for what every server does anyway. A provider refuses the whole request for a word it does not know. */
function toTier({ serviceTier }: ModelRequest, { family }: AiSdkProfile, report: ReportLoss): Members {
  if (serviceTier === null) return {};
  const known = family === 'openai' ? openaiTiers : family === 'groq' ? groqTiers : [];
  if (known.includes(serviceTier)) return { serviceTier };
  if (serviceTier !== 'auto' && serviceTier !== 'default')
    report({ path: 'service_tier', action: 'dropped', reason: 'this provider has no such service tier' });
  return {};
}

/** Their schemas are strict unless they are told otherwise, and a strict server refuses what others take. */
function toStrictness({ format }: ModelRequest, { family }: AiSdkProfile): Members {
  const isLax = format.type === 'json-schema' && !format.strict;
  return isLax && (family === 'openai' || family === 'openai-compatible') ? { strictJsonSchema: false } : {};
}

function toHints(
  { promptCacheKey, safetyIdentifier, parallelToolCalls, tools }: ModelRequest,
  { family }: AiSdkProfile,
): Members {
  const isSingle = !parallelToolCalls && tools.length > 0;
  switch (family) {
    case 'openai':
      return {
        ...(promptCacheKey !== null && { promptCacheKey: toShortIdentifier(promptCacheKey) }),
        ...(safetyIdentifier !== null && { safetyIdentifier: toShortIdentifier(safetyIdentifier) }),
        ...(isSingle && { parallelToolCalls: false }),
      };
    case 'groq':
      return isSingle ? { parallelToolCalls: false } : {};
    case 'anthropic':
      return {
        ...(safetyIdentifier !== null && { metadata: { userId: safetyIdentifier } }),
        ...(isSingle && { disableParallelToolUse: true }),
      };
    default:
      // One call at a time is what the engine sees to anyway.
      return {};
  }
}
