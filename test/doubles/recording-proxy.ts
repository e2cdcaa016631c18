import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, request as openRequest, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll } from 'vitest';
import { openExchangeRecorder, type ExchangeRecorderOptions } from '../../src/tap/exchange-recorder.ts';
import type { ExchangeRecorder } from '../../src/tap/recorded-exchange.ts';
import type { Recording } from '../../src/tap/recording/recording.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { sendHttp, type HttpCall } from './send-http.ts';

/** A recorder into a folder of its own, with a clock that goes 10 ms with every look at it. */
export interface RecordingRun {
  readonly directory: string;
  readonly troubles: readonly string[];
  readonly recorder: ExchangeRecorder;
  /** Closes the recorder and reads everything it has written. */
  readAll(): Promise<Recording[]>;
}

export interface RecordingBench {
  readonly openRun: (more?: Partial<ExchangeRecorderOptions>) => Promise<RecordingRun>;
  /** An HTTP server that is gone when the tests of the file are over. */
  readonly listen: (serve: RequestListener) => Promise<string>;
  /** The smallest proxy that records: the tap's own is another matter. */
  readonly startProxy: (upstream: string, recorder: ExchangeRecorder) => Promise<string>;
  /** One call through a recording proxy, and its record. */
  readonly record: (serve: RequestListener, call: HttpCall, more?: Partial<ExchangeRecorderOptions>) => Promise<Recording>;
}

/** For one test file: everything it opens is closed and removed at the end. */
export function createRecordingBench(): RecordingBench {
  const folder = scratchFolder();
  const servers: Server[] = [];
  let runs = 0;
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function listen(serve: RequestListener): Promise<string> {
    const server = createServer(serve).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  async function openRun(more: Partial<ExchangeRecorderOptions> = {}): Promise<RecordingRun> {
    const directory = join(folder, `run-${String(runs++)}`);
    const troubles: string[] = [];
    let time = Date.UTC(2026, 0, 2);
    const now = (): number => (time += 10);
    const onTrouble = (error: Error): number => troubles.push(error.message);
    const recorder = await openExchangeRecorder({ directory, now, onTrouble, ...more });
    const readAll = async (): Promise<Recording[]> => {
      await recorder.close();
      const lines = (await readFolder(directory)).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as Recording);
    };
    return { directory, troubles, recorder, readAll };
  }

  const startProxy = (upstream: string, recorder: ExchangeRecorder): Promise<string> =>
    listen((request, response) => {
      void buffer(request).then((body) => {
        const headers = request.headers as Record<string, string>;
        const { method = 'GET', url = '/' } = request;
        const exchange = recorder.begin({ method, url: `https://models.test${url}`, headers, body });
        const fail = (): void => {
          exchange.break();
          response.destroy();
        };
        const sent = openRequest(`${upstream}${url}`, { method, headers, agent: false });
        sent.on('error', fail).on('response', (answer: IncomingMessage) => {
          exchange.answer(answer.statusCode ?? 0, joinHeaders(answer.headers));
          response.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.on('data', (piece: Buffer) => {
            exchange.piece(piece);
            response.write(piece);
          });
          answer.on('error', fail).on('end', () => {
            exchange.end();
            response.end();
          });
        });
        sent.end(body);
      });
    });

  return {
    openRun,
    listen,
    startProxy,
    async record(serve, call, more) {
      const run = await openRun(more);
      const proxy = await startProxy(await listen(serve), run.recorder);
      await sendHttp(proxy, call).catch(() => undefined);
      const [recording, ...others] = await run.readAll();
      if (recording === undefined || others.length > 0 || run.troubles.length > 0) {
        throw new Error(`not exactly one exchange was recorded: ${run.troubles.join()}`);
      }
      return recording;
    },
  };
}

/** All files of a folder, one after the other. */
export async function readFolder(directory: string): Promise<string> {
  const names = (await readdir(directory)).sort();
  return (await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))).join('');
}

function joinHeaders(headers: IncomingMessage['headers']): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value = '']) => [name, Array.isArray(value) ? value.join(', ') : value]);
  return Object.fromEntries(entries) as Record<string, string>;
}
