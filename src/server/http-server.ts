import fastify, { type FastifyInstance } from 'fastify';
import { GatewayError } from '../model/errors.ts';
import { sendError } from './error-answer.ts';

/** Node's own limits are minutes; a client that sends its request slowly must not hold a connection that long. */
const nodeTimeouts = { headersTimeout: 10_000, connectionsCheckingInterval: 1_000 };
const bodyTimeoutMs = 60_000;
/** Longer than the 60 s after which common proxies drop idle connections, so that they and not we close first. */
const idleConnectionMs = 75_000;

/** Fastify with our limits, our errors and no body parsing: bodies are read by the routes, under their own guards. */
export function createHttpServer(): FastifyInstance {
  const server = fastify({
    http: nodeTimeouts,
    requestTimeout: bodyTimeoutMs,
    keepAliveTimeout: idleConnectionMs,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
    clientErrorHandler(error, socket) {
      if (error.code === 'ECONNRESET' || !socket.writable) return;
      const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
      const body = JSON.stringify(
        new GatewayError(
          'invalid_value',
          tooLong ? 'The request headers are too large.' : 'The request is not valid HTTP.',
        ).toBody(),
      );
      const head = `HTTP/1.1 ${tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request'}\r\nconnection: close\r\ncontent-type: application/json\r\n`;
      socket.end(`${head}content-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`);
    },
    frameworkErrors(error, request, reply) {
      const known = new GatewayError('invalid_value', 'The request URL is not valid.', { cause: error });
      reply.hijack();
      sendError(reply.raw, known);
    },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  return server;
}
