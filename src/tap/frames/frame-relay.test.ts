import { describe, expect, test } from 'vitest';
import { createRecordingStage } from '../../../test/doubles/recording-stage.ts';
import { createFrameFormat, encodeOwnAnswer } from './answer-framing.ts';
import { FrameRelay } from './frame-relay.ts';

const event = (json: string): string => `data: ${json}\r\n\r\n`;

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

describe('frames on their way through a stage', () => {
  test('go on with their exact bytes unless the stage has another word for them', () => {
    const stage = createRecordingStage((value) => {
      if (JSON.stringify(value) === '{"n":2}') return { other: 'é' };
      return JSON.stringify(value) === '{"n":3}' ? null : undefined;
    });
    const relay = new FrameRelay(createFrameFormat('text/event-stream', 'events'), stage);
    expect(toText(relay.push(Buffer.from(`data:   {"n":  1}\n\n: ping\n\n`)))).toBe(`data:   {"n":  1}\n\n: ping\n\n`);
    expect(toText(relay.push(Buffer.from(event('{"n":2}') + event('{"n":3}') + event('{"n":4}').slice(0, 9))))).toBe(
      event('{"other":"é"}'),
    );
    expect(toText(relay.push(Buffer.from(event('{"n":4}').slice(9))))).toBe(event('{"n":4}'));
    expect(toText(relay.push(Buffer.from('data: not json\r\n\r\n')))).toBe('data: not json\r\n\r\n');
    expect(toText(relay.end())).toBe('');
    expect(stage.log).toEqual([
      'push {"n":1}',
      'push nothing',
      'push {"n":2}',
      'push {"n":3}',
      'push {"n":4}',
      'push nothing',
      'end',
    ]);
  });

  test('what the stage adds at the end goes in front of the end of the array', () => {
    const relay = new FrameRelay(
      createFrameFormat('application/json; charset=UTF-8', 'array'),
      createRecordingStage(() => null, [{ a: 1 }]),
    );
    const out = toText(relay.push(Buffer.from('[{\n"n": 1}\n,\r\n{"n":2}\n]\n'))) + toText(relay.end());
    expect(JSON.parse(out)).toEqual([{ a: 1 }]);
  });

  test('a whole object is one frame', () => {
    const stage = createRecordingStage(() => ({ b: 2 }));
    const relay = new FrameRelay(createFrameFormat('application/json', 'object'), stage);
    expect(toText(relay.push(Buffer.from('{"a":')))).toBe('');
    expect(toText(relay.push(Buffer.from('1}')))).toBe('');
    expect(toText(relay.end())).toBe('{"b":2}');
    expect(stage.log).toEqual(['push {"a":1}', 'end']);
  });
});

describe('how a body is read', () => {
  test.each([
    ['text/event-stream;charset=utf-8', 'array', event('1')],
    ['TEXT/EVENT-STREAM', 'object', event('1')],
    ['', 'events', event('1')],
    ['application/json', 'events', '[1]'],
    ['', 'array', '[1]'],
    ['', 'object', '[1]'],
  ] as const)('%s, asked for %s', (contentType, asked, body) => {
    const stage = createRecordingStage();
    const relay = new FrameRelay(createFrameFormat(contentType, asked), stage);
    expect(toText(relay.push(Buffer.from(body))) + toText(relay.end())).toBe(body);
    expect(stage.log[0]).toBe('push 1');
  });
});

describe('an answer of our own', () => {
  const chunks = [{ a: 1 }, { b: 2 }];

  test('as events', () => {
    const { contentType, body } = encodeOwnAnswer(chunks, 'events');
    expect(contentType).toBe('text/event-stream');
    expect(toText(body)).toBe(event('{"a":1}') + event('{"b":2}'));
  });

  test('as an array, and as one object', () => {
    expect(JSON.parse(toText(encodeOwnAnswer(chunks, 'array').body))).toEqual(chunks);
    expect(JSON.parse(toText(encodeOwnAnswer(chunks.slice(0, 1), 'object').body))).toEqual({ a: 1 });
  });
});
