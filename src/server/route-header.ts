import { wasSent, type AttemptOutcome, type RouteAttempt, type RouteReport } from '../engine/routing/route-report.ts';

/** More failed attempts than these are counted only. */
const shown = 8;
const longestName = 100;

/**
 * The header that tells where a request went: `gemini/gemini-3-pro; attempts=2; tried=claude/claude-x:429`. First the model that answered, or `none`; then how many calls were sent; then, where there were any, the
 * targets that did not answer, in order, each with the status its failure would have had as an answer, or `open` (circuit breaker), `unfit` (it cannot take the request), `missing`, `left`.
 */
export function routeHeader({ answeredBy, attempts }: RouteReport): Record<string, string> {
  const failed = attempts.filter(({ outcome }) => outcome !== 'accepted');
  const tried = failed.slice(0, shown).map(encodeAttempt);
  if (failed.length > shown) tried.push(`+${String(failed.length - shown)}`);
  const parts = [
    answeredBy === null ? 'none' : encodeName(answeredBy),
    `attempts=${String(attempts.filter(wasSent).length)}`,
    ...(tried.length === 0 ? [] : [`tried=${tried.join(',')}`]),
  ];
  return { 'antiphon-route': parts.join('; ') };
}

function encodeAttempt({ target, outcome }: RouteAttempt): string {
  return `${encodeName(target)}:${describeOutcome(outcome)}`;
}

/** What the metrics and the header call it. */
export function describeOutcome(outcome: AttemptOutcome): string {
  return typeof outcome === 'string' ? outcome : String(outcome.status);
}

/** A model id may be any text a client wrote; what could be taken for a part of the header, or cannot stand in one, is written as in URLs. */
function encodeName(name: string): string {
  return name
    .slice(0, longestName)
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/[^\w./:@+~-]/gu, encodeURIComponent);
}
