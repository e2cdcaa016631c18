import type { LogEvent } from '../check-event-log/log-event.ts';
import { knownExceptions, showsUnknownItem, unknownEventTypes, type AnyResponse } from './known-exceptions.ts';
import type { OpenResponsesSchema } from './open-responses-schema.ts';

/** Holds answers against the published schema and counts: bodies, events, and what could not pass for a known reason. */
export interface ConformanceCheck {
  readonly tried: { responses: number; events: number; errors: number; items: number };
  /** How often each known exception was met. */
  readonly exceptions: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
  readonly response: (label: string, response: object) => void;
  readonly event: (label: string, event: LogEvent) => void;
  readonly error: (label: string, body: object) => void;
  readonly item: (label: string, item: object) => void;
}

export function createConformanceCheck(schema: OpenResponsesSchema): ConformanceCheck {
  const tried = { responses: 0, events: 0, errors: 0, items: 0 };
  const exceptions = new Map<string, number>();
  const faults: string[] = [];

  function complain(label: string, found: readonly string[]): void {
    faults.push(...found.slice(0, 3).map((fault) => `${label}: ${fault}`));
  }

  function note(name: string): void {
    exceptions.set(name, (exceptions.get(name) ?? 0) + 1);
  }

  /** Valid as it is, or invalid for each of the known reasons that apply, and valid without them. Whoever holds it inside an event is told whether it is valid. */
  function checkResponse(label: string, raw: object): boolean {
    const response = raw as AnyResponse;
    const known = Object.entries(knownExceptions).filter(([, { applies }]) => applies(response));
    const amended = known.reduce((so, [, { amend }]) => amend(so), response);
    complain(label, schema.response(amended));
    for (const [name, { reason }] of known) {
      note(name);
      const others = known.filter(([other]) => other !== name).reduce((so, [, { amend }]) => amend(so), response);
      if (schema.response(others).length === 0) complain(label, [`no longer an exception: ${reason}`]);
    }
    return known.length === 0;
  }

  function checkEvent(label: string, event: LogEvent): void {
    const check = schema.events.get(event.type);
    if (unknownEventTypes.includes(event.type)) {
      note(event.type);
      if (check !== undefined) complain(label, ['the schema knows this event after all']);
      return;
    }
    if (check === undefined) return complain(label, ['the schema knows no such event']);
    const found = check(event);
    const isException = event.response === undefined ? showsUnknownItem(event) : !checkResponse(label, event.response);
    if (!isException) complain(label, found);
    else if (found.length === 0) complain(label, ['this event was expected to fail']);
    if (showsUnknownItem(event)) complain(label, check({ ...event, item: null }));
  }

  return {
    tried,
    exceptions,
    faults,
    response(label, response) {
      tried.responses++;
      checkResponse(label, response);
    },
    event(label, event) {
      tried.events++;
      checkEvent(`${label} #${String(event.sequence_number)} ${event.type}`, event);
    },
    error(label, body) {
      tried.errors++;
      const { error, ...rest } = body as { error?: unknown };
      complain(label, [...schema.error(error), ...Object.keys(rest).map((key) => `${key} beside the error`)]);
    },
    item(label, item) {
      tried.items++;
      complain(label, schema.item(item));
    },
  };
}
