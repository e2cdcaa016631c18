import { Fault, type Feature, type Trial } from './feature.ts';
import type { ReportedLoss } from './client-under-test.ts';

/** What came of one cell. */
export type Outcome =
  /** Without losses, or with these. */
  | { readonly type: 'works'; readonly losses: readonly string[] }
  /** A 400 that says what is not supported. */
  | { readonly type: 'refused'; readonly message: string }
  /** The client has no such thing. */
  | { readonly type: 'none' }
  | { readonly type: 'bad'; readonly fault: string };

/** Tries one feature of a client at a backend. */
export async function tryCell(feature: Feature, trial: Trial): Promise<Outcome> {
  const run = feature.run(trial);
  if (run === null) return { type: 'none' };
  try {
    const replies = await run;
    const losses = replies.flatMap((reply) => reply.losses.map(describeLoss));
    return { type: 'works', losses: [...new Set(losses)].sort() };
  } catch (thrown) {
    if (thrown instanceof Fault) return { type: 'bad', fault: thrown.message };
    return isRefusal(thrown)
      ? { type: 'refused', message: thrown.message }
      : { type: 'bad', fault: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
  }
}

/** Only what says that something is not supported is a refusal; any other error is a fault of ours. */
function isRefusal(thrown: unknown): thrown is Error {
  return (
    thrown instanceof Error && 'status' in thrown && thrown.status === 400 && /not supported|unsupported/i.test(thrown.message)
  );
}

/** Numbers in paths are of one conversation, and a quoted name is of one model. */
function describeLoss({ path, action, reason }: ReportedLoss): string {
  return `\`${path.replace(/\[\d+\]/g, '[n]')}\` ${action}: ${reason}`;
}
