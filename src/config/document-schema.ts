import { z } from 'zod';
import { nearestName } from '../lib/nearest-name.ts';
import { aliasTargets } from './alias-document.ts';
import * as a from './document-values.ts';
import { parseStoreUrl, storeUrlForm } from './parse-store-url.ts';
import { chatVendors, logLevels } from './settings.ts';

/** Longer strings than half a gigabyte cannot be made in Node. */
const largestBody = 256 * 1024 ** 2;

/** A map with known keys. One that is written but left empty counts as absent, because that is what a section with every line commented out looks like. */
function section<T extends z.ZodRawShape>(shape: T) {
  return z.preprocess((written) => written ?? undefined, strictObject(shape).optional());
}

/** A section in whose place `off` may stand; that means `off`. */
function sectionOrOff<T extends z.ZodRawShape>(shape: T, off: object) {
  return z.preprocess(
    (written) => (written === 'off' || written === false ? off : (written ?? undefined)),
    strictObject(shape).optional(),
  );
}

function strictObject<T extends z.ZodRawShape>(shape: T) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? complainOfKeys(issue.keys, known) : 'must be a section with keys'),
  });
}

/** One line for each key, in the order of `keys`: `toFaults` takes the lines apart again. */
function complainOfKeys(keys: readonly string[], known: readonly string[]): string {
  return keys
    .map((key) => {
      const meant = nearestName(key, known);
      return meant === undefined
        ? `is not a key here: there are ${known.join(', ')}`
        : `is not a key here: did you mean '${meant}'?`;
    })
    .join('\n');
}

function list<T extends z.ZodType>(member: T) {
  return z.array(member, { error: 'must be a list, for example [ "…" ]' }).optional();
}

function complainOfRecord(what: string, name: string) {
  return (issue: { readonly code?: string }): string =>
    issue.code === 'invalid_key' ? `must be ${name}` : `must be a section of ${what} by name`;
}

/** A slash would end the backend's name in `backend/model`; a tap's name stands in messages and file names. */
const entryName = /^[a-z0-9][a-z0-9_-]*$/i;

/** A token of RFC 9110 that does not decide about the connection or the body. */
const headerName =
  /^(?!(?:host|connection|content-length|content-type|transfer-encoding|upgrade|te|trailer)$)[\w!#$%&'*+.^`|~-]+$/i;

/** As npm names them, with a path inside of the package or without. */
const packageName = /^(@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*(\/[a-z0-9][\w-]*)*$/i;

const upstreamTimeouts = { connect: a.duration().optional(), first_byte: a.duration().optional(), idle: a.duration().optional() };

const remote = {
  headers: z
    .record(z.string().regex(headerName), a.headerValue(), {
      error: complainOfRecord('headers', 'a header this gateway does not set itself'),
    })
    .optional(),
  ca_file: a.text('a path of a PEM file').optional(),
  timeouts: section(upstreamTimeouts),
};

const gemini = strictObject({
  type: z.literal('gemini'),
  api_key: a.secret('the API key'),
  base_url: a.baseUrl().optional(),
  ...remote,
});

const anthropic = strictObject({
  type: z.literal('anthropic'),
  api_key: a.secret('the API key').optional(),
  base_url: a.baseUrl().optional(),
  prompt_cache: a.oneOf(['auto', 'off']).optional(),
  ...remote,
});

const responses = strictObject({
  type: z.literal('responses'),
  base_url: a.versionedBaseUrl().optional(),
  api_key: a.secret('the API key').optional(),
  ...remote,
});

const chat = strictObject({
  type: z.literal('chat'),
  base_url: a.versionedBaseUrl(),
  api_key: a.secret('the API key').optional(),
  vendor: a.oneOf(chatVendors).optional(),
  think_tags: a.yesOrNo().optional(),
  ...remote,
});

const cascade = strictObject({
  type: z.literal('cascade'),
  base_url: a.baseUrl(),
  csrf_token: a.secret('the value of the CSRF header').optional(),
  token: a.secretOrEmpty('the access token').optional(),
  token_file: a.text('a path of a file that holds the access token').optional(),
  token_command: a.programCall().optional(),
  tap: a.text('the name of an entry of taps').optional(),
  own_tools: a.oneOf(['keep', 'drop']).optional(),
  models: z
    .record(z.string(), a.text("the server's own name of that model, for example MODEL_X"), {
      error: 'must be a section of model id: name at the server',
    })
    .optional(),
  default_model: a.text('a model id of this backend, without its name before it').optional(),
  model_field: a.oneOf(['both', 'plan', 'requested', 'uid']).optional(),
  workspace_uris: list(a.fileUri()),
  ...remote,
});

const aiSdk = strictObject({
  type: z.literal('ai-sdk'),
  package: a.text('the name of a package, for example "@ai-sdk/xai"', (name) => packageName.test(name)),
  options: z
    .record(z.string(), z.unknown(), { error: "must be a section of the provider's own options, for example apiKey" })
    .optional(),
  model_ids: list(a.text('a model id of this provider')),
  headers: remote.headers,
  timeouts: section({ first_byte: a.duration().optional(), idle: a.duration().optional() }),
});

const rehearsal = strictObject({ type: z.literal('rehearsal') });

const backendTypes = ['gemini', 'chat', 'cascade', 'rehearsal', 'anthropic', 'responses', 'ai-sdk'] as const;

const backend = z.discriminatedUnion('type', [gemini, anthropic, responses, chat, cascade, aiSdk, rehearsal], {
  error: `must say what speaks there: one of ${backendTypes.join(', ')}`,
});

const tap = strictObject({
  mode: a.oneOf(['reverse', 'forward']).optional(),
  listen: a.listenAddress().optional(),
  upstream: a.baseUrl().optional(),
  upstream_ca_file: a.text('a path of a PEM file').optional(),
  hosts: list(a.allowedHost()),
  credential: a.credential().optional(),
});

/** A section of entries under names of the operator's choice. */
function entries<T extends z.ZodType>(member: T, what: string) {
  const error = complainOfRecord(what, 'a name of letters, digits, - and _');
  return z.preprocess((written) => written ?? undefined, z.record(z.string().regex(entryName), member, { error }).optional());
}

/** Whether a value may name a variable that is not set: it then counts as empty. An access token may come later. */
export function mayBeUnset(path: readonly PropertyKey[]): boolean {
  return path.length === 3 && path[0] === 'backends' && path[2] === 'token';
}

/** The file as it is written, defaults not yet filled in (docs/configuration.md has every key). */
export const documentSchema = strictObject({
  data: a.text('a path of a folder').optional(),
  server: section({
    host: a.text('an address or a host name').optional(),
    port: a.port().optional(),
    keys: list(a.secret('an API key')),
    admin_key: a.secret('the admin key').optional(),
    allowed_hosts: list(a.text('a host name without a port')),
    allowed_origins: list(a.webOrigin()),
    max_body_bytes: a.byteSize(largestBody).optional(),
    shutdown: a.duration().optional(),
  }),
  store: section({
    url: a.text(storeUrlForm, (url) => parseStoreUrl(url) !== undefined).optional(),
    synchronous: a.oneOf(['normal', 'full']).optional(),
    busy_timeout: a.duration().optional(),
    retention: section({ max_age: a.durationOrOff().optional(), max_bytes: a.byteSizeOrOff().optional() }),
  }),
  backends: entries(backend, 'backends'),
  models: section({
    default: a.text('a model, for example gemini/gemini-3-flash').optional(),
    aliases: z.record(z.string(), aliasTargets(), { error: 'must be a section of name: model' }).optional(),
  }),
  routing: section({
    retries: a.wholeNumber(0, 10).optional(),
    retry_budget: a.share().optional(),
    breaker: sectionOrOff(
      {
        failures: a.wholeNumberOrOff(1, 1_000).optional(),
        window: a.duration().optional(),
        cooldown: a.duration().optional(),
      },
      { failures: 'off' },
    ),
    stickiness: a.durationOrOff().optional(),
  }),
  timeouts: section({ ...upstreamTimeouts, total: a.duration().optional(), max_total: a.duration().optional() }),
  keep_alive: section({ comment: a.duration().optional(), event: a.duration().optional() }),
  log: section({ level: a.oneOf(logLevels).optional(), content: a.yesOrNo().optional() }),
  envelope: section({ keys: list(a.sealingKey()) }),
  discovery: a.yesOrNo().optional(),
  taps: entries(tap, 'taps'),
});

export type SettingsDocument = z.infer<typeof documentSchema>;
export type BackendDocument = z.infer<typeof backend>;
export type TapDocument = z.infer<typeof tap>;
