import type { Loss, LossAction } from '../../model/loss.ts';

/** A schema of hundreds of kilobytes must not become a report of megabytes. */
const maxLosses = 50;

/** What one compilation gave up, capped. */
export interface SchemaLosses {
  readonly list: readonly Loss[];
  add(path: string, action: LossAction, reason: string): void;
}

/** `root` is the path that the closing "and more" loss names. */
export function createSchemaLosses(root: string): SchemaLosses {
  const list: Loss[] = [];
  return {
    list,
    add(path, action, reason) {
      if (list.length < maxLosses) list.push({ path, action, reason });
      else if (list.length === maxLosses)
        list.push({ path: root, action: 'dropped', reason: 'more of the schema could not be kept than is listed' });
    },
  };
}
