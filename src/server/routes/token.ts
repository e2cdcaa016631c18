import type { GatewayError } from '../../model/errors.ts';
import type { Backend } from '../../model/backend.ts';
import { Secret } from '../../model/secret.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { readJsonBody } from '../guards/read-json-body.ts';
import { parseObject, parseString } from '../../translate/parse/parse-value.ts';
import { invalid, toPreview } from '../../translate/parse/request-error.ts';

/** A header has to hold it, and Node takes 16 KiB of headers. */
const largestToken = 8_192;

/** `POST /v1/token`, for the admin key only: the access token that a backend sends from now on. It is neither echoed nor logged. */
export async function setToken(exchange: Exchange): Promise<void> {
  const body = await readJsonBody(exchange.request, exchange.options.maxBodyBytes);
  const { name, token } = parseTokenRequest(body);
  const takers = (await exchange.options.backends()).filter((backend) => backend.setToken !== undefined);
  const backend = takers.find((taker) => taker.name === name);
  if (backend === undefined) throw notTaken(name, takers);
  backend.setToken?.(token);
  sendJson(exchange, { object: 'token', backend: name, updated: true });
}

/** Strict: a mistyped member would otherwise look like a success. Messages never show what was sent for `token`. */
function parseTokenRequest(body: unknown): { readonly name: string; readonly token: Secret } {
  const { backend, token, ...others } = parseObject(body, 'body');
  const name = parseString(backend, 'backend', { min: 1, max: 512 });
  const text = parseString(token, 'token', { min: 1, max: largestToken });
  if (!/^[\x21-\x7e]+$/.test(text)) {
    const message = "Invalid 'token': it must be ASCII without white space or control characters, as it stands in a header.";
    throw invalid('invalid_value', 'token', message);
  }
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    const path = toPreview(unknown);
    throw invalid('unknown_parameter', path, `Unknown parameter: '${path}'. There are 'backend' and 'token'.`);
  }
  return { name, token: new Secret(text) };
}

function notTaken(name: string, takers: readonly Backend[]): GatewayError {
  const names = takers.map((taker) => `'${taker.name}'`).join(', ');
  const way =
    names === ''
      ? 'No backend of this gateway takes a token: give a cascade backend one of the keys token, token_file, token_command.'
      : `Backends that take a token: ${names}.`;
  return invalid('invalid_value', 'backend', `Backend '${toPreview(name)}' does not exist or takes no token. ${way}`);
}
