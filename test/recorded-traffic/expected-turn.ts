import { expectedGemini, partsOf } from './expected-gemini.ts';
import { words, type Loose, type Recording } from './loose.ts';

/** A part as Gemini must get it back. */
export type ReturnedPart = Record<string, unknown>;

/**
 * The `parts` of a recorded answer as they have to go back with the next turn (backends.md B.2, "thoughtSignature rules"): every signature on its part, in order, a signed
 * text never joined with another. Thoughts and empty texts without a signature need not come back; unsigned texts side by side are pieces of one text; a call that
 * came in pieces is one call.
 */
export function expectedTurn(recording: Recording): ReturnedPart[] {
  const calls = expectedGemini(recording).calls.values();
  const parts: ReturnedPart[] = [];
  for (const part of partsOf(recording).filter(isWanted)) {
    const last = parts.at(-1);
    if (part['functionCall']) {
      const { name } = part['functionCall'];
      if (words(name) !== '') parts.push(toCallPart(part, calls.next().value?.arguments));
    } else if (isPlainText(part) && last !== undefined && isPlainText(last))
      last['text'] = words(last['text']) + words(part['text']);
    else parts.push({ ...part });
  }
  return parts;
}

/** The same parts for a client that brought no signature back; the skip value stands on the first call. */
export function withoutSignatures(parts: readonly ReturnedPart[], skip?: string): ReturnedPart[] {
  const stripped: ReturnedPart[] = [];
  for (const part of parts) {
    const bare: ReturnedPart = { ...part };
    delete bare['thoughtSignature'];
    if (bare['functionCall'] !== undefined) {
      const { name, args } = bare['functionCall'] as Record<string, unknown>;
      const isFirst = !stripped.some((other) => other['functionCall'] !== undefined);
      stripped.push({ functionCall: { name, args }, ...(isFirst && skip !== undefined && { thoughtSignature: skip }) });
    } else if (isPlainText(bare) && words(bare['text']) !== '') {
      const last = stripped.at(-1);
      if (last !== undefined && isPlainText(last)) last['text'] = words(last['text']) + words(bare['text']);
      else stripped.push(bare);
    }
  }
  return stripped;
}

export function isSigned(recording: Recording): boolean {
  return partsOf(recording).some((part) => words(part['thoughtSignature']) !== '');
}

function isWanted(part: Loose): boolean {
  if (words(part['thoughtSignature']) !== '') return true;
  return !part['thought'] && part['text'] !== ('' as unknown);
}

function isPlainText(part: ReturnedPart): boolean {
  return typeof part['text'] === 'string' && part['thoughtSignature'] === undefined;
}

function toCallPart(part: Loose, args: unknown): ReturnedPart {
  const id = words(part['functionCall']?.['id']);
  const signature = words(part['thoughtSignature']);
  return {
    functionCall: { ...(id !== '' && { id }), name: words(part['functionCall']?.['name']), args },
    ...(signature !== '' && { thoughtSignature: signature }),
  };
}
