import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { GatewayError } from '../model/errors.ts';
import { errorHeaders } from './error-answer.ts';
import { jsonHeaders } from './exchange.ts';

/**
 * Node's own limits are minutes; a client that sends its request slowly must not hold a connection that long. A request without `Host` is let through to our own check, because
 * Node would refuse it without a word.
 */
const nodeOptions = { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, requireHostHeader: false };
const bodyTimeoutMs = 60_000;
/** Longer than the 60 s after which common proxies drop idle connections, so that they and not we close first. */
const idleConnectionMs = 75_000;

/** Answers a request that no route takes. */
export type ServeUnrouted = (request: FastifyRequest, raw: ServerResponse) => void;

/** Fastify with our limits, our errors and no body parsing: bodies are read by the routes, under their own guards. */
export function createHttpServer(serveUnrouted: ServeUnrouted): FastifyInstance {
  const answers = new WeakMap<Duplex, ServerResponse>();
  const server = fastify({
    http: nodeOptions,
    requestTimeout: bodyTimeoutMs,
    keepAliveTimeout: idleConnectionMs,
    return503OnClosing: false,
    // No route has a schema, so no compiler is ever asked for; named here, fastify does not load its own (ajv), a fifth of the time to start.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    routerOptions: { maxParamLength: 512 },
    clientErrorHandler(error, socket) {
      refuseConnection(error, socket, answers.get(socket));
    },
    // A URL that cannot be decoded leads nowhere.
    frameworkErrors(_error, request, reply) {
      reply.hijack();
      serveUnrouted(request, reply.raw);
    },
  });
  // Here, at the first hook: later steps have opinions about bodies and content types, and answers of their own.
  server.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) {
      done();
      return;
    }
    reply.hijack();
    serveUnrouted(request, reply.raw);
  });
  server.server.prependListener('request', (request: IncomingMessage, raw: ServerResponse) => {
    answers.set(request.socket, raw);
  });
  // An expectation that nobody knows (RFC 9110 §10.1.1 allows to ignore it) must not end in Node's answer without a body.
  server.server.on('checkExpectation', (request: IncomingMessage, raw: ServerResponse) => {
    server.server.emit('request', request, raw);
  });
  return server;
}

/** Answers bytes that are no HTTP request, where an answer would not land in the middle of another one; the connection is over. */
function refuseConnection(thrown: Error & { readonly code?: string }, socket: Duplex, last: ServerResponse | undefined): void {
  const isAnswering = last !== undefined && !last.writableFinished && (last.headersSent || last.req.complete);
  if (thrown.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const { error, reason } = explain(thrown.code);
  const body = JSON.stringify(error.toBody());
  const headers = {
    ...jsonHeaders(body),
    ...errorHeaders(error),
    'x-request-id': `req_${randomBytes(16).toString('hex')}`,
    'openai-processing-ms': '0',
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${String(error.status)} ${reason}`, ...lines, '', body].join('\r\n'));
}

function explain(code: string | undefined): { error: GatewayError; reason: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        error: new GatewayError('invalid_value', 'The request headers are too large.', { status: 431 }),
        reason: 'Request Header Fields Too Large',
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        error: new GatewayError('invalid_value', 'The request did not arrive whole in time.', { status: 408 }),
        reason: 'Request Timeout',
      };
    default:
      return { error: new GatewayError('invalid_value', 'The request is not valid HTTP.'), reason: 'Bad Request' };
  }
}

function noCompiler(): never {
  throw new Error('routes parse and answer by themselves; none may have a schema');
}
