import type { Intercept } from '../model-call.ts';
import type { ExchangeRecorder } from '../recorded-exchange.ts';
import type { UpstreamClient } from './upstream-client.ts';

/** What every exchange of a tap needs. */
export interface ExchangeDeps {
  readonly upstream: UpstreamClient;
  readonly intercept: Intercept;
  readonly recorder: ExchangeRecorder | null;
  /** Something that the operator should know. */
  readonly onTrouble: (thrown: unknown) => void;
}
