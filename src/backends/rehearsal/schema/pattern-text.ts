import type { PatternNode } from './parse-pattern.ts';
import { isInSet, type CharacterSet } from './read-character-set.ts';
import type { WorkBudget } from './work-budget.ts';

const maxLength = 2_000;
const pleasant = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -_./:@,+#%&!?=~*()[]{}<>|$^\'"`;\\';

/**
 * A short text that the pattern describes; `extra` repetitions are added wherever the pattern leaves it open, so that a longer text can be asked for. Null when
 * there is none within a sensible length. Patterns with `^` or `$` in odd places may be missed: check the result.
 */
export function patternText(node: PatternNode, extra: number, variant: number): string | null {
  switch (node.type) {
    case 'characters':
      return sampleCharacter(node.set, variant);
    case 'start':
    case 'end':
      return '';
    case 'choice': {
      const option = node.options[variant % node.options.length];
      return option === undefined ? null : patternText(option, extra, variant);
    }
    case 'sequence':
      return concatenate(node.items, (item) => patternText(item, extra, variant));
    case 'repeat': {
      const once = patternText(node.item, extra, variant);
      const times = Math.min(node.max, node.min + extra);
      return once === null || once.length * times > maxLength ? null : once.repeat(times);
    }
  }
}

function concatenate(items: readonly PatternNode[], write: (item: PatternNode) => string | null): string | null {
  let text = '';
  for (const item of items) {
    const next = write(item);
    if (next === null || text.length + next.length > maxLength) return null;
    text += next;
  }
  return text;
}

function sampleCharacter(set: CharacterSet, variant: number): string | null {
  const candidates = Array.from(pleasant).filter((character) => isInSet(set, character.charCodeAt(0)));
  const chosen = candidates[variant % Math.max(candidates.length, 1)];
  if (chosen !== undefined) return chosen;
  const first = set.negated ? undefined : set.ranges[0]?.[0];
  return first === undefined ? null : String.fromCodePoint(first);
}

/** Matching recurses once per character; deeper than this the stack would be in danger. */
const maxDepth = 1_500;

type Then = (at: number) => boolean;

/** Whether the pattern is found in the text (anywhere, as JSON Schema says). False when the budget or the depth ends first: some patterns never end. */
export function isPatternIn(node: PatternNode, text: string, budget: WorkBudget): boolean {
  let depth = 0;
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);

  function matchItems(items: readonly PatternNode[], index: number, at: number, then: Then): boolean {
    const item = items[index];
    return item === undefined ? then(at) : match(item, at, (next) => matchItems(items, index + 1, next, then));
  }

  function matchRepeat(node: PatternNode & { type: 'repeat' }, done: number, at: number, then: Then): boolean {
    const more = (next: number): boolean => (next > at || done < node.min) && matchRepeat(node, done + 1, next, then);
    if (done < node.max && match(node.item, at, more)) return true;
    return done >= node.min && then(at);
  }

  function match(node: PatternNode, at: number, then: Then): boolean {
    if (depth >= maxDepth || !budget.spend()) return false;
    depth++;
    const found = matchNode(node, at, then);
    depth--;
    return found;
  }

  function matchNode(node: PatternNode, at: number, then: Then): boolean {
    switch (node.type) {
      case 'characters': {
        const point = points[at];
        return point !== undefined && isInSet(node.set, point) && then(at + 1);
      }
      case 'start':
        return at === 0 && then(at);
      case 'end':
        return at === points.length && then(at);
      case 'choice':
        return node.options.some((option) => match(option, at, then));
      case 'sequence':
        return matchItems(node.items, 0, at, then);
      case 'repeat':
        return matchRepeat(node, 0, at, then);
    }
  }

  return points.some((_, start) => match(node, start, () => true)) || match(node, points.length, () => true);
}
