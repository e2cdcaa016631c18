import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Secret } from '../model/secret.ts';
import type { ExchangeRecorder, RecordedExchange, RecordedRequest } from './recorded-exchange.ts';
import { createSecretBlanker, type SecretBlanker } from './recording/blank-secrets.ts';
import { BodyCollector, createMemoryBudget, type CollectedBody, type MemoryBudget } from './recording/body-collector.ts';
import { openRecordingFile, type RecordingFile } from './recording/recording-file.ts';
import { headerOf, toRecording, type SeenAnswer } from './recording/to-recording.ts';

export interface ExchangeRecorderOptions {
  /** Made with mode 0700 when it is not there. */
  readonly directory: string;
  /** What must not be written down wherever it stands; credentials of the recorded requests are known anyway. */
  readonly secrets?: readonly Secret[];
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Called once, with the first thing that kept an exchange from being written. The traffic goes on. */
  readonly onTrouble: (error: Error) => void;
  /** Bytes of one body that are kept; 64 MiB when absent. */
  readonly maxBodyBytes?: number;
  /** Bytes that all exchanges together may hold until they are written; 256 MiB when absent. */
  readonly maxHeldBytes?: number;
}

const defaultBodyBytes = 64 * 1024 * 1024;
const defaultHeldBytes = 256 * 1024 * 1024;

/**
 * Writes exchanges into `PROVIDER-stream.jsonl` and `PROVIDER-sync.jsonl` of a folder, in the format of `shared/recordings/README.md`: one whole line when an exchange is over. Rejects when the
 * folder cannot be made. One recorder at a time may write into a folder.
 */
export async function openExchangeRecorder(options: ExchangeRecorderOptions): Promise<ExchangeRecorder> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  return new FolderRecorder(options);
}

class FolderRecorder implements ExchangeRecorder {
  readonly #options: ExchangeRecorderOptions;
  readonly #blanker: SecretBlanker;
  readonly #budget: MemoryBudget;
  readonly #group: string;
  readonly #files = new Map<string, Promise<RecordingFile>>();
  readonly #open = new Set<OpenExchange>();
  readonly #writing = new Set<Promise<void>>();
  #count = 0;
  #isTroubled = false;
  #isClosed = false;

  constructor(options: ExchangeRecorderOptions) {
    this.#options = options;
    this.#blanker = createSecretBlanker(options.secrets ?? []);
    this.#budget = createMemoryBudget(options.maxHeldBytes ?? defaultHeldBytes);
    this.#group = `antiphon-tap:${new Date(options.now()).toISOString()}`;
  }

  begin(request: RecordedRequest): RecordedExchange {
    if (this.#isClosed) return unrecorded;
    const { now } = this.#options;
    const exchange = new OpenExchange(request, {
      now,
      collect: (encoding) =>
        new BodyCollector({ encoding, now, budget: this.#budget, maxBytes: this.#options.maxBodyBytes ?? defaultBodyBytes }),
      onOver: () => {
        this.#open.delete(exchange);
        this.#track(this.#write(exchange, id));
      },
    });
    const id = `${this.#group}#${this.#count}`;
    this.#count += 1;
    this.#open.add(exchange);
    return exchange;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const exchange of this.#open) exchange.break();
    await Promise.all(this.#writing);
    // A file that could not be opened was reported when a line was to go into it.
    await Promise.all([...this.#files.values()].map((opening) => opening.then((file) => file.close()).catch(() => undefined)));
  }

  #track(written: Promise<void>): void {
    const tracked = written
      .catch((error: unknown) => {
        this.#report(error);
      })
      .finally(() => this.#writing.delete(tracked));
    this.#writing.add(tracked);
  }

  async #write(exchange: OpenExchange, id: string): Promise<void> {
    try {
      const { request, begunAt } = exchange;
      const [body, answer] = await Promise.all([exchange.readBody(), exchange.readAnswer()]);
      this.#blanker.learn(request.url, request.headers);
      this.#blanker.learn('/', { cookie: headerOf(answer?.headers ?? {}, 'set-cookie') });
      const { method, url, headers } = request;
      const recording = toRecording({ id, group: this.#group, begunAt, method, url, headers, body, answer }, this.#blanker);
      const file = await this.#openFile(`${recording.provider}-${recording.stream ? 'stream' : 'sync'}.jsonl`);
      await file.append(JSON.stringify(recording));
    } finally {
      exchange.release();
    }
  }

  /** A file that could not be opened is tried again with the next exchange. */
  #openFile(name: string): Promise<RecordingFile> {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const opened = openRecordingFile(join(this.#options.directory, name));
    this.#files.set(name, opened);
    opened.catch(() => this.#files.delete(name));
    return opened;
  }

  #report(thrown: unknown): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#options.onTrouble(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

interface OpenExchangeOptions {
  readonly now: () => number;
  readonly collect: (encoding: string) => BodyCollector;
  readonly onOver: () => void;
}

class OpenExchange implements RecordedExchange {
  readonly request: RecordedRequest;
  /** Unix milliseconds. */
  readonly begunAt: number;
  readonly #options: OpenExchangeOptions;
  readonly #body: BodyCollector;
  #answer: (Omit<SeenAnswer, 'body' | 'endedAt'> & { readonly collector: BodyCollector }) | null = null;
  #endedAt: number;
  #isOver = false;

  constructor(request: RecordedRequest, options: OpenExchangeOptions) {
    this.request = request;
    this.#options = options;
    this.begunAt = options.now();
    this.#endedAt = this.begunAt;
    this.#body = options.collect(headerOf(request.headers, 'content-encoding'));
    this.#body.push(request.body);
    this.#body.end();
  }

  answer(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#isOver || this.#answer !== null) return;
    const collector = this.#options.collect(headerOf(headers, 'content-encoding'));
    this.#answer = { status, headers, at: this.#options.now(), collector };
  }

  piece(bytes: Uint8Array): void {
    if (!this.#isOver) this.#answer?.collector.push(bytes);
  }

  end(): void {
    if (this.#finish()) this.#answer?.collector.end();
  }

  break(): void {
    if (this.#finish()) this.#answer?.collector.fail();
  }

  readBody(): Promise<CollectedBody> {
    return this.#body.whole;
  }

  /** Null when there was none. */
  async readAnswer(): Promise<SeenAnswer | null> {
    if (this.#answer === null) return null;
    const { collector, ...head } = this.#answer;
    return { ...head, endedAt: this.#endedAt, body: await collector.whole };
  }

  release(): void {
    this.#body.release();
    this.#answer?.collector.release();
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#endedAt = this.#options.now();
    this.#options.onOver();
    return true;
  }
}

/** What comes after the recorder was closed. */
const unrecorded: RecordedExchange = {
  answer: () => undefined,
  piece: () => undefined,
  end: () => undefined,
  break: () => undefined,
};
