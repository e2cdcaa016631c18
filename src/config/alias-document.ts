import { z } from 'zod';

/** An alias as it is written: a model, or a list of them that are asked in turn; a list in the list holds equals. */
export type AliasDocument = string | readonly (string | readonly string[])[];

const expected = 'a model such as gemini/gemini-3-pro, or a list of models in the order in which they are asked';

/** Member of `models.aliases`. Faults name the place in the list. */
export function aliasTargets(): z.ZodType<AliasDocument> {
  return z.unknown().transform((written, context): AliasDocument => {
    const faults: Fault[] = [];
    const alias = Array.isArray(written)
      ? parseList(written, faults).map((step, at) =>
          Array.isArray(step) ? parseEquals(step, at, faults) : parseModel(step, [at], faults),
        )
      : parseModel(written, [], faults);
    for (const { path, message } of faults) context.addIssue({ code: 'custom', path: [...path], message });
    return faults.length === 0 ? alias : z.NEVER;
  });
}

interface Fault {
  readonly path: readonly number[];
  readonly message: string;
}

function parseEquals(step: readonly unknown[], at: number, faults: Fault[]): string[] {
  return parseList(step, faults, [at]).map((model, index) => parseModel(model, [at, index], faults));
}

function parseList(list: readonly unknown[], faults: Fault[], path: readonly number[] = []): readonly unknown[] {
  if (list.length === 0) faults.push({ path, message: 'is an empty list: name at least one model' });
  return list;
}

function parseModel(written: unknown, path: readonly number[], faults: Fault[]): string {
  const model = typeof written === 'string' ? written.trim() : '';
  const what = path.length === 0 ? expected : path.length === 1 ? 'a model, or a list of equal models' : 'a model';
  if (model === '') {
    const isEmpty = written === null || written === undefined || typeof written === 'string';
    faults.push({ path, message: isEmpty ? `is empty: give ${what}, or remove it` : `must be ${what}` });
  }
  return model;
}
