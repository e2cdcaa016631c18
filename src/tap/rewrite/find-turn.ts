import type { JsonObject } from '../../lib/json.ts';
import type { Marks } from '../marks.ts';
import { readObjects, sideOf, visibleText } from './gemini-body.ts';

/** Which open turn a request belongs to, and whether it asks what that turn's user said last. */
export interface FoundTurn {
  readonly turn: string;
  /** The turn's mark stands in the last marked text of the user: it may be a main call. */
  readonly isAsked: boolean;
}

/**
 * The one open turn whose mark a request carries; `source` is the text of its whole body. Marks of several open turns where only one can be meant (an agent server that shows one
 * conversation to another, a mark that somebody copied) belong to none of them: correlation is exact or closed.
 */
export function findTurn(
  { inner, source }: { readonly inner: JsonObject; readonly source: string },
  marks: Marks,
  isOpen: (turn: string) => boolean,
): FoundTurn | null {
  const asked = askedTurns(inner, marks).filter(isOpen);
  if (asked.length > 0) return toFound(asked, true);
  const quoted = marks.findMarks(source).flatMap(({ mark }) => (mark === null || mark.kind === 'call' ? [] : [mark.turn]));
  return toFound([...new Set(quoted)].filter(isOpen), false);
}

function toFound([turn, ...others]: readonly string[], isAsked: boolean): FoundTurn | null {
  return turn === undefined || others.length > 0 ? null : { turn, isAsked };
}

/** The turns in the last content of the user that has any turn mark: only in text, since the output of a tool may quote anything. */
export function askedTurns(inner: JsonObject, marks: Marks): readonly string[] {
  for (const content of readObjects(inner['contents']).toReversed()) {
    if (sideOf(content) !== 'user') continue;
    const found = readObjects(content['parts'])
      .flatMap((part) => marks.findMarks(visibleText(part) ?? ''))
      .flatMap(({ mark }) => (mark?.kind === 'turn' ? [mark.turn] : []));
    if (found.length > 0) return [...new Set(found)];
  }
  return [];
}
