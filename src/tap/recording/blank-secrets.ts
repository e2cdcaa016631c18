import type { Secret } from '../../model/secret.ts';
import { decodePath } from './read-route.ts';

/** What stands in place of a secret. Without any character that JSON, a URL's query or a header would have to escape. */
export const blanked = '[blanked]';

/** Takes secrets out of what is written down. It remembers the credentials that it has seen, because servers quote them in errors and programs repeat them in bodies. */
export interface SecretBlanker {
  /** Notes the credentials of a request. `url` may be relative. */
  learn(url: string, headers: Readonly<Record<string, string>>): void;
  /** Known secrets in any common escaping, and what has the form of a key, in text of any kind. JSON stays JSON. */
  blankText(text: string): string;
  /** Path and query: credentials by the name of the parameter, too. */
  blankPath(path: string): string;
  /** Every name in lower case; a value only where it cannot be a secret. */
  blankHeaders(headers: Readonly<Record<string, string>>): Record<string, string>;
}

/** Shorter values of headers are words, whose loss would only spoil texts. */
const shortestLearned = 8;
/** Programs renew their tokens; the oldest are forgotten. */
const learnedKept = 32;

/** Names of headers and parameters that carry credentials. */
const credentialName = /auth|key|token|secret|cookie|credential|passw|session|signature|^sig$/i;
const keyHeader = /^(?:proxy-)?authorization$|api-?key$/i;
/** Headers whose values are written down, unless they look like a credential all the same. */
const plainHeader =
  /^(?:accept|accept-encoding|accept-language|cache-control|content-encoding|content-type|openai-beta|openai-processing-ms|openai-version|retry-after|retry-after-ms|server-timing|user-agent|x-gemini-service-tier|x-goog-api-client|x-should-retry|anthropic-(?:beta|version)|(?:anthropic-|x-)ratelimit-[a-z-]+)$/;

/** Not inside a longer word or a base64 text, where such letters come by chance. */
const start = '(?<![A-Za-z0-9+/=_.-])';
/** What keys look like, each with letters that are searched first: nearly all texts have none of them, and some are megabytes long. */
const formsOfKeys = [
  ['AIza', 'AIza[A-Za-z0-9_-]{30,}'],
  ['sk-', 'sk-(?=[A-Za-z_-]*\\d)[A-Za-z0-9_-]{16,}'],
  ['gsk_', 'gsk_[A-Za-z0-9]{16,}'],
  ['xai-', 'xai-(?=[A-Za-z_-]*\\d)[A-Za-z0-9_-]{16,}'],
  ['hf_', 'hf_[A-Za-z0-9]{16,}'],
  ['gh', 'gh[opsu]_[A-Za-z0-9]{16,}'],
  ['xox', 'xox[abprs]-[A-Za-z0-9-]{16,}'],
  ['ya29.', 'ya29\\.[A-Za-z0-9_.-]{10,}'],
  ['1//0', '1//0[A-Za-z0-9_-]{20,}'],
  ['IA', 'A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])'],
  ['eyJ', 'eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}'],
  ['Bearer ', '(?<=Bearer )(?=[A-Za-z._~+/-]*\\d)[A-Za-z0-9._~+/-]{16,}=*'],
  ['PRIVATE KEY-----', '-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*?-----END [A-Z ]*PRIVATE KEY-----'],
].map(([letters = '', form = '']) => ({ letters, form: new RegExp(form.startsWith('(?<=') ? form : start + form, 'g') }));
/** A long run of letters and digits: whatever it is, a header or a parameter that holds it is not worth the risk. */
const opaque = /(?=[^\s]*\d)(?=[^\s]*[A-Za-z])[A-Za-z0-9+/_=.~-]{32,}/;

const secretMember =
  'access_token|refresh_token|id_token|client_secret|api_?key|authorization|private_key|x-goog-api-key|proxy-authorization';
/** From its quote on: that is found ten times as fast in a text without quotes, such as an image. */
const hasSecretMember = new RegExp(`"(?:${secretMember})\\\\*"`, 'i');
/** `"api_key": "…"`, also inside a JSON text that is itself a JSON string, and `api_key=…` of a form. */
const memberInJson = new RegExp(`("(?:${secretMember})"\\s*:\\s*")(?:[^"\\\\]|\\\\.)*"`, 'gi');
const memberInString = new RegExp(`(\\\\+"(?:${secretMember})\\\\+"\\s*:\\s*\\\\+")[^"\\\\]*`, 'gi');
const memberInForm = new RegExp(`((?:^|&)(?:${secretMember}|code|assertion|password)=)[^&]+`, 'gi');
const form = /^[\w.~%+*-]+=[^\s{}"]*$/;

/** `secrets`: what is known from the start; values of less than 4 characters are left alone. */
export function createSecretBlanker(secrets: readonly Secret[]): SecretBlanker {
  const given = secrets.map((secret) => secret.reveal()).filter(({ length }) => length >= 4);
  const learned = new Set<string>();
  let spellings = spellingsOf(given);

  function learn(values: readonly string[]): void {
    const fresh = values.filter((value) => value.length >= shortestLearned && value !== blanked && !learned.has(value));
    if (fresh.length === 0) return;
    for (const value of fresh) learned.add(value);
    for (const value of [...learned].slice(0, -learnedKept)) learned.delete(value);
    spellings = spellingsOf([...given, ...learned]);
  }

  function blankKnown(text: string): string {
    let left = text;
    for (const spelling of spellings) if (left.includes(spelling)) left = left.replaceAll(spelling, blanked);
    return left;
  }

  function blankText(text: string): string {
    let left = blankKnown(text);
    for (const { letters, form: pattern } of formsOfKeys) if (left.includes(letters)) left = left.replace(pattern, blanked);
    if (form.test(left)) return left.replace(memberInForm, `$1${blanked}`);
    if (!hasSecretMember.test(left)) return left;
    return left.replace(memberInJson, `$1${blanked}"`).replace(memberInString, `$1${blanked}`);
  }

  function blankParameter(pair: string): string {
    const [name = '', ...rest] = pair.split('=');
    const value = decodePath(rest.join('='));
    const isSecret = value !== '' && (isCredentialName(name) || opaque.test(value) || blankText(value) !== value);
    return isSecret ? `${name}=${blanked}` : pair;
  }

  return {
    learn(url, headers) {
      learn([...credentialsOfUrl(url), ...Object.entries(headers).flatMap(credentialsOfHeader)]);
    },
    blankText,
    blankPath(path) {
      const [plain = '', ...query] = path.split('?');
      const parameters = query.join('?').split('&').map(blankParameter).join('&');
      return blankText(plain) + (query.length === 0 ? '' : `?${parameters}`);
    },
    blankHeaders(headers) {
      const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
      const isPlain = (name: string, value: string): boolean =>
        plainHeader.test(name) && !opaque.test(value) && blankText(value) === value;
      return Object.fromEntries(entries.map(([name, value]) => [name, isPlain(name, value) ? value : blanked]));
    },
  };
}

/** Whether the value of such a header or parameter is a credential. `x-ratelimit-…-tokens` and `pageToken` count as well: better one too many. */
function isCredentialName(name: string): boolean {
  return credentialName.test(name);
}

function credentialsOfUrl(url: string): readonly string[] {
  const { searchParams, password } = new URL(url, 'http://localhost');
  return [decodePath(password), ...[...searchParams].flatMap(([name, value]) => (isCredentialName(name) ? [value] : []))];
}

/** `Bearer x`: x. `Basic x`: x and the password in it. Cookies: each value. Others: the value. */
function credentialsOfHeader([name, value]: readonly [string, string]): readonly string[] {
  if (!isCredentialName(name)) return [];
  if (/cookie/i.test(name))
    return value
      .split(/[;,]\s*/)
      .map((pair) => pair.slice(pair.indexOf('=') + 1))
      .filter(isDistinct);
  const [, scheme = '', rest = value] = /^([A-Za-z][A-Za-z0-9_-]*) +(.+)$/.exec(value) ?? [];
  if (scheme.toLowerCase() === 'basic') {
    const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(rest, 'base64').toString()) ?? [];
    return [rest, password];
  }
  return keyHeader.test(name) || isDistinct(rest) ? [rest] : [];
}

/** Not a plain word: taking `standard` out of every text because some header had it would only spoil them. */
function isDistinct(value: string): boolean {
  return value.length >= 16 || /\d/.test(value);
}

/** How secrets may stand in JSON, in JSON with escaped slashes, and in URLs; the longest first, so that none is left half-hidden by a shorter one in it. */
function spellingsOf(values: readonly string[]): readonly string[] {
  const spellings = values.flatMap((value) => {
    const json = JSON.stringify(value).slice(1, -1);
    return [value, json, json.replaceAll('/', '\\/'), encodeURIComponent(value)];
  });
  return [...new Set(spellings)].sort((a, b) => b.length - a.length);
}
