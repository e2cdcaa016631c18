import type { Loss } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { ChatRequest } from '../../protocol/chat/request.ts';
import { effortForBudget } from '../effort-for-budget.ts';
import type { ChatProfile } from './chat-profile.ts';
import { neverThinks } from './openai-models.ts';
import type { ReportLoss } from './to-chat-content.ts';

type EffortFields = Pick<
  ChatRequest,
  'reasoning_effort' | 'reasoning_format' | 'reasoning' | 'thinking' | 'chat_template_kwargs'
>;

/**
 * How much is thought, in the words of this server (backends.md C); nothing when the client did not ask. Tokens to think for win over an effort; OpenRouter takes them as they are, everybody else the
 * nearest effort.
 */
export function toChatThinking(
  { model, reasoning, thinkingBudget }: ModelRequest,
  profile: ChatProfile,
  report: ReportLoss,
): EffortFields {
  if (thinkingBudget === null) return toChatEffort(reasoning.effort, model, profile, report);
  if (profile.effort === 'reasoning-object' && thinkingBudget > 0) return { reasoning: { max_tokens: thinkingBudget } };
  const losses: Loss[] = [];
  const fields = toChatEffort(effortForBudget(thinkingBudget), model, profile, (loss) => losses.push(loss));
  const isDropped = losses.some(({ action }) => action === 'dropped');
  const path = 'thinking_budget';
  if (isDropped) report({ path, action: 'dropped', reason: 'this server has no setting for it that is known' });
  // Not to think at all is a level everywhere that has levels.
  else if (thinkingBudget > 0 || losses.length > 0)
    report({ path, action: 'approximated', reason: 'this server counts no tokens to think for; the nearest setting was taken' });
  return fields;
}

/** Null: the server's default. */
function toChatEffort(effort: string | null, model: string, profile: ChatProfile, report: ReportLoss): EffortFields {
  // Without it some of Groq's models leave their thinking in the text.
  const format: EffortFields = profile.effort === 'groq' && groqFormatModels.test(model) ? { reasoning_format: 'parsed' } : {};
  if (effort === null) return format;
  const fields = toFields(effort, model, profile);
  if (fields === null) {
    report({ path: 'reasoning.effort', action: 'dropped', reason: 'this server has no setting for it that is known' });
    return format;
  }
  if (!fields.isExact)
    report({
      path: 'reasoning.effort',
      action: 'approximated',
      reason: `the nearest setting of this server was taken for ${effort}`,
    });
  return { ...format, ...fields.value };
}

const groqFormatModels = /qwen|deepseek-r1/i;

function toFields(effort: string, model: string, profile: ChatProfile): { value: EffortFields; isExact: boolean } | null {
  switch (profile.effort) {
    case 'reasoning-effort':
      if (profile.vendor === 'openai' && neverThinks(model)) return effort === 'none' ? { value: {}, isExact: true } : null;
      return { value: { reasoning_effort: effort }, isExact: true };
    case 'reasoning-object': {
      const level = effort === 'max' ? 'xhigh' : effort;
      return { value: { reasoning: { effort: level } }, isExact: level === effort };
    }
    case 'thinking-switch':
      return { value: { thinking: { type: effort === 'none' ? 'disabled' : 'enabled' } }, isExact: effort === 'none' };
    case 'template':
      return toTemplate(effort);
    case 'low-to-high':
      return effort === 'none' ? toTemplate(effort) : toLevel(effort);
    case 'groq':
      return toGroq(effort, model);
    case 'mistral':
      return { value: { reasoning_effort: isLittle(effort) ? 'none' : 'high' }, isExact: effort === 'none' || effort === 'high' };
    case 'none':
      return null;
  }
}

/** Variables of chat templates: Qwen's and others' switch, DeepSeek's name for it, and gpt-oss's level. Templates ignore what they do not know. */
function toTemplate(effort: string): { value: EffortFields; isExact: boolean } {
  if (effort === 'none') return { value: { chat_template_kwargs: { enable_thinking: false, thinking: false } }, isExact: true };
  return {
    value: { chat_template_kwargs: { enable_thinking: true, thinking: true, reasoning_effort: nearestLevel(effort) } },
    isExact: false,
  };
}

function toLevel(effort: string): { value: EffortFields; isExact: boolean } {
  const level = nearestLevel(effort);
  return { value: { reasoning_effort: level }, isExact: level === effort };
}

/** Qwen can be switched, gpt-oss has three levels; its other models think without any setting. */
function toGroq(effort: string, model: string): { value: EffortFields; isExact: boolean } | null {
  if (/qwen/i.test(model))
    return { value: { reasoning_effort: effort === 'none' ? 'none' : 'default' }, isExact: effort === 'none' };
  return /gpt-oss/i.test(model) ? toLevel(effort) : null;
}

function nearestLevel(effort: string): string {
  if (isLittle(effort) || effort === 'low') return 'low';
  return effort === 'medium' ? 'medium' : 'high';
}

function isLittle(effort: string): boolean {
  return effort === 'none' || effort === 'minimal';
}
