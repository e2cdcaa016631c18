import { randomBytes } from 'node:crypto';
import { createNewId } from '../../src/new-id.ts';
import { createMarks } from '../../src/tap/marks.ts';
import type { Interception, ModelCall } from '../../src/tap/model-call.ts';
import { createTapSessions, type TapSessions } from '../../src/tap/tap-sessions.ts';

/**
 * Planted mistakes: sessions with one global slot for "the turn that was opened last". `always`: every marked call is taken for one of it. `fallback`: only calls whose own mark is not
 * found; the main calls of every eighth turn lose theirs, as some builds would spoil it.
 */
export type PlantedSlot = 'always' | 'fallback';

/** `slot` null: the real sessions, under the same spoilt marks as `fallback`. */
export function createLatestSessions(slot: PlantedSlot | null): TapSessions {
  const marks = createMarks({ keys: [randomBytes(32)], randomBytes });
  const sessions = createTapSessions({ name: 'planted', marks, newId: createNewId() });
  let latest = '';

  function intercept(call: ModelCall): Interception {
    const source = new TextDecoder().decode(call.body);
    const own = marks.findMarks(source).findLast(({ mark }) => mark?.kind === 'turn');
    if (own?.mark?.kind !== 'turn') return sessions.intercept(call);
    const isSpoilt = call.streams && Number.parseInt(own.mark.turn.slice(0, 2), 16) % 8 === 0;
    if (slot !== 'always' && !isSpoilt) return sessions.intercept(call);
    const mark = slot === null ? 'spoilt' : latest;
    const spoilt = source.slice(0, own.start) + mark + source.slice(own.end);
    const found = sessions.intercept({ ...call, body: new TextEncoder().encode(spoilt) });
    return found.type === 'pass' ? { type: 'forward', body: spoilt, answer: null, signal: null } : found;
  }

  return {
    tap: {
      name: 'planted',
      openTurn(settings) {
        const turn = sessions.tap.openTurn(settings);
        latest = turn.markText({ block: '', text: '' }).trim().split('\n').at(-1) ?? '';
        return turn;
      },
    },
    intercept,
  };
}
