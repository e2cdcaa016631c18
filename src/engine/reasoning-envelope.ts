import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { isJsonObject, parseJson, type JsonValue } from '../lib/json.ts';
import { GatewayError } from '../model/errors.ts';
import type { ReasoningState } from '../model/reasoning-state.ts';

/** Ours begin like this; anything else in `encrypted_content` was sealed by somebody else. */
const prefix = 'antiphon.v1.';
const keyIdBytes = 4;
const ivBytes = 12;
const tagBytes = 16;

/**
 * Seals what a model wants back into `encrypted_content`, so that clients which keep their own history can carry it. Authenticated (AES-256-GCM) and bound to the owner:
 * a client can neither read nor change it, nor use another key's.
 */
export interface ReasoningEnvelope {
  seal(states: readonly ReasoningState[], owner: string): string;
  /**
   * The states inside; null when the text was not sealed with one of our keys (OpenAI, another gateway, or this one before it lost its key made it). Throws
   * `invalid_encrypted_content` with `param` when it was, but was altered or belongs to another owner.
   */
  open(text: string, owner: string, param: string): readonly ReasoningState[] | null;
}

export interface EnvelopeOptions {
  /** 32 bytes each. The first one seals, all of them open: put a new key in front to rotate. */
  readonly keys: readonly Uint8Array[];
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Whether a gateway of ours sealed the text. */
export function isSealed(text: string): boolean {
  return text.startsWith(prefix);
}

/** Wire form: `antiphon.v1.` + base64url(key id 4 | IV 12 | tag 16 | ciphertext), with the owner as associated data. */
export function createReasoningEnvelope({ keys, randomBytes }: EnvelopeOptions): ReasoningEnvelope {
  const ring = keys.map((key) => ({ key, id: createHash('sha256').update(key).digest().subarray(0, keyIdBytes) }));
  const [current] = ring;
  if (current === undefined) throw new Error('a reasoning envelope needs at least one key');

  function open(bytes: Uint8Array, key: Uint8Array, owner: string): string | undefined {
    if (bytes.length < keyIdBytes + ivBytes + tagBytes) return undefined;
    const iv = bytes.subarray(keyIdBytes, keyIdBytes + ivBytes);
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
    decipher.setAAD(ownerBytes(owner));
    decipher.setAuthTag(bytes.subarray(keyIdBytes + ivBytes, keyIdBytes + ivBytes + tagBytes));
    try {
      return decipher.update(bytes.subarray(keyIdBytes + ivBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      // Node reports a wrong tag by throwing; for us it is an answer.
      return undefined;
    }
  }

  return {
    seal(states, owner) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', current.key, iv, { authTagLength: tagBytes });
      cipher.setAAD(ownerBytes(owner));
      const body = [cipher.update(JSON.stringify(states), 'utf8'), cipher.final()];
      return prefix + encodeBase64Url([current.id, iv, cipher.getAuthTag(), ...body]);
    },
    open(text, owner, param) {
      if (!text.startsWith(prefix)) return null;
      const bytes = decodeBase64Url(text.slice(prefix.length));
      const entry = ring.find(({ id }) => id.every((byte, at) => bytes[at] === byte));
      if (entry === undefined) return null;
      const states = parseStates(open(bytes, entry.key, owner));
      if (states !== undefined) return states;
      throw new GatewayError(
        'invalid_encrypted_content',
        'The encrypted content could not be verified: it was altered, or sealed for another API key. Leave this reasoning item out to continue without it.',
        { param },
      );
    },
  };
}

function parseStates(json: string | undefined): readonly ReasoningState[] | undefined {
  const value = json === undefined ? undefined : parseJson(json);
  if (!Array.isArray(value)) return undefined;
  return value.filter(isJsonObject).flatMap((state) =>
    typeof state['format'] === 'string' && typeof state['model'] === 'string'
      ? // Authenticated bytes that we wrote ourselves: JSON in, JSON out.
        [{ format: state['format'], model: state['model'], data: state['data'] as JsonValue }]
      : [],
  );
}

function ownerBytes(owner: string): Uint8Array {
  return new TextEncoder().encode(`${prefix}${owner}`);
}

function encodeBase64Url(pieces: readonly Uint8Array[]): string {
  let binary = '';
  for (const piece of pieces) for (const byte of piece) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Empty for what is not base64url at all: as good as altered. */
function decodeBase64Url(text: string): Uint8Array {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return new Uint8Array(0);
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
