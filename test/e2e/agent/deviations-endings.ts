import { expect, test } from 'vitest';
import { readStream } from '../../doubles/post-response.ts';
import { sendHttp } from '../../doubles/send-http.ts';
import { deliveries, model, ways, type DeviationBench, type Way } from './deviation-bench.ts';

/** Protocol.md §2, items 9 and 10: how streams end, and what belongs to them. */
export function testEndings(benchOf: (way: Way) => DeviationBench): void {
  test.each(deliveries)(
    '2.9 an agent server that cannot be read any more fails the answer (stream %s, %s)',
    async (stream, way) => {
      const { ask, setFault } = benchOf(way);
      let isSent = false;
      setFault(({ method }) => {
        isSent ||= method === 'SendUserCascadeMessage';
        return isSent && /Trajectory|Stream/.test(method) ? { code: 'permission_denied', message: 'not you' } : undefined;
      });
      const { status, body, events } = await ask({ input: '[[say Hardly read]] [[hold]]', stream });
      expect(body.error?.message).toMatch(/\w/);
      if (stream) expect(events.at(-1)?.type).toBe('response.failed');
      else expect(status).toBeGreaterThanOrEqual(500);
    },
  );

  test.each(deliveries)('2.9 a model call that breaks in the middle fails the answer (stream %s, %s)', async (stream, way) => {
    const { status, body, events } = await benchOf(way).ask({ input: '[[say Half of]] [[cut]]', stream });
    expect(body.error).not.toBeNull();
    if (stream) expect(events.at(-1)?.type).toBe('response.failed');
    else expect(status).toBeGreaterThanOrEqual(500);
  });

  test.each(ways)('2.9 a stream ends with [DONE], also when it has failed, %s', async (way) => {
    const { url } = benchOf(way);
    for (const input of ['[[say Well]]', '[[say Half of]] [[cut]]']) {
      const headers = { 'content-type': 'application/json' };
      const { text } = await sendHttp(`${url}/v1/responses`, {
        ...{ path: '/v1/responses', headers, body: JSON.stringify({ model, input, stream: true }) },
      });
      expect(text.endsWith('\n\ndata: [DONE]\n\n')).toBe(true);
      expect(text.match(/^event: response\.(completed|incomplete|failed)$/gm)).toHaveLength(1);
      expect(readStream(text).faults).toEqual([]);
    }
  });

  test.each(ways)('2.10 a client that leaves stops the agent and its model call, %s', async (way) => {
    const { url, agent, model: endpoint } = benchOf(way);
    const before = agent.cascades().length;
    for (const stream of [true, false]) {
      const leave = new AbortController();
      const answer = fetch(`${url}/v1/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, input: `[[say Hello ${String(stream)}]] [[hold]]`, stream }),
        signal: leave.signal,
      }).then((response) => response.text());
      await endpoint.until(() => endpoint.held === 1);
      const held = endpoint.calls.at(-1);
      leave.abort();
      await expect(answer).rejects.toThrow();
      const cascadeId = agent.cascades().at(-1)?.cascadeId;
      await agent.until(() => agent.cancelled.some((cancelled) => cancelled.cascadeId === cascadeId));
      await endpoint.until(() => held?.wasAborted === true);
      endpoint.release();
    }
    expect(agent.cascades().length).toBe(before + 2);
  });

  test.each(ways)('2.10 a stored stream is replayed with the same numbers, from any place, %s', async (way) => {
    const { ask, url } = benchOf(way);
    const { body, events } = await ask({ input: '[[think Hm]] [[say Hello to all of you]]', stream: true });
    for (const after of [-1, 3, events.length - 2]) {
      const query = after < 0 ? '' : `&starting_after=${String(after)}`;
      const { text } = await sendHttp(`${url}/`, { path: `/v1/responses/${body.id}?stream=true${query}` });
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
      const numbers = text.match(/"sequence_number":\d+/g)?.map((number) => Number(number.replace(/\D+/, '')));
      expect(numbers).toEqual(events.flatMap(({ sequence_number: number = -1 }) => (number > after ? [number] : [])));
    }
  });

  test.each(ways)('2.10 include and stream_options are read; background is refused, not ignored, %s', async (way) => {
    const { ask } = benchOf(way);
    const include = ['reasoning.encrypted_content'];
    const sealed = await ask({ input: '[[say Hi]]', stream: true, include, stream_options: { include_obfuscation: false } });
    const carried = sealed.body.output.filter(({ type }) => type === 'reasoning') as { encrypted_content?: string }[];
    expect(carried.map(({ encrypted_content: content }) => typeof content)).toContain('string');
    expect(sealed.events.some((event) => 'obfuscation' in event)).toBe(false);
    const plain = await ask({ input: '[[say Hi]]', stream: true });
    expect(JSON.stringify(plain.events)).not.toContain('encrypted_content');
    for (const [field, value] of [
      ['background', true],
      ['include', ['everything']],
      ['stream_options', 'fast'],
    ] as const) {
      const { status, body } = await ask({ input: 'Hi', stream: true, [field]: value });
      expect([status, body.error]).toMatchObject([400, { type: 'invalid_request_error' }]);
      expect((body.error as { param?: string }).param).toMatch(new RegExp(`^${field}`));
    }
  });
}
