/** What Google documents for calls that no Gemini signed: it stands for "there is no signature". */
const dummySignatures: ReadonlySet<string> = new Set([
  'skip_thought_signature_validator',
  'context_engineering_is_the_way_to_go',
]);

/**
 * Sealed reasoning (ASCII) → `thoughtSignature`. Google declares the field as bytes: SDKs in Python, Go and Java refuse what is not base64 (RFC 4648 §4, padded).
 */
export function encodeThoughtSignature(sealed: string): string {
  return btoa(sealed);
}

/**
 * `thoughtSignature` of a client → sealed reasoning. Python's SDK writes it back in the URL-safe alphabet. What we did not encode stays as it is: the engine finds out that
 * somebody else made it. Null for Google's dummy values, which carry nothing.
 */
export function decodeThoughtSignature(signature: string): string | null {
  const sealed = readBase64(signature) ?? signature;
  return dummySignatures.has(sealed) ? null : sealed;
}

/** The ASCII text behind it; undefined when it is not base64 or not ASCII. */
function readBase64(text: string): string | undefined {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  if (standard.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(standard)) return undefined;
  const decoded = atob(standard);
  return /^[\x21-\x7e]+$/.test(decoded) ? decoded : undefined;
}
