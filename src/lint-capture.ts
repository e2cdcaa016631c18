import { isJsonObject, parseJson } from './lib/json.ts';
import { createSseDecoder } from './lib/sse-decoder.ts';
import { EventLinter } from './translate/responses/lint/event-linter.ts';
import type { LintFault } from './translate/responses/lint/lint-rules.ts';

export interface CaptureReport {
  /** In the order of the events; the ones of a stream as a whole come at its end. */
  readonly faults: readonly LintFault[];
  readonly events: number;
  /** The capture is one JSON object that is no event: a whole answer, or an error. */
  readonly isBody: boolean;
}

/** One event as it stood in the capture. */
interface CapturedEvent {
  /** The `event:` line, or null. */
  readonly name: string | null;
  /** Undefined: no JSON. */
  readonly data: unknown;
}

/**
 * Lints a captured stream: server-sent events as they came over the wire (curl's headers before them do no harm), bare `data:` lines, one JSON event a line, or one JSON array of events.
 * Several streams may follow each other; each begins with `response.created`.
 */
export function lintCapture(text: string): CaptureReport {
  if (isBody(text)) return { faults: [], events: 0, isBody: true };
  const events = readEvents(text);
  const faults: LintFault[] = [];
  let linter = new EventLinter('wire');
  let isOver = false;
  events.forEach(({ name, data }, at) => {
    const type = isJsonObject(data) && typeof data['type'] === 'string' ? data['type'] : '';
    if (isOver && type === 'response.created') {
      faults.push(...linter.end());
      linter = new EventLinter('wire');
      isOver = false;
    }
    const base = { severity: 'fault', event: at, type } as const;
    if (data === undefined) {
      faults.push({ ...base, rule: 'not-json', words: 'is not JSON' });
      return;
    }
    if (name !== null && type !== '' && name !== type)
      faults.push({ ...base, rule: 'event-name', words: `is called '${name.slice(0, 60)}' in its event line` });
    faults.push(...linter.push(data).map((fault) => ({ ...fault, event: at })));
    isOver ||= /^response\.(completed|incomplete|failed)$/.test(type);
  });
  faults.push(...linter.end());
  return { faults, events: events.length, isBody: false };
}

function isBody(text: string): boolean {
  const whole = parseJson(text.replace(/^\uFEFF/, ''));
  return isJsonObject(whole) && typeof whole['type'] !== 'string';
}

function readEvents(text: string): readonly CapturedEvent[] {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  const list = trimmed.startsWith('[') ? parseJson(trimmed) : undefined;
  if (Array.isArray(list)) return list.map((data: unknown) => ({ name: null, data }));
  if (trimmed.startsWith('{')) return readLines(trimmed);
  const decoder = createSseDecoder({ maxEventBytes: Infinity });
  const found = [...decoder.push(new TextEncoder().encode(trimmed)), ...decoder.end()];
  return found.flatMap(({ event, data }) => readData(event, data));
}

/** `data:` lines that lost the blank lines between them look like one event of several lines. */
function readData(name: string | null, data: string): readonly CapturedEvent[] {
  if (data.trim() === '' || data.startsWith('[DONE]')) return [];
  const whole = parseJson(data);
  if (whole !== undefined || !data.includes('\n')) return [{ name, data: whole }];
  return readLines(data);
}

function readLines(text: string): readonly CapturedEvent[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('[DONE]'))
    .map((line) => ({ name: null, data: parseJson(line) }));
}
