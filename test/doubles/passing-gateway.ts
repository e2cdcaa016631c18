import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { responseChannel, type ResponseReport } from '../../src/server/channels.ts';
import { openHttpUpstream, type HttpUpstream, type SeenRequest } from './http-upstream.ts';
import { startGateway } from './start-gateway.ts';

/** A gateway in front of a server whose every byte a test decides, and what is reported of each response. */
export interface PassingGateway {
  readonly url: string;
  readonly upstream: HttpUpstream;
  /** The reports so far, oldest first. */
  readonly reports: readonly ResponseReport[];
  /** Resolves with the next report that has not been waited for. */
  nextReport(): Promise<ResponseReport>;
  close(): Promise<void>;
}

/** `yaml` gets the server's URL. Reports are those of this process: one such gateway at a time. */
export async function startPassingGateway(
  yaml: (url: string) => string,
  answer: (response: ServerResponse, request: SeenRequest) => void,
): Promise<PassingGateway> {
  const upstream = await openHttpUpstream(answer);
  const gateway = await startGateway(`${yaml(upstream.url)}\nstore: { url: "memory:" }`);
  const reports: ResponseReport[] = [];
  let taken = 0;
  let wake: () => void = () => undefined;
  const listen = (message: unknown): void => {
    // Only the gateway publishes on its own channel.
    reports.push(message as ResponseReport);
    wake();
  };
  subscribe(responseChannel.name, listen);
  return {
    url: gateway.url,
    upstream,
    reports,
    async nextReport() {
      while (reports.length <= taken) await new Promise<void>((resolve) => (wake = resolve));
      const report = reports[taken];
      taken += 1;
      if (report === undefined) throw new Error('no report');
      return report;
    },
    async close() {
      unsubscribe(responseChannel.name, listen);
      await gateway.close();
      await upstream.close();
    },
  };
}

/** Answers with an event stream in these pieces, each a socket write of its own. */
export function streamPieces(response: ServerResponse, ...pieces: readonly (string | Uint8Array)[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-ratelimit-remaining-requests': '7', 'set-cookie': 'no=1' });
  for (const piece of pieces) response.write(piece);
  response.end();
}
