import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTestMarks } from '../../test/doubles/tap-conversation.ts';
import { createMarks, hashCallId } from './marks.ts';

const span = { from: 3, current: 70_000, end: 70_001, fingerprint: '0123456789abcdef' };

describe('marks', () => {
  test('are letters and digits only, of one length, and say what they were made of', () => {
    const marks = createTestMarks();
    const turn = marks.newTurn();
    const written = [marks.writeTurnMark(turn), marks.writeCallMark('call_1')];
    const block = marks.writeText(turn, { span, block: '', text: '' }).split('\n')[0] ?? '';
    for (const mark of [...written, block]) expect(mark).toMatch(/^antiphon[0-9a-v]{80}$/);
    const [first, second, third] = [...written, block].map((mark) => marks.findMarks(mark)[0]?.mark);
    expect(first).toEqual({ kind: 'turn', turn });
    expect(second).toEqual({ kind: 'call', call: hashCallId('call_1') });
    expect(third).toEqual({ kind: 'block', turn, span });
  });

  test('no two turns are alike', () => {
    const marks = createTestMarks();
    expect(new Set([marks.newTurn(), marks.newTurn(), marks.newTurn()]).size).toBe(3);
  });

  test('need no memory: another process with the same key reads them', () => {
    const mark = createTestMarks().writeCallMark('call_1');
    expect(createTestMarks().findMarks(mark)).toHaveLength(1);
  });

  test('every key of the ring verifies, the first one writes', () => {
    const keys = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(7)];
    const ring = createMarks({ keys, randomBytes: (size) => new Uint8Array(size) });
    const old = createTestMarks(7).writeCallMark('a');
    expect(ring.stripMarks(`x${old}y${ring.writeCallMark('b')}z`)).toBe('xyz');
    expect(createTestMarks(1).findMarks(ring.writeCallMark('b'))).toHaveLength(1);
  });

  test('lookalikes, and marks of another gateway, are a client’s text like any other', () => {
    const marks = createTestMarks();
    const foreign = createTestMarks(8).writeTurnMark('00'.repeat(12));
    for (const text of [
      'antiphon',
      'antiphon0123456789abcdef',
      foreign,
      `antiphon${'0'.repeat(80)}`,
      'antiphons',
      foreign.slice(0, 12),
      foreign.slice(20),
    ]) {
      expect(marks.stripMarks(text)).toBe(text);
      expect(marks.mayContain(new TextEncoder().encode(text))).toBe(false);
    }
  });

  test('a mark with any digit changed says nothing', () => {
    const marks = createTestMarks();
    const mark = marks.writeCallMark('a');
    for (let at = 16; at < mark.length; at += 1) {
      const changed = mark.slice(0, at) + (mark[at] === '0' ? '1' : '0') + mark.slice(at + 1);
      expect(marks.findMarks(changed).flatMap(({ mark: read }) => (read === null ? [] : [read]))).toEqual([]);
    }
  });

  test.each([9, 10, 15, 16, 17, 40, 87])('a mark cut behind %i letters says nothing and goes away all the same', (length) => {
    const marks = createTestMarks();
    const cut = marks.writeTurnMark(marks.newTurn()).slice(0, length);
    expect(marks.stripMarks(`Title of "${cut}…"`)).toBe('Title of "…"');
    expect(marks.stripMarks(`${cut}\nx`)).toBe('\nx');
    expect(marks.findMarks(cut)).toMatchObject([{ mark: null }]);
    expect(marks.mayContain(new TextEncoder().encode(`{"text":"a ${cut}"}`))).toBe(true);
  });

  test.each([1, 7, 8, 9, 16, 40, 80])('a mark without its first %i letters, too', (length) => {
    const marks = createTestMarks();
    const rest = marks.writeTurnMark(marks.newTurn()).slice(length);
    expect(marks.stripMarks(`… ${rest}\nhi`)).toBe('… hi');
    expect(marks.stripMarks(`${rest}hi`)).toBe('hi');
    expect(marks.findMarks(rest)).toMatchObject([{ mark: null }]);
    expect(marks.mayContain(new TextEncoder().encode(`{"text":"${rest}"}`))).toBe(true);
  });

  test('both ends of a mark whose middle is left out go, and a whole mark behind a piece says what it says', () => {
    const marks = createTestMarks();
    const mark = marks.writeTurnMark(marks.newTurn());
    expect(marks.stripMarks(`${mark.slice(0, 30)} … ${mark.slice(50)}\nhi`)).toBe(' … hi');
    expect(marks.findMarks(mark.slice(20) + mark).map(({ mark: read }) => read?.kind)).toEqual([undefined, 'turn']);
  });

  test('the first letters of a mark inside a longer word are that word’s', () => {
    const marks = createTestMarks();
    const mark = marks.writeTurnMark(marks.newTurn());
    const other = mark[12] === 'x' ? 'y' : 'x';
    for (const text of [`${mark.slice(0, 12)}${other}`, `${mark.slice(0, 10)}Z`]) expect(marks.stripMarks(text)).toBe(text);
  });

  test('one line end or blank behind a mark belongs to it, nothing else', () => {
    const marks = createTestMarks();
    const mark = marks.writeTurnMark(marks.newTurn());
    expect(marks.stripMarks(`a ${mark}\n b`)).toBe('a  b');
    expect(marks.stripMarks(`${mark}\r\n\n b`)).toBe('\n b');
    expect(marks.stripMarks(`${mark} b ${mark}`)).toBe('b ');
    expect(marks.stripMarks(`${mark}\tb${mark}${mark}`)).toBe('\tb');
  });

  test('marks in the client’s own text do not reach the agent server', () => {
    const marks = createTestMarks();
    const [mine, other] = [marks.newTurn(), marks.newTurn()];
    const text = marks.writeText(mine, {
      span,
      block: `x ${marks.writeTurnMark(mine)}`,
      text: `copied ${marks.writeTurnMark(other)}`,
    });
    const turns = marks.findMarks(text).map(({ mark }) => mark);
    expect(turns).toMatchObject([
      { kind: 'block', turn: mine },
      { kind: 'turn', turn: mine },
    ]);
  });
});

test('letters and digits that are not ours are never touched', () => {
  const marks = createTestMarks();
  const letters = (all: string) => fc.string({ unit: fc.constantFrom(...all.split('')), maxLength: 200 });
  const digits = '0123456789abcdefghijklmnopqrstuv';
  const piece = fc.oneof(
    letters(digits),
    letters(`${digits}wxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/=`),
    letters(digits).map((text) => `antiphon${text}`),
    fc.constantFrom('antiphon', 'antiphons', 'antiphony', ' ', '\n', '"', '\\'),
  );
  const foreign = createTestMarks(8);
  const foreignMark = foreign.writeCallMark('x');
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.constant(foreignMark))), (pieces) => {
      const text = pieces.join('');
      // The opening of a mark is ours, also when nothing stands behind it.
      fc.pre(!text.replaceAll(foreignMark, ' ').includes('antiphonq'));
      expect(marks.stripMarks(text)).toBe(text);
      expect(marks.stripJsonSource(JSON.stringify([text]))).toBe(JSON.stringify([text]));
    }),
    { numRuns: 500 },
  );
  expect(foreign.stripMarks(`a${foreign.writeCallMark('x')}`)).toBe('a');
});

test.each(['\n', '\\', '\\n', '"', '\t', '\u0001', '\u001f', 'é\u2028', '…', 'w'])(
  'an escape of JSON in front of a piece stays whole: %j',
  (before) => {
    const marks = createTestMarks();
    const rest = marks.writeTurnMark(marks.newTurn()).slice(20);
    for (const source of [JSON.stringify([`a${before}${rest}\nhi`]), `["a\\u00E9${rest}\\nhi"]`, `["\\u003cA\\/${rest} hi"]`]) {
      const stripped = JSON.parse(marks.stripJsonSource(source)) as unknown;
      expect(stripped).toEqual(strip(JSON.parse(source), (text) => marks.stripMarks(text)));
    }
  },
);

test('the source of any JSON keeps all but the marks, byte for byte', () => {
  const marks = createTestMarks();
  const mark = marks.writeTurnMark(marks.newTurn());
  const placed = fc.constantFrom(
    mark,
    `${mark}\n`,
    `${mark}\r\n`,
    `${mark} `,
    marks.writeCallMark('c'),
    mark.slice(30),
    mark.slice(-8),
  );
  const text = fc.array(fc.oneof(fc.string(), placed)).map((pieces) => pieces.join(''));
  const json = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value')),
      fc.dictionary(fc.string(), tie('value')),
    ),
  })).value;
  fc.assert(
    fc.property(json, fc.constantFrom(undefined, 1), (value, indent) => {
      const stripped = marks.stripJsonSource(JSON.stringify(value, null, indent));
      expect(stripped).toBe(
        JSON.stringify(
          strip(value, (text) => marks.stripMarks(text)),
          null,
          indent,
        ),
      );
    }),
  );
});

function strip(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => strip(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, strip(member, change)]));
}
