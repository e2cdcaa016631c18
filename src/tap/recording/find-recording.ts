import { createHash } from 'node:crypto';
import { isJsonObject } from '../../lib/json.ts';
import { createSecretBlanker, type SecretBlanker } from './blank-secrets.ts';
import type { LoadedRecording } from './load-recordings.ts';
import { readRoute, type Route } from './read-route.ts';
import { normalisePath, toLooseRequestKey, toRequestKey, type ComparedRequest } from './request-key.ts';

/** Chooses recordings. It counts how often each request came, so that one that was recorded several times gets the answers in their order, over and over. */
export interface RecordingFinder {
  /** A recording, or in plain words why there is none. */
  find(request: ComparedRequest): LoadedRecording | string;
}

interface Candidate {
  readonly recording: LoadedRecording;
  readonly request: ComparedRequest;
  readonly route: Route;
}

/** `loose`: any recording of the same route, kind of answer and model (else of any model) will do when none is of the same request. */
export function createRecordingFinder(recordings: readonly LoadedRecording[], loose: boolean): RecordingFinder {
  const blanker = createSecretBlanker([]);
  const candidates = recordings.map((recording) => toCandidate(recording, blanker));
  const exact = groupByKey(candidates, toRequestKey);
  const withoutIds = groupByKey(candidates, toLooseRequestKey);
  const turns = new Map<string, number>();

  function takeNext(pool: readonly Candidate[] | undefined, key: string): LoadedRecording | undefined {
    if (pool === undefined || pool.length === 0) return undefined;
    const turn = turns.get(key) ?? 0;
    turns.set(key, turn + 1);
    return pool[turn % pool.length]?.recording;
  }

  function takeSame(request: ComparedRequest): LoadedRecording | undefined {
    const key = hash(toRequestKey(request));
    const looseKey = hash(toLooseRequestKey(request));
    return takeNext(exact.get(key), `same ${key}`) ?? takeNext(withoutIds.get(looseKey), `without ids ${looseKey}`);
  }

  function takeLike(request: ComparedRequest): LoadedRecording | undefined {
    const { kind, streamRequested, model } = readRoute(request.path, '', request.body);
    if (kind === null) return undefined;
    const likes = candidates.filter(
      ({ recording, route }) =>
        route.kind === kind &&
        recording.stream === streamRequested &&
        recording.response.status < 400 &&
        recording.response.cut !== true,
    );
    const ofModel = likes.filter(({ recording }) => recording.model === model);
    const route = `${kind} ${String(streamRequested)}`;
    return takeNext(ofModel, `like ${route} ${model}`) ?? takeNext(likes, `like ${route}`);
  }

  return {
    find(request) {
      return takeSame(request) ?? (loose ? takeLike(request) : undefined) ?? explainMiss(request, candidates);
    },
  };
}

function toCandidate(recording: LoadedRecording, blanker: SecretBlanker): Candidate {
  const { method, path, body, body_text: text, body_base64: base64 } = recording.request;
  const request = { method: method.toUpperCase(), path: normalisePath(path, blanker), body: text ?? base64 ?? body ?? null };
  return { recording, request, route: readRoute(request.path, '', request.body) };
}

/** By the hash of the key: bodies are large. */
function groupByKey(
  candidates: readonly Candidate[],
  toKey: (request: ComparedRequest) => string,
): ReadonlyMap<string, readonly Candidate[]> {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const key = hash(toKey(candidate.request));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [candidate]);
    else group.push(candidate);
  }
  return groups;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** Names the recorded request that is nearest: first the same request line, then the same kind of call to the same model, then the same kind. */
function explainMiss(request: ComparedRequest, candidates: readonly Candidate[]): string {
  const asked = `No recording answers ${request.method} ${request.path}`;
  const sameLine = candidates.filter(
    (candidate) => candidate.request.method === request.method && candidate.request.path === request.path,
  );
  const nearest = nearestBody(request.body, sameLine);
  if (nearest !== undefined) {
    const where = firstDifference(nearest.request.body, request.body, 'body') ?? 'body';
    return `${asked} with this body. The nearest recording is ${describe(nearest)}: it differs at ${where}.`;
  }
  const { kind, model } = readRoute(request.path, '', request.body);
  const sameKind = kind === null ? [] : candidates.filter(({ route }) => route.kind === kind);
  const near = sameKind.find(({ recording }) => recording.model === model) ?? sameKind[0] ?? candidates[0];
  if (near === undefined) return `${asked}: there are no recordings at all.`;
  return `${asked}. The nearest recording is ${describe(near)}: ${near.request.method} ${near.request.path}.`;
}

function describe({ recording }: Candidate): string {
  return `${recording.id} (model ${recording.model})`;
}

/** The one whose text agrees longest from the beginning, in sorted form. */
function nearestBody(body: unknown, candidates: readonly Candidate[]): Candidate | undefined {
  const asked = toRequestKey({ method: '', path: '', body });
  const lengthOf = ({ request }: Candidate): number =>
    sharedLength(asked, toRequestKey({ method: '', path: '', body: request.body }));
  let best: { readonly candidate: Candidate; readonly length: number } | undefined;
  for (const candidate of candidates) {
    const length = lengthOf(candidate);
    if (best === undefined || length > best.length) best = { candidate, length };
  }
  return best?.candidate;
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Where two JSON values begin to differ, as a path; undefined when they are equal. */
function firstDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (Array.isArray(a) && Array.isArray(b)) {
    const length = Math.max(a.length, b.length);
    for (let at = 0; at < length; at += 1) {
      const found = firstDifference(a[at], b[at], `${path}[${at}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isJsonObject(a) && isJsonObject(b)) {
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
    for (const name of names) {
      const found = firstDifference(a[name], b[name], `${path}.${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return a === b ? undefined : path;
}
