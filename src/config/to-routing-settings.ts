import type { SettingsDocument } from './document-schema.ts';
import type { RoutingSettings } from './settings.ts';

const second = 1_000;

/** The section `routing` with its defaults (docs/routing.md says why these). */
export function toRoutingSettings({ routing = {} }: Pick<SettingsDocument, 'routing'>): RoutingSettings {
  const { retries = 2, retry_budget: retryBudget = 0.2, breaker = {}, stickiness } = routing;
  const failures = breaker.failures === undefined ? 5 : breaker.failures.limit;
  const { window: windowMs = 30 * second, cooldown: cooldownMs = 15 * second } = breaker;
  return {
    retries,
    retryBudget,
    breaker: failures === null ? null : { failures, windowMs, cooldownMs },
    stickinessMs: stickiness === undefined ? 600 * second : stickiness.limit,
  };
}
