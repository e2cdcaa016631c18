import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../../../test/doubles/start-gateway.ts';

let gateway: StartedGateway;
/** Every model, as OpenAI's clients see them. */
let ids: string[];

beforeAll(async () => {
  gateway = await startGateway('store: { url: "memory:" }\nmodels: { aliases: { fast: rehearsal/default } }');
  ids = ((await get('/v1/models')).body as { data: { id: string }[] }).data.map(({ id }) => id);
});

afterAll(() => gateway.close());

const gemini = { 'x-goog-api-key': 'x' };
const anthropic = { 'anthropic-version': '2023-06-01' };

async function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(gateway.url + path, { headers });
  return { status: answer.status, body: await answer.json() };
}

describe('OpenAI', () => {
  test('gets its own list and entries', async () => {
    expect(ids.length).toBeGreaterThan(10);
    expect(ids).toContain('fast');
    expect((await get('/v1/models/rehearsal/default')).body).toMatchObject({ id: 'rehearsal/default', object: 'model' });
    expect(await get('/v1/models/nobody/nothing')).toMatchObject({ status: 404, body: { error: { code: 'model_not_found' } } });
  });
});

describe('Google', () => {
  interface Page {
    models: { name: string; supportedGenerationMethods: string[] }[];
    nextPageToken?: string;
  }

  test.each(['/v1beta/models', '/v1/models'])('gets every model page by page from %s', async (path) => {
    const names: string[] = [];
    let token = '';
    let pages = 0;
    do {
      const { body } = await get(`${path}?pageSize=4&pageToken=${encodeURIComponent(token)}`, gemini);
      const page = body as Page;
      expect(page.models.length).toBeLessThanOrEqual(4);
      names.push(...page.models.map(({ name }) => name));
      token = page.nextPageToken ?? '';
      pages++;
    } while (token !== '');
    expect(names).toEqual(ids.map((id) => `models/${id}`));
    expect(pages).toBe(Math.ceil(ids.length / 4));
  });

  test('gets fifty without being asked, and takes a page that is too large for the largest', async () => {
    expect(((await get('/v1beta/models')).body as Page).models.length).toBe(Math.min(ids.length, 50));
    expect(((await get('/v1beta/models?pageSize=100000')).body as Page).models.length).toBe(ids.length);
    expect(((await get('/v1beta/models?pageSize=0')).body as Page).models.length).toBe(Math.min(ids.length, 50));
  });

  test.each([
    '/v1beta/models/rehearsal/default',
    '/v1beta/models/rehearsal%2Fdefault',
    '/v1/models/rehearsal/default',
    '/v1beta/models/fast',
  ])('gets one from %s', async (path) => {
    const { status, body } = await get(path, gemini);
    expect([status, (body as { name: string }).name]).toEqual([
      200,
      `models/${path.endsWith('fast') ? 'fast' : 'rehearsal/default'}`,
    ]);
  });

  test.each([
    ['/v1beta/models/nobody/nothing', 404, 'NOT_FOUND'],
    ['/v1beta/models?pageToken=models/nothing', 400, 'INVALID_ARGUMENT'],
    ['/v1beta/models?pageSize=-1', 400, 'INVALID_ARGUMENT'],
    ['/v1beta/models?pageSize=many', 400, 'INVALID_ARGUMENT'],
  ])('gets %s as %i', async (path, status, word) => {
    expect(await get(path)).toMatchObject({ status, body: { error: { code: status, status: word } } });
  });
});

describe('Anthropic', () => {
  interface Page {
    data: { id: string; type: string; display_name: string; created_at: string }[];
    has_more: boolean;
    first_id: string | null;
    last_id: string | null;
  }
  const page = async (query: string): Promise<Page> => (await get(`/v1/models${query}`, anthropic)).body as Page;

  test('gets its own entries', async () => {
    const { data, first_id, last_id } = await page('?limit=2');
    expect(data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(data[0]).toEqual({ type: 'model', id: ids[0], display_name: ids[0], created_at: '1970-01-01T00:00:00Z' });
    expect([first_id, last_id]).toEqual(ids.slice(0, 2));
    expect((await get('/v1/models/rehearsal/default', anthropic)).body).toMatchObject({ type: 'model', id: 'rehearsal/default' });
  });

  test('walks forwards and backwards', async () => {
    const forwards: string[] = [];
    for (let query = '?limit=5'; query !== '';) {
      const { data, has_more, last_id } = await page(query);
      forwards.push(...data.map(({ id }) => id));
      query = has_more ? `?limit=5&after_id=${encodeURIComponent(last_id ?? '')}` : '';
    }
    expect(forwards).toEqual(ids);
    const back = await page(`?limit=3&before_id=${encodeURIComponent(ids[5] ?? '')}`);
    expect([back.data.map(({ id }) => id), back.has_more]).toEqual([ids.slice(2, 5), true]);
    expect(await page(`?before_id=${encodeURIComponent(ids[0] ?? '')}`)).toEqual({
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    });
  });

  test.each([
    ['/v1/models/nobody/nothing', 404, 'not_found_error'],
    ['/v1/models?limit=0', 400, 'invalid_request_error'],
    ['/v1/models?limit=1001', 400, 'invalid_request_error'],
    ['/v1/models?after_id=nothing', 400, 'invalid_request_error'],
    ['/v1/models?after_id=fast&before_id=fast', 400, 'invalid_request_error'],
  ])('gets %s as %i', async (path, status, type) => {
    expect(await get(path, anthropic)).toMatchObject({ status, body: { type: 'error', error: { type } } });
  });
});

describe('Codex', () => {
  /** What its catalogue needs of every model (clients.md §1.1). */
  const required = [
    ...['slug', 'display_name', 'supported_reasoning_levels', 'shell_type', 'visibility', 'supported_in_api', 'priority'],
    ...['support_verbosity', 'truncation_policy', 'experimental_supported_tools', 'base_instructions'],
  ];

  test('gets a catalogue', async () => {
    const { models } = (await get('/v1/models?client_version=0.169.0')).body as { models: Record<string, unknown>[] };
    expect(models.map(({ slug }) => slug)).toEqual(ids);
    for (const model of models) expect(Object.keys(model)).toEqual(expect.arrayContaining(required));
  });
});
