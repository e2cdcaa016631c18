import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../test/backend-suite.ts';
import { counterId } from '../../test/counter-id.ts';
import {
  chunk,
  createTestMarks,
  encodeBody,
  output,
  PlainAgent,
  sentBody,
  toItems,
  tool,
  user,
} from '../../test/doubles/tap-conversation.ts';
import type { JsonObject } from '../lib/json.ts';
import type { InputItem } from '../model/model-request.ts';
import type { TapTurn } from '../model/model-tap.ts';
import type { AnswerStage, Interception } from './model-call.ts';
import { createTapSessions, type TapSessions } from './tap-sessions.ts';

const clients = 64;

/** One conversation; everything in it carries the client's own number, so whatever crosses is seen. */
class Client {
  readonly crossed: string[] = [];
  readonly #sessions: TapSessions;
  readonly #own: string;
  readonly #agent = new PlainAgent();
  readonly #steps: (() => void)[] = [];
  #history: readonly InputItem[] = [];
  #turn: TapTurn | null = null;
  #answer: AnswerStage | null = null;
  #heard: unknown[] = [];

  constructor(sessions: TapSessions, number: number) {
    this.#sessions = sessions;
    this.#own = `<${String(number)}>`;
    const ask = { functionCall: { name: `tool ${this.#own}`, args: { a: this.#own } }, thoughtSignature: `sig ${this.#own}` };
    this.#addTurn([[{ text: `t ${this.#own}` }], [ask]], () => [user(`q ${this.#own}`)]);
    this.#addTurn([[{ text: `end ${this.#own}` }]], () => {
      const call = this.#history.find((item) => item.type === 'call');
      return [output(call?.callId ?? '', call?.name ?? '', `result ${this.#own}`)];
    });
  }

  /** Does one more thing; false when there is nothing left to do. */
  step(): boolean {
    const next = this.#steps.shift();
    next?.();
    return next !== undefined;
  }

  #addTurn(answer: readonly (readonly JsonObject[])[], current: () => readonly InputItem[]): void {
    this.#steps.push(
      () => {
        this.#open(current());
      },
      () => {
        this.#look(this.#intercept(false));
      },
      () => {
        this.#callModel();
      },
      ...answer.map((parts) => () => {
        this.#stream(chunk(parts.map((part) => this.#alias(part))));
      }),
      () => {
        this.#stream(chunk([], { finishReason: 'STOP' }));
        this.#close();
      },
    );
  }

  #open(current: readonly InputItem[]): void {
    const inheritedItems = this.#history.length;
    this.#history = [...this.#history, ...current];
    const session = { owner: 'o', responseId: 'r', previousResponseId: null, conversation: null, inheritedItems };
    const request = plainRequest('m', '', {
      input: this.#history,
      tools: [tool(`tool ${this.#own}`)],
      session,
      instructions: `be ${this.#own}`,
    });
    this.#turn = this.#sessions.tap.openTurn({ request, replayedItems: 0, ownTools: 'keep', onChange: () => undefined });
    const [first] = current;
    const text = first?.type === 'message' ? `q ${this.#own}` : '';
    this.#agent.say(this.#turn.markText({ block: text === '' ? `result ${this.#own}` : '', text }));
  }

  #intercept(streams: boolean): Interception {
    const body = encodeBody(this.#agent.body());
    return this.#sessions.intercept({ model: 'gemini-3-flash', streams, body, gone: new AbortController().signal });
  }

  #callModel(): void {
    const interception = this.#intercept(true);
    this.#look(interception);
    const body = sentBody(interception);
    if (!JSON.stringify(body['tools']).includes(`does tool ${this.#own}`)) this.crossed.push(`${this.#own} lacks its tool`);
    this.#answer = interception.type === 'forward' ? interception.answer : null;
    this.#answer?.begin(200);
    this.#heard = [];
    this.#body = body;
  }

  #body: JsonObject = {};

  /** The model calls the tool by the name that it was offered under. */
  #alias(part: JsonObject): JsonObject {
    const offered = /"name":"([^"]+)","description":"does tool/.exec(JSON.stringify(this.#body['tools']))?.[1];
    return JSON.parse(JSON.stringify(part).replace(`"tool ${this.#own}"`, `"${String(offered)}"`)) as JsonObject;
  }

  #stream(value: JsonObject): void {
    this.#heard.push(this.#answer?.push({ value }) ?? value);
  }

  #close(): void {
    this.#answer?.end();
    this.#agent.hear(this.#heard);
    const events = this.#turn?.takeEvents() ?? [];
    if (!JSON.stringify(events).includes(this.#own)) this.crossed.push(`${this.#own} heard nothing`);
    this.#check(JSON.stringify(events));
    this.#history = [...this.#history, ...toItems(events)];
    this.#turn?.close();
  }

  #look(interception: Interception): void {
    this.#check(JSON.stringify(sentBody(interception)));
  }

  #check(text: string): void {
    for (const [number] of text.matchAll(/<\d+>/g)) if (number !== this.#own) this.crossed.push(`${this.#own} met ${number}`);
    if (text.includes('antiphon')) this.crossed.push(`${this.#own} met a mark`);
  }
}

/** Whatever crossed between 64 conversations whose steps come in that order. */
function run(sessions: TapSessions, order: readonly number[]): string[] {
  const all = Array.from({ length: clients }, (_, number) => new Client(sessions, number));
  for (const number of order) all[number % clients]?.step();
  for (const client of all) while (client.step());
  return all.flatMap(({ crossed }) => crossed);
}

function createSessions(marks = createTestMarks()): TapSessions {
  return createTapSessions({ name: 'tap', marks, newId: counterId() });
}

/** A planted mistake: every call is taken for one of the turn that was opened last. */
function createLatestSessions(): TapSessions {
  const marks = createTestMarks();
  const sessions = createSessions(marks);
  let latest = '';
  return {
    tap: {
      name: 'tap',
      openTurn(settings) {
        const turn = sessions.tap.openTurn(settings);
        latest = turn.markText({ block: '', text: '' }).trim().split('\n').at(-1) ?? '';
        return turn;
      },
    },
    intercept(call) {
      const source = new TextDecoder().decode(call.body);
      const found = marks.findMarks(source).findLast(({ mark }) => mark?.kind === 'turn');
      const body =
        found === undefined ? source : source.slice(0, found.start) + latest + source.slice(found.start + latest.length);
      return sessions.intercept({ ...call, body: new TextEncoder().encode(body) });
    },
  };
}

describe('64 conversations at once', () => {
  const order = fc.array(fc.nat({ max: clients - 1 }), { minLength: clients * 6, maxLength: clients * 6, size: 'max' });

  test('nothing crosses, in whatever order their calls come', () => {
    fc.assert(
      fc.property(order, (numbers) => {
        expect(run(createSessions(), numbers)).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });

  test('a fallback to the latest turn is seen', () => {
    const numbers = Array.from({ length: clients * 12 }, (_, at) => at);
    expect(run(createSessions(), numbers)).toEqual([]);
    const crossed = run(createLatestSessions(), numbers);
    expect(crossed.filter((fault) => fault.includes('met <')).length).toBeGreaterThan(clients);
    expect(crossed.filter((fault) => fault.includes('lacks its tool')).length).toBeGreaterThan(clients / 2);
  });
});
