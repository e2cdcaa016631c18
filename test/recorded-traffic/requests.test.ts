import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import { openHttpUpstream, type HttpUpstream, type SeenRequest } from '../doubles/http-upstream.ts';
import { sendHttp } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { knownDifferences } from './normal-form/known-differences.ts';
import { toNormalForm, toSentForm } from './normal-form/to-normal-form.ts';
import { findRecordings } from './open-replay.ts';
import { dialectOf, loadRequests, needsTranslation, pathOf, staysHere, type RecordedRequest } from './recorded-requests.ts';
import { envelopeKey, sealHistory } from './seal-history.ts';

const generating = [
  ...['anthropic-stream', 'anthropic-sync', 'anthropic-compat-stream', 'anthropic-compat-sync'],
  ...['openai-responses-stream', 'openai-responses-sync', 'responses-compat-stream', 'responses-compat-sync'],
  ...['gemini-stream', 'gemini-sync'],
];
const counting = ['anthropic-counttokens-sync', 'gemini-counttokens-sync', 'openai-responses-other-sync'];
/** Where an untranslated request may leave byte for byte. */
const passed = [
  'anthropic-stream',
  'anthropic-sync',
  'anthropic-compat-stream',
  'anthropic-compat-sync',
  ...['openai-responses-stream', 'openai-responses-sync', 'responses-compat-stream', 'responses-compat-sync'],
  ...['gemini-stream', 'gemini-sync'],
];

describe.skipIf(!findRecordings())('recorded requests through the door of their dialect to a backend of their dialect', () => {
  let upstream: HttpUpstream;
  let gateway: StartedGateway;

  beforeAll(async () => {
    // What is answered is no matter here.
    upstream = await openHttpUpstream((response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"No."}}');
    });
    gateway = await startGateway(`
store: { url: "memory:" }
routing: { retries: 0, breaker: off }
envelope: { keys: ["${envelopeKey}"] }
backends:
  anthropic: { type: anthropic, api_key: test, base_url: "${upstream.url}" }
  responses: { type: responses, api_key: test, base_url: "${upstream.url}/v1" }
  gemini: { type: gemini, api_key: test, base_url: "${upstream.url}" }
`);
  });

  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  test.each([...generating, ...counting])('%s: the translated request is the recorded one in normal form', async (file) => {
    await checkAll(file, 'in normal form', { check: checkTranslated, asideOf: toAside });
  });

  async function checkTranslated(request: RecordedRequest): Promise<string | null> {
    const seen = await pass(request, sealHistory(request.body, request.model), { 'antiphon-pass-through': 'off' });
    if (staysHere(request)) return seen === undefined ? null : wronglySent;
    if (seen === undefined) return 'it was not sent';
    const difference = findDifference(request, parse(seen));
    if (!knownDifferences.has(request.id)) return difference;
    return difference === null ? 'it is listed as one that differs, but does not' : null;
  }

  function toAside(request: RecordedRequest): string {
    if (staysHere(request)) return 'for no other server';
    return knownDifferences.has(request.id) ? 'in another form for a known reason' : '';
  }

  test.each(passed)('%s: untranslated, the request leaves byte for byte but for the model', async (file) => {
    await checkAll(file, 'byte for byte', {
      check: checkPassed,
      asideOf(request) {
        if (staysHere(request)) return 'for no other server';
        return needsTranslation(request) ? 'translated, as they must be' : '';
      },
    });
  });

  async function checkPassed(request: RecordedRequest): Promise<string | null> {
    // What this gateway is to store it has to read and write itself.
    const body = dialectOf(request) === 'responses' ? { ...request.body, store: false } : request.body;
    const seen = await pass(request, body, {});
    if (staysHere(request)) return seen === undefined ? null : wronglySent;
    const isSame = seen?.body.toString() === JSON.stringify(body);
    if (needsTranslation(request)) return isSame ? 'it was not translated' : null;
    return isSame ? null : `sent was ${String(seen?.body).slice(0, 500)}`;
  }

  test.each([
    ['anthropic-stream', /"signature":"E/, 'tools'],
    ['openai-responses-sync', /"encrypted_content":"g/, 'tools'],
    ['gemini-sync', /"functionCall":\{"name":"/, 'tools'],
  ])('%s: what is lost or changed on the way would be seen', async (file, telling, list) => {
    const request = loadRequests(file).find(({ id, body }) => {
      return list in body && telling.test(JSON.stringify(body)) && !knownDifferences.has(id);
    });
    if (request === undefined) throw new Error('there is no such request');
    const seen = await pass(request, sealHistory(request.body, request.model), { 'antiphon-pass-through': 'off' });
    if (seen === undefined) throw new Error('it was not sent');
    const text = seen.body.toString();
    const sent = parse(seen);
    expect(findDifference(request, sent)).toBeNull();
    expect(text).toMatch(telling);
    const changed = text.replace(telling, (found) => `${found}x`);
    const tools = (sent[list] as JsonObject[]).slice(1);
    const history = 'input' in sent ? 'input' : 'contents' in sent ? 'contents' : 'messages';
    const turns = (sent[history] as JsonObject[]).slice(1);
    const planted = [JSON.parse(changed) as JsonObject, { ...sent, [list]: tools }, { ...sent, [history]: turns }];
    for (const mistake of planted) expect(findDifference(request, mistake)).not.toBeNull();
  });

  /** Runs a check for every request of a file and prints how many it let pass; `asideOf` names those that it holds to another rule. */
  async function checkAll(
    file: string,
    how: string,
    {
      check,
      asideOf,
    }: { check: (request: RecordedRequest) => Promise<string | null>; asideOf: (request: RecordedRequest) => string },
  ): Promise<void> {
    const requests = loadRequests(file);
    const faults: string[] = [];
    const asides = new Map<string, number>();
    for (const request of requests) {
      const fault = await check(request);
      if (fault !== null) faults.push(`${request.id}: ${fault}`);
      const aside = asideOf(request);
      if (aside !== '') asides.set(aside, (asides.get(aside) ?? 0) + 1);
    }
    const others = [...asides].map(([aside, count]) => `, ${String(count)} of them ${aside}`).join('');
    const good = `${String(requests.length - faults.length)} of ${String(requests.length)}`;
    console.log(`recorded requests of ${file} ${how}: ${good}${others}`);
    expect(faults).toEqual([]);
    expect(requests.length).toBeGreaterThan(0);
  }

  /** The request that the model server got, if it got one. */
  async function pass(
    request: RecordedRequest,
    body: JsonObject,
    headers: Record<string, string>,
  ): Promise<SeenRequest | undefined> {
    const before = upstream.requests.length;
    const dialect = dialectOf(request);
    // Only in Gemini's dialect the model stands in the path.
    const model = dialect === 'gemini' ? {} : { model: `${dialect}/${request.model}` };
    await sendHttp(gateway.url, {
      path: pathOf(request, dialect),
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ ...body, ...model }),
    });
    return upstream.requests[before];
  }
});

const wronglySent = 'it was sent, although only its own server can answer it';

function parse({ body }: SeenRequest): JsonObject {
  return JSON.parse(body.toString()) as JsonObject;
}

/** The first member that differs, in both forms; null when there is none. */
function findDifference(request: RecordedRequest, sent: JsonObject): string | null {
  const dialect = dialectOf(request);
  const { store, ...counted } = toNormalForm(dialect, request.body);
  // Where tokens are counted there is nothing to store.
  const wanted = store === undefined || request.path.endsWith('/input_tokens') ? counted : { ...counted, store };
  const got = toSentForm(dialect, sent);
  const key = Object.keys({ ...wanted, ...got }).find((one) => !isDeepStrictEqual(wanted[one], got[one]));
  if (key === undefined) return null;
  return `${key}\n  wanted ${show(wanted[key])}\n  got    ${show(got[key])}`;
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(-700);
}
