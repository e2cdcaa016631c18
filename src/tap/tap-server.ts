import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { Secret } from '../model/secret.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { parseHostAndPort, toUpstreamSite, type HostAndPort, type UpstreamSite } from './http/allowed-hosts.ts';
import { createCaller, type Caller } from './http/caller.ts';
import { checkReverseCaller, checkTunnelCaller } from './http/check-caller-host.ts';
import { ConnectFront } from './http/connect-front.ts';
import type { ExchangeDeps } from './http/exchange-deps.ts';
import { encodeRefusal, refuseCall } from './http/refuse-call.ts';
import { serveExchange } from './http/serve-exchange.ts';
import { createUpstreamClient, maxHeaderSize } from './http/upstream-client.ts';
import type { Intercept } from './model-call.ts';
import type { ExchangeRecorder } from './recorded-exchange.ts';

/** A tap that listens. */
export interface TapServer {
  /** `http://host:port` */
  readonly url: string;
  readonly port: number;
  /** Breaks off what still runs. Resolves when nothing of it is left; may be called twice. */
  close(): Promise<void>;
}

export interface TapServerSettings {
  readonly name: string;
  /** `reverse`: the agent server's base URL of its model API is this tap. `forward`: the tap is its `HTTPS_PROXY`. */
  readonly mode: 'reverse' | 'forward';
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Base URL of the model API. Null only in forward mode: calls go where the CONNECT says. */
  readonly upstream: string | null;
  /** PEM file with authorities to trust in addition to Node's own, or null. */
  readonly upstreamCaFile: string | null;
  /** `host` or `host:port`: where CONNECT may lead; in reverse mode further names of the tap. */
  readonly hosts: readonly string[];
  /** `user:password` of the proxy. Null only in reverse mode. */
  readonly credential: Secret | null;
}

export interface TapServerOptions {
  readonly settings: TapServerSettings;
  readonly intercept: Intercept;
  /** Null only in reverse mode. */
  readonly authority: Pick<CertificateAuthority, 'issueLeaf'> | null;
  readonly recorder: ExchangeRecorder | null;
  /** Something the operator should know: an upstream that cannot be reached or verified, a program that does not trust the tap. */
  readonly onTrouble: (thrown: unknown) => void;
}

/** A client that sends its headers slowly must not hold a connection for Node's minute. Bodies and answers may take any time. */
const limits = { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, requestTimeout: 0, maxHeaderSize };
/** Longer than the usual 60 s of clients, so that they and not we close first. */
const keepAliveTimeout = 75_000;

/** Starts the proxy between an agent server and its model API. Rejects when it cannot listen, or a setting is not usable. */
export async function startTapServer(options: TapServerOptions): Promise<TapServer> {
  const { settings, intercept, recorder, onTrouble } = options;
  const upstream = createUpstreamClient(settings.upstreamCaFile);
  const running = new Set<Promise<void>>();
  const sockets = new Set<Socket>();
  const server = createServer({ ...limits, keepAliveTimeout });
  const front: FrontOptions = {
    ...options,
    server,
    hosts: settings.hosts.map(readHost),
    site: settings.upstream === null ? null : toUpstreamSite(settings.upstream),
    serve(caller, site) {
      const exchange = serveExchange(caller, site, { upstream, intercept, recorder, onTrouble } satisfies ExchangeDeps);
      running.add(exchange);
      void exchange.finally(() => running.delete(exchange));
    },
  };
  if (settings.mode === 'reverse') openReverseFront(front);
  else openForwardFront(front);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listen(server, settings);

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
    for (const socket of sockets) socket.destroy();
    await closed;
    await Promise.all(running);
    upstream.close();
  }
  let closing: Promise<void> | null = null;
  return {
    url: `http://${isIPv6(settings.host) ? `[${settings.host}]` : settings.host}:${String(port)}`,
    port,
    close: () => (closing ??= close()),
  };
}

interface FrontOptions extends TapServerOptions {
  readonly server: Server;
  readonly hosts: readonly HostAndPort[];
  readonly site: UpstreamSite | null;
  readonly serve: (caller: Caller, site: UpstreamSite) => void;
}

function openReverseFront({ server, settings, hosts, site, serve }: FrontOptions): void {
  if (site === null) throw new Error(`tap ${settings.name}: reverse mode needs the base URL of the model API as upstream`);
  const accept = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
    const caller = createCaller(request, response, expectsContinue);
    const refusal = checkReverseCaller(caller, settings.host.toLowerCase(), hosts);
    if (refusal === null) serve(caller, site);
    else refuseCall(caller, refusal);
  };
  server.on('request', (request, response) => {
    accept(request, response, false);
  });
  server.on('checkContinue', (request, response) => {
    accept(request, response, true);
  });
  server.on('connect', (_request, socket) => {
    const body = encodeRefusal(405, 'This tap is no forward proxy: set it as base URL of the model API, not as proxy.');
    socket.end(`HTTP/1.1 405 Method Not Allowed\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${body}`);
  });
}

function openForwardFront({ server, settings, hosts, site, authority, onTrouble, serve }: FrontOptions): void {
  const { name, credential } = settings;
  if (authority === null) throw new Error(`tap ${name}: forward mode needs a certificate authority`);
  if (credential === null) throw new Error(`tap ${name}: forward mode needs a credential`);
  const front = new ConnectFront({
    rules: { hosts, upstream: site },
    credential,
    issueLeaf: (host) => authority.issueLeaf(host),
    onTrouble,
    onRequest({ request, response, expectsContinue, target, site: destination }) {
      const caller = createCaller(request, response, expectsContinue);
      const refusal = checkTunnelCaller(caller, target);
      if (refusal === null) serve(caller, destination);
      else refuseCall(caller, refusal);
    },
  });
  server.on('connect', (request, socket: Socket, head) => {
    void front.accept(request, socket, head);
  });
  server.on('request', (request, response) => {
    const message = 'This tap passes on nothing but https, by CONNECT: set it as HTTPS_PROXY, not as base URL or HTTP_PROXY.';
    refuseCall(createCaller(request, response, false), { status: 405, message, headers: [['allow', 'CONNECT']] });
  });
}

function readHost(written: string): HostAndPort {
  const host = parseHostAndPort(written);
  if (host === null) throw new Error(`'${written}' is neither a host nor host:port`);
  return host;
}

async function listen(server: Server, { host, port }: TapServerSettings): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  const address = server.address();
  return address === null || typeof address === 'string' ? port : address.port;
}
