import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ScriptedBackend } from '../../../test/doubles/scripted-backend.ts';
import { GatewayError, type ErrorCode } from '../../model/errors.ts';
import type { ResolvedModel } from '../../model/model-catalog.ts';
import { Affinity } from './affinity.ts';
import { isIllness, judgeFailure } from './judge-failure.ts';
import { planRoute } from './plan-route.ts';
import { RouteWalk } from './route-walk.ts';

const backend = new ScriptedBackend();

function toSteps(names: readonly (readonly string[])[]): ResolvedModel[][] {
  return names.map((step) => step.map((name) => ({ backend, model: name, publicName: `b/${name}` })));
}

function namesOf(steps: readonly (readonly ResolvedModel[])[]): string[][] {
  return steps.map((step) => step.map(({ model }) => model));
}

/** Walks while every target fails; what it says of each failure: seconds to rest, or that it is out of the question. */
function walk(names: readonly (readonly string[])[], retries: number, fails: (model: string) => number | null | 'out'): string[] {
  const way = new RouteWalk(toSteps(names), retries);
  const moves: string[] = [];
  for (let move = way.next(); move !== undefined; move = way.next()) {
    moves.push(`${move.target.model}${move.retry === 0 ? '' : String(move.retry)}`);
    const failure = fails(move.target.model);
    if (failure === 'out') way.drop(move.target);
    else way.mayComeAgain(move.target, failure);
  }
  return moves;
}

describe('route walk', () => {
  test('equals first, then retries in a round, then the next step', () => {
    expect(walk([['a', 'b'], ['c']], 2, () => null)).toEqual(['a', 'b', 'a1', 'b2', 'c', 'c1', 'c2']);
  });

  test('the one that wants the shortest rest is asked again', () => {
    expect(walk([['a', 'b']], 2, (model) => (model === 'a' ? 3 : 1))).toEqual(['a', 'b', 'b1', 'b2']);
  });

  test('what is out of the question is not asked again', () => {
    expect(walk([['a', 'b'], ['c']], 1, (model) => (model === 'a' ? 'out' : null))).toEqual(['a', 'b', 'b1', 'c', 'c1']);
  });

  test('any route: every target once, in order of the steps, and never more retries than allowed', () => {
    const steps = fc.array(
      fc.nat(3).map((extra) => extra + 1),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(steps, fc.nat(3), fc.func(fc.constantFrom(null, 1, 7, 'out' as const)), (sizes, retries, fails) => {
        const names = sizes.map((size, step) => Array.from({ length: size }, (_, at) => `${String(step)}.${String(at)}:`));
        const moves = walk(names, retries, fails);
        expect(moves.filter((move) => move.endsWith(':'))).toEqual(names.flat());
        for (const [step] of names.entries()) {
          const again = moves.filter((move) => move.startsWith(`${String(step)}.`) && !move.endsWith(':'));
          expect(again.length).toBeLessThanOrEqual(retries);
        }
      }),
    );
  });
});

describe('plan', () => {
  const steps = toSteps([
    ['a', 'b', 'c'],
    ['d', 'e'],
  ]);
  const plan = (previousModel: string | null, sticky?: string, turn = 0): string[][] =>
    namesOf(
      planRoute(steps, {
        previousModel,
        places: [
          { sticky, turn },
          { sticky: undefined, turn },
        ],
      }),
    );

  test('in turn, unless the session has a place', () => {
    expect([0, 1, 2, 3].map((turn) => plan(null, undefined, turn)[0])).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c', 'a'],
      ['c', 'a', 'b'],
      ['a', 'b', 'c'],
    ]);
    expect(plan(null, 'b/c')[0]).toEqual(['c', 'a', 'b']);
    expect(plan(null, 'b/gone')[0]).toEqual(['a', 'b', 'c']);
  });

  test('the model that made the previous response comes before everything', () => {
    expect(plan('b/b', 'b/c')).toEqual([
      ['b', 'c', 'a'],
      ['d', 'e'],
    ]);
    expect(plan('b/e')).toEqual([['e'], ['a', 'b', 'c'], ['d']]);
    expect(plan('b/other')).toEqual(namesOf(steps));
    const single = planRoute(toSteps([['a'], ['d']]), { previousModel: 'b/d', places: [] });
    expect(namesOf(single)).toEqual([['d'], ['a']]);
  });

  test('any choice keeps every target, once', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'x').map((model) => `b/${model}`);
    fc.assert(
      fc.property(fc.option(name), fc.option(name, { nil: undefined }), fc.nat(), (previous, sticky, turn) => {
        expect(plan(previous, sticky, turn).flat().sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
      }),
    );
  });
});

describe('affinity', () => {
  test('a session is known until it has not come for long', () => {
    const affinity = new Affinity(100);
    affinity.remember('s', 'a', 0);
    expect([affinity.find('s', 99), affinity.find('s', 100), affinity.find('t', 0)]).toEqual(['a', undefined, undefined]);
    affinity.remember('s', 'b', 50);
    expect([affinity.find('s', 149), affinity.find('s', 150)]).toEqual(['b', undefined]);
  });

  test('memory is bounded: old ones go, and the one not seen for longest', () => {
    const affinity = new Affinity(1_000, 3);
    for (const [at, name] of ['a', 'b', 'c'].entries()) affinity.remember(name, 'x', at);
    affinity.remember('a', 'x', 3);
    affinity.remember('d', 'x', 4);
    expect(['a', 'b', 'c', 'd'].map((name) => affinity.find(name, 5))).toEqual(['x', undefined, 'x', 'x']);
    affinity.remember('e', 'x', 5_000);
    expect(affinity.size).toBe(1);
  });
});

test.each<[ErrorCode, string, boolean]>([
  ['rate_limit_exceeded', 'again', true],
  ['upstream_unreachable', 'again', true],
  ['upstream_error', 'again', true],
  ['upstream_overloaded', 'again', true],
  ['upstream_timeout', 'elsewhere', true],
  ['upstream_invalid_response', 'elsewhere', true],
  ['upstream_auth_failed', 'elsewhere', false],
  ['upstream_auth_missing', 'elsewhere', false],
  ['upstream_tls_error', 'elsewhere', false],
  ['insufficient_quota', 'elsewhere', false],
  ['model_not_found', 'elsewhere', false],
  ['upstream_truncated', 'stop', true],
  ['invalid_request_error', 'stop', false],
  ['context_length_exceeded', 'stop', false],
  ['storage_unavailable', 'stop', false],
  ['server_error', 'stop', false],
])('%s: %s', (code, verdict, isIll) => {
  const error = new GatewayError(code, 'x');
  expect([judgeFailure(error), isIllness(error)]).toEqual([verdict, isIll]);
  if (verdict === 'again') expect(judgeFailure(error.asFinal())).toBe('stop');
});
