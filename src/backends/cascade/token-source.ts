import { GatewayError } from '../../model/errors.ts';
import { Secret } from '../../model/secret.ts';
import { createSingleFlight } from './single-flight.ts';

/** Where the access token of a backend comes from. It is never logged and never part of a message. */
export interface TokenSource {
  /** The token in use. Throws `upstream_auth_missing` when there is none, `upstream_auth_failed` when the place it should come from is broken. */
  current(signal: AbortSignal): Promise<Secret>;
  /**
   * A token other than `stale`, which the server has refused: the one that took its place meanwhile, or a fresh one from the file or the command. All who ask at once share
   * one run; whoever leaves does not stop it. Throws `upstream_auth_failed` when there is no fresh one.
   */
  refresh(stale: Secret, signal: AbortSignal): Promise<Secret>;
  /** Used from now on. Throws `invalid_value` when it cannot be a token. */
  set(token: Secret): void;
  /** The last tokens it has had, the one in use too: what must not be shown when a server quotes it. */
  readonly known: readonly Secret[];
}

export interface TokenSourceOptions {
  readonly backendName: string;
  readonly value: Secret | null;
  readonly file: string | null;
  readonly command: readonly string[] | null;
  /** Runs a program without a shell; resolves with its output. Throws an Error whose message may be shown: `it ended with code 1`. */
  readonly runCommand: (command: readonly string[]) => Promise<string>;
  /** Content and permission bits of a file; null when there is none. */
  readonly readFile: (path: string) => Promise<{ readonly text: string; readonly mode: number } | null>;
}

/** An old token is quoted, if at all, soon after it was refused. */
const mostKnown = 8;

/** The first of these that has a token: set at runtime, `value`, `file`, `command`. File and command are asked again by `refresh`. */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  return new BackendToken(options);
}

class BackendToken implements TokenSource {
  readonly #options: TokenSourceOptions;
  readonly #load: (signal: AbortSignal) => Promise<Secret>;
  readonly #renew: (signal: AbortSignal) => Promise<Secret>;
  #token: Secret | null = null;
  #known: readonly Secret[] = [];

  constructor(options: TokenSourceOptions) {
    this.#options = options;
    const value = options.value?.reveal().trim() ?? '';
    if (value !== '') this.#use(new Secret(value));
    this.#load = createSingleFlight(() => this.#adopt(() => this.#loadToken()));
    this.#renew = createSingleFlight(() => this.#adopt((stale) => this.#renewToken(stale)));
  }

  get known(): readonly Secret[] {
    return this.#known;
  }

  async current(signal: AbortSignal): Promise<Secret> {
    signal.throwIfAborted();
    return this.#token ?? this.#load(signal);
  }

  async refresh(stale: Secret, signal: AbortSignal): Promise<Secret> {
    signal.throwIfAborted();
    const token = this.#token;
    return token !== null && token.reveal() !== stale.reveal() ? token : this.#renew(signal);
  }

  set(token: Secret): void {
    const text = token.reveal().trim();
    if (!isToken(text)) {
      throw new GatewayError('invalid_value', 'The token must be one line of ASCII characters without spaces.', {
        param: 'token',
      });
    }
    this.#use(new Secret(text));
  }

  #use(token: Secret): void {
    this.#token = token;
    this.#known = [...this.#known, token].slice(-mostKnown);
  }

  /** A token that was set while another one was being fetched is newer. */
  async #adopt(fetchToken: (stale: Secret | null) => Promise<Secret>): Promise<Secret> {
    const before = this.#token;
    try {
      const fetched = await fetchToken(before);
      if (this.#token === before) this.#use(fetched);
    } catch (error) {
      if (this.#token === before) throw error;
    }
    return this.#token ?? Promise.reject(this.#missing());
  }

  async #loadToken(): Promise<Secret> {
    const token = (await this.#readToken()) ?? (await this.#runCommand());
    if (token === null) throw this.#missing();
    return token;
  }

  async #renewToken(stale: Secret | null): Promise<Secret> {
    const written = await this.#readToken();
    if (written !== null && written.reveal() !== stale?.reveal()) return written;
    const token = await this.#runCommand();
    if (token === null) throw this.#failed(`The agent server refused the access token. ${this.#waysToSet()}`);
    return token;
  }

  /** What stands in `token_file`; null when it is not there or empty. */
  async #readToken(): Promise<Secret | null> {
    const { file, readFile } = this.#options;
    if (file === null) return null;
    const found = await readFile(file).catch((cause: unknown) => {
      throw this.#failed('token_file cannot be read.', cause);
    });
    if (found === null) return null;
    if ((found.mode & 0o077) !== 0) {
      throw this.#failed('token_file may be read by other users of this machine, so it is not used: chmod 600.');
    }
    return found.text.trim() === '' ? null : this.#checked(found.text.trim(), 'token_file holds something');
  }

  /** What `token_command` prints; null when there is none. */
  async #runCommand(): Promise<Secret | null> {
    const { command, runCommand } = this.#options;
    if (command === null) return null;
    const output = await runCommand(command).catch((cause: unknown) => {
      throw this.#failed(`token_command failed: ${cause instanceof Error ? cause.message : 'no reason given'}.`, cause);
    });
    if (output.trim() === '') throw this.#failed('token_command printed nothing.');
    return this.#checked(output.trim(), 'token_command printed something');
  }

  #checked(text: string, subject: string): Secret {
    if (isToken(text)) return new Secret(text);
    throw this.#failed(`${subject} that is not a token: it must be one line of ASCII characters without spaces.`);
  }

  #failed(sentence: string, cause?: unknown): GatewayError {
    return new GatewayError(
      'upstream_auth_failed',
      `No valid access token for the backend ${this.#options.backendName}. ${sentence}`,
      {
        cause,
      },
    );
  }

  #missing(): GatewayError {
    const { backendName } = this.#options;
    return new GatewayError('upstream_auth_missing', `The backend ${backendName} has no access token. ${this.#waysToSet()}`);
  }

  #waysToSet(): string {
    const { backendName } = this.#options;
    return [
      `There are three ways to set it: the key \`token\` of the backend;`,
      'a file only you can read, named by `token_file` (or a program, `token_command`);',
      `or, while the gateway runs, POST /v1/token with the admin key and {"backend": ${JSON.stringify(backendName)}, "token": "..."}.`,
    ].join(' ');
  }
}

/** Fit for a header. */
function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
