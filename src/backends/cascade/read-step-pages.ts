import { faultKindOf } from '../../translate/cascade/map-cascade-error.ts';

export interface StepPages {
  /** Steps from that index on, as many as the server likes; `[]` behind the last one. */
  readonly readPage: (stepOffset: number) => Promise<readonly unknown[]>;
  readonly fromStep: number;
  /** How many steps there are; 0 when the server does not say. */
  readonly totalSteps: number;
}

/** A page may have one step only. */
const maxPages = 20_000;
/** So often in a row the same page is no coincidence: the server shows its last one whatever lies behind it. */
const repeatsAllowed = 3;

/**
 * All steps from an index on. They end with the known total, an empty page, or, where a server has neither, with a page behind the end that is refused or is the last one again. Null
 * when there is no end.
 */
export async function readStepPages({ readPage, fromStep, totalSteps }: StepPages): Promise<readonly unknown[] | null> {
  const steps: unknown[] = [];
  let lastPage = '';
  let repeats = 0;
  for (let count = 0; count < maxPages; count++) {
    const stepOffset = fromStep + steps.length;
    if (totalSteps > 0 && stepOffset >= totalSteps) return steps;
    const page = await orNothing(readPage(stepOffset));
    if (page.length === 0) return steps;
    for (const step of page) steps.push(step);
    if (totalSteps > 0) continue;
    const print = JSON.stringify(page);
    // Empty places look alike.
    repeats = print === lastPage && page.some((step) => step !== null) ? repeats + 1 : 0;
    lastPage = print;
    if (repeats === repeatsAllowed) return steps.slice(0, -repeats * page.length);
  }
  return null;
}

/** Some builds refuse an offset behind the last step. */
async function orNothing(page: Promise<readonly unknown[]>): Promise<readonly unknown[]> {
  try {
    return await page;
  } catch (error) {
    if (faultKindOf(error) === 'range') return [];
    throw error;
  }
}
