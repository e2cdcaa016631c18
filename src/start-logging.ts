import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import pino from 'pino';
import type { LogSettings } from './config/settings.ts';
import { GatewayError } from './model/errors.ts';
import type { Secret } from './model/secret.ts';
import {
  requestChannel,
  responseChannel,
  troubleChannel,
  type RequestReport,
  type ResponseReport,
  type TroubleReport,
} from './server/channels.ts';

export interface Logging {
  /** Something about the gateway itself. */
  warn(message: string, thrown?: unknown): void;
  /** Credentials that came into being after the start: from now on they may not stand in the log either. */
  hide(secrets: readonly Secret[]): void;
  /** Writes what is still in memory, and hears no more. */
  stop(): void;
}

export interface LoggingOptions extends LogSettings {
  /** Every credential the gateway knows: none of them may stand in the log, wherever it comes from. */
  readonly secrets: readonly Secret[];
  /** Where the lines go; stderr unless a test wants them. */
  readonly destination?: { write(line: string): void };
}

/** Lines wait in memory until there are this many bytes of them, at most for this long. The number must be smaller than pino's largest write (16 KiB). */
const bufferedBytes = 8 * 1024;
const flushMs = 250;

/**
 * One JSON line for each request and each response. Reports hold no content; messages of errors can quote what clients and models said, so they are written only with
 * `log.content`, else an error shows its code and where it was thrown.
 */
export function startLogging({ level, content, secrets, destination }: LoggingOptions): Logging {
  // Not synchronous: a slow reader of stderr must not hold up answers. Not line by line: a write costs more than all the rest of a log line.
  const stderr = pino.destination({ dest: 2, sync: false, minLength: bufferedBytes });
  const flushing = setInterval(() => {
    stderr.flush();
  }, flushMs).unref();
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination ?? stderr);
  const { describe, hide } = createErrorDescriber(content, secrets);

  // The publishers of these channels are the only ones that speak on them.
  const onRequest = (message: unknown): void => {
    const { error, ...report } = message as RequestReport;
    const line = { ...report, ...(error !== null && { error: describe(error) }) };
    if (report.status >= 500) logger.error(line, 'request');
    else logger.info(line, 'request');
  };
  const onResponse = (message: unknown): void => {
    const { error, ...report } = message as ResponseReport;
    const line = { ...report, ...(error !== null && { error: describe(error) }) };
    if (report.outcome === 'failed') logger.warn(line, 'response');
    else logger.info(line, 'response');
  };
  const onTrouble = (message: unknown): void => {
    const { error, trouble, requestId } = message as TroubleReport;
    logger.warn({ requestId, error: describe(error) }, trouble);
  };
  subscribe(requestChannel.name, onRequest);
  subscribe(responseChannel.name, onResponse);
  subscribe(troubleChannel.name, onTrouble);

  return {
    warn(message, thrown) {
      logger.warn(thrown === undefined ? {} : { error: describe(thrown) }, message);
    },
    hide,
    stop() {
      unsubscribe(requestChannel.name, onRequest);
      unsubscribe(responseChannel.name, onResponse);
      unsubscribe(troubleChannel.name, onTrouble);
      clearInterval(flushing);
      if (destination === undefined) stderr.flushSync();
    },
  };
}

interface ErrorDescription {
  readonly name: string;
  readonly code?: string;
  readonly param?: string | null;
  readonly message?: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
}

/** Deeper causes repeat what the outer ones say. */
const deepestCause = 4;

interface ErrorDescriber {
  readonly describe: (thrown: unknown) => ErrorDescription;
  readonly hide: (secrets: readonly Secret[]) => void;
}

function createErrorDescriber(content: boolean, secrets: readonly Secret[]): ErrorDescriber {
  let values: readonly string[] = [];
  const hide = (more: readonly Secret[]): void => {
    // The longest first: a shorter one inside it would leave the rest of it to be read.
    values = [...values, ...more.map((secret) => secret.reveal())].sort((a, b) => b.length - a.length);
  };
  const withoutSecrets = (text: string): string => values.reduce((hidden, value) => hidden.replaceAll(value, '[secret]'), text);

  function describe(thrown: unknown, depth = 0): ErrorDescription {
    if (!(thrown instanceof Error)) return { name: typeof thrown };
    return {
      name: thrown.name,
      ...('code' in thrown && { code: withoutSecrets(String(thrown.code)) }),
      ...(thrown instanceof GatewayError && { param: thrown.param }),
      ...(content && { message: withoutSecrets(thrown.message) }),
      // Of our own errors everybody knows where they come from: the code says it.
      ...(!(thrown instanceof GatewayError) && { stack: withoutSecrets(framesOf(thrown)) }),
      ...(thrown.cause !== undefined && depth < deepestCause && { cause: describe(thrown.cause, depth + 1) }),
    };
  }
  hide(secrets);
  return { describe: (thrown) => describe(thrown), hide };
}

/** The stack without the message, which stands at its beginning and may have several lines. */
function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames.map((line) => line.trim()).join(' | ');
}
