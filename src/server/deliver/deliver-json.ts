import type { ResponseRun } from '../../engine/run-response.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';

/**
 * Drains a run for a client that waits for the whole response. A failed response becomes the HTTP status of its error (thrown): a client that did not ask for a stream looks at
 * the status first, and several never look at `response.status`. The model has worked already, so the error says that trying again is not free. Not so where the client sees in the server's own
 * bytes how it failed.
 */
export async function deliverJson(
  run: Pick<ResponseRun, 'events' | 'failure' | 'passage' | 'response'>,
): Promise<ResponseResource> {
  let batch = await run.events.next();
  while (batch.done !== true) batch = await run.events.next();
  if (run.failure !== null && run.passage?.isEnd !== true) throw run.failure.asFinal();
  return run.response;
}
