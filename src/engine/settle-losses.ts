import { GatewayError } from '../model/errors.ts';
import type { Loss } from '../model/loss.ts';

/**
 * The one place that decides about losses found before the model is asked: in strict mode the first one is refused with its `param`, otherwise all are reported
 * (response header `antiphon-losses`). Losses found later can only be logged and stored.
 */
export function settleLosses(losses: readonly Loss[], context: { readonly strict: boolean }): void {
  const [first] = losses;
  if (!context.strict || first === undefined) return;
  const code = first.code ?? 'unsupported_parameter';
  throw new GatewayError(code, `Strict mode refuses what would be ${first.action}: '${first.path}' – ${first.reason}.`, {
    param: first.path,
  });
}
