import { expect, test } from 'vitest';
import { ResponseBuilder } from '../src/engine/response-builder.ts';
import type { ModelEvent } from '../src/model/model-event.ts';
import { EventLinter } from '../src/translate/responses/lint/event-linter.ts';
import { checkEventLog } from './check-event-log.ts';
import { counterId } from './counter-id.ts';
import { newTestResponse } from './doubles/new-test-response.ts';

type Log = Record<string, unknown>[];
type Path = readonly (string | number)[];

const usage: ModelEvent = { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } };

/** Between them one of everything that this gateway sends. */
const turns: readonly (readonly ModelEvent[])[] = [
  [
    { type: 'reasoning-delta', delta: 'hm' },
    { type: 'reasoning-break' },
    { type: 'reasoning-delta', delta: 'ok' },
    { type: 'text-delta', delta: 'Hello' },
    { type: 'text-delta', delta: ' there' },
    { type: 'annotation', annotation: { url: 'https://example.org', title: 'E', startIndex: 0, endIndex: 5 } },
    { type: 'web-search', queries: ['q'], sources: ['https://example.org'] },
    { type: 'call-start', callId: 'call_1', name: 'get_weather' },
    { type: 'call-delta', callId: 'call_1', delta: '{"city":' },
    { type: 'call-delta', callId: 'call_1', delta: '"Oslo"}' },
    { type: 'call-end', callId: 'call_1' },
    usage,
    { type: 'finish', reason: 'stop' },
  ],
  [{ type: 'refusal-delta', delta: 'No' }, { type: 'refusal-delta', delta: ' way' }, usage, { type: 'finish', reason: 'stop' }],
  [{ type: 'text-delta', delta: 'Hel' }, usage, { type: 'finish', reason: 'length' }],
];

function logOf(events: readonly ModelEvent[]): Log {
  const builder = new ResponseBuilder(newTestResponse(), { newId: counterId(), completedAt: () => 200, seal: () => undefined });
  return JSON.parse(JSON.stringify([...builder.begin(), ...builder.push(events), ...builder.end()])) as Log;
}

/** What a mistake is called, and the log with it. */
type Mistake = readonly [name: string, log: Log];

function numbered(log: Log): Log {
  return log.map((event, sequence_number) => ({ ...event, sequence_number }));
}

/** An event is lost, comes twice, or elsewhere. */
function misplaced(log: Log): Mistake[] {
  return log.flatMap((event, at) => {
    const name = String(event['type']);
    const rest = log.toSpliced(at, 1);
    const moved = log.flatMap((_, to): Mistake[] =>
      to === at ? [] : [[`${name} moved`, numbered(rest.toSpliced(to, 0, event))]],
    );
    return [[`${name} lost`, numbered(rest)], [`${name} twice`, numbered(log.toSpliced(at, 0, event))], ...moved] as Mistake[];
  });
}

/** A member of an event is lost, null, or something else. */
function changed(log: Log): Mistake[] {
  return log.flatMap((event, at) =>
    pathsOf(event)
      .filter((path) => isGrammar(path, event))
      .flatMap((path) => {
        const name = [event['type'], ...path.map((key) => (typeof key === 'number' ? '*' : key))].join(' ');
        const others = [undefined, null, {}, -1, 'zz'].filter(
          (value) => JSON.stringify(value) !== JSON.stringify(get(event, path)),
        );
        return others.map((value): Mistake => [`${name} = ${JSON.stringify(value)}`, log.with(at, set(event, path, value))]);
      }),
  );
}

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const path = [...at, Array.isArray(value) ? Number(key) : key];
    return [path, ...pathsOf(member, path)];
  });
}

/** The rest of the response tells what was asked for; what a search was about is said when it begins. */
function isGrammar([first, second, third]: Path, { type }: Record<string, unknown>): boolean {
  const members = ['id', 'status', 'output', 'usage', 'error', 'incomplete_details', 'completed_at'];
  if (first === 'response') return second === undefined || members.includes(String(second));
  return !(type === 'response.output_item.added' && second === 'action') && third !== 'action';
}

function get(value: unknown, [key, ...rest]: Path): unknown {
  return key === undefined ? value : get((value as Record<string | number, unknown>)[key], rest);
}

function set<T>(value: T, path: Path, member: unknown): T {
  const copy = structuredClone(value);
  const owner = get(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  const key = path.at(-1) ?? '';
  if (member === undefined && Array.isArray(owner)) owner.splice(Number(key), 1);
  else if (member === undefined) Reflect.deleteProperty(owner, key);
  else owner[key] = member;
  return copy;
}

function isFaultOfOthers(log: Log): boolean {
  const linter = new EventLinter('wire');
  return [...log.flatMap((event) => linter.push(event)), ...linter.end()].some(({ severity }) => severity === 'fault');
}

const mistakes = turns.map(logOf).flatMap((log) => {
  const all = [...misplaced(log), ...changed(log)];
  return all.filter(([, other]) => JSON.stringify(other) !== JSON.stringify(log));
});

/** A repeat of in_progress keeps clients awake; text and its sources may come in another order; why an answer ended early is a free word. */
const harmless = [
  /^response\.in_progress twice/,
  /^response\.output_text\.(delta|annotation\.added) moved/,
  /^response\.incomplete response incomplete_details reason = "zz"/,
];

test('the oracle finds every mistake in our own stream', () => {
  const missed = mistakes.filter(([name, log]) => checkEventLog(log).length === 0 && !harmless.some((rule) => rule.test(name)));
  console.log(`mistakes: ${String(missed.length)} missed / ${String(mistakes.length)} tried`);
  expect(missed.map(([name]) => name)).toEqual([]);
});

/** docs/lint.md: what others may leave out, or do besides. */
const lenient = [
  /^response\.web_search_call\.\w+ (lost|twice|moved|type)/,
  /^response\.output_text\.annotation\.added (lost|type)/,
  / action\b/,
  / (logprobs|annotations|role|completed_at|name)\b/,
  / (error|incomplete_details|usage|sequence_number) = undefined$/,
  / usage (in|out)put_tokens_details\b/,
  /^response\.output_item\.added item (arguments = undefined|status)/,
];

test('the linter of other servers finds what the oracle finds, but for what others may do', () => {
  const missed = mistakes.filter(
    ([name, log]) => !isFaultOfOthers(log) && ![...harmless, ...lenient].some((rule) => rule.test(name)),
  );
  console.log(`mistakes of others: ${String(missed.length)} missed / ${String(mistakes.length)} tried`);
  expect(missed.map(([name]) => name)).toEqual([]);
});

test('and what the linter finds the oracle finds', () => {
  expect(mistakes.filter(([, log]) => isFaultOfOthers(log) && checkEventLog(log).length === 0).map(([name]) => name)).toEqual([]);
});
