import { isJsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';

/** The SDK's names of settings → ours. */
const paths: { readonly [feature: string]: string } = {
  maxOutputTokens: 'max_output_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
  seed: 'seed',
  stopSequences: 'stop',
  responseFormat: 'text.format',
  toolChoice: 'tool_choice',
  reasoningEffort: 'reasoning.effort',
};

/** What a provider says it could not do. Its words go on as far as `clean` leaves them. */
export function toWarningLosses(warnings: unknown, clean: (text: string) => string | undefined): Loss[] {
  if (!Array.isArray(warnings)) return [];
  return (warnings as readonly unknown[]).filter(isJsonObject).map(({ type, feature, details, message }) => {
    const name = typeof feature === 'string' ? feature : '';
    const said = [name, typeof details === 'string' ? details : '', typeof message === 'string' ? message : ''];
    const words = clean(said.filter((part) => part !== '').join(': '));
    return {
      path: paths[name] ?? (/^tool|tools$/i.test(name) ? 'tools' : 'input'),
      action: type === 'unsupported' ? 'dropped' : 'approximated',
      reason: words === undefined ? 'the provider could not do everything that was asked' : `the provider warns: ${words}`,
    };
  });
}
