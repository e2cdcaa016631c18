import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { GeminiContent } from '../../protocol/gemini/request.ts';
import type { ToolNames } from '../tool-names.ts';
import type { ModelTraits } from './model-traits.ts';
import { addSkipSignatures } from './skip-signatures.ts';
import { writeHistory } from './write-history.ts';

/**
 * The history without system messages → `contents`. Roles alternate, calls of one step stand in one content and their responses, in the order of the calls, in the next one;
 * never empty, and begins with the user.
 */
export function toContents(request: ModelRequest, names: ToolNames, traits: ModelTraits): Translated<GeminiContent[]> {
  const history = writeHistory(request.input, { model: request.model, names, traits });
  const losses: Loss[] = [...history.losses];
  const contents: GeminiContent[] = [];
  for (const { role, part } of history.parts) {
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(part);
    else contents.push({ role, parts: [part] });
  }
  if (contents[0]?.role !== 'user') {
    contents.unshift({ role: 'user', parts: [{ text: ' ' }] });
    losses.push({
      path: 'input',
      action: 'emulated',
      reason: 'a conversation with Gemini begins with the user, so a blank message was put first',
    });
  }
  if (traits.isGemini3) losses.push(...addSkipSignatures(contents, history.exchanges));
  return { value: contents, losses };
}
