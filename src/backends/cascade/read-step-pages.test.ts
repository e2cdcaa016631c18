import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayError } from '../../model/errors.ts';
import { mapCascadeError } from '../../translate/cascade/map-cascade-error.ts';
import { readStepPages } from './read-step-pages.ts';

const context = { backendName: 'agent', method: 'GetCascadeTrajectorySteps', hasCsrfToken: false, hasToken: false };

/** What a server answers behind its last step. */
type PastEnd = 'nothing' | 'last page' | 'error';

/** Reads them all, and says how many pages were asked for. */
async function read(
  all: readonly unknown[],
  {
    size,
    pastEnd = 'nothing',
    fromStep = 0,
    totalSteps = 0,
  }: { size: number; pastEnd?: PastEnd; fromStep?: number; totalSteps?: number },
): Promise<{ steps: readonly unknown[] | null; asked: number }> {
  let asked = 0;
  const readPage = (offset: number): Promise<readonly unknown[]> => {
    asked += 1;
    if (offset < all.length || pastEnd === 'nothing') return Promise.resolve(all.slice(offset, offset + size));
    if (pastEnd === 'last page') return Promise.resolve(all.slice(Math.floor((all.length - 1) / size) * size));
    return Promise.reject(
      mapCascadeError({ status: 500, code: 'unknown', text: 'step offset out of range', retryAfter: null }, context),
    );
  };
  return { steps: await readStepPages({ readPage, fromStep, totalSteps }), asked };
}

const five = [0, 1, 2, 3, 4].map((n) => ({ n }));

test.each(['nothing', 'last page', 'error'] as const)(
  'with a known total nothing behind the end is asked for (%s)',
  async (pastEnd) => {
    for (const size of [1, 2, 5, 100]) {
      expect(await read(five, { size, pastEnd, totalSteps: 5 })).toEqual({ steps: five, asked: Math.ceil(5 / size) });
      expect(await read(five, { size, pastEnd, totalSteps: 5, fromStep: 5 })).toEqual({ steps: [], asked: 0 });
    }
  },
);

test.each(['nothing', 'last page', 'error'] as const)('without one the end is found all the same (%s)', async (pastEnd) => {
  for (const size of [1, 2, 5, 100]) expect((await read(five, { size, pastEnd })).steps).toEqual(five);
});

test('any steps in any pages', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.nat({ max: 1000 }))),
      fc.integer({ min: 1, max: 9 }),
      fc.nat({ max: 12 }),
      fc.boolean(),
      async (values, size, fromStep, isCounted) => {
        const all = values.map((value, index) => (value === null ? null : { index, value }));
        const { steps } = await read(all, { size, fromStep, totalSteps: isCounted ? all.length : 0 });
        expect(steps).toEqual(all.slice(fromStep));
      },
    ),
  );
});

test('more steps than the total said are not left out of a page', async () => {
  expect((await read(five, { size: 4, totalSteps: 3 })).steps).toEqual(five.slice(0, 4));
});

test('pages without end are no answer, and another error is one', async () => {
  let count = 0;
  const readPage = (): Promise<readonly unknown[]> => Promise.resolve([(count += 1)]);
  expect(await readStepPages({ readPage, fromStep: 0, totalSteps: 0 })).toBeNull();
  const refused = new GatewayError('upstream_error', 'no');
  await expect(readStepPages({ readPage: () => Promise.reject(refused), fromStep: 0, totalSteps: 0 })).rejects.toBe(refused);
});
