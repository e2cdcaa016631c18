import type { Loss, Translated } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';

/**
 * Instructions and every system and developer message as one text: Gemini knows neither role. One in the middle of the conversation moves to the front, with a loss.
 * Null when there is none.
 */
export function toSystemText(request: ModelRequest): Translated<string | null> {
  const losses: Loss[] = [];
  const texts = request.instructions === null ? [] : [request.instructions];
  let hasBegun = false;
  for (const item of request.input) {
    if (item.type !== 'message' || (item.role !== 'system' && item.role !== 'developer')) {
      hasBegun = true;
      continue;
    }
    if (hasBegun)
      losses.push({
        path: item.path,
        action: 'approximated',
        reason: 'Gemini has system text only before the conversation; this message was moved there',
      });
    for (const part of item.content) {
      if (part.type === 'text' || part.type === 'refusal') texts.push(part.text);
      else losses.push({ path: part.path, action: 'dropped', reason: 'Gemini takes only text as system message' });
    }
  }
  const text = texts.filter((one) => one !== '').join('\n\n');
  return { value: text === '' ? null : text, losses };
}
