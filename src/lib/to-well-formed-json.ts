/** Any escape; a pair of surrogates is one. */
const escapes = /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|[\s\S])/g;
const surrogate = /\\u[dD][89a-fA-F]/;
const loneSurrogate = /^\\u[dD][89a-fA-F][\da-fA-F]{2}$/;

/**
 * JSON text in which half of a surrogate pair (an emoji that some program cut in two) became U+FFFD; everything else, the length too, is as it was. Such a half is valid in JavaScript and has no form in
 * UTF-8, so that model servers refuse the whole text as no JSON. As `JSON.stringify` writes them, halves are escapes.
 */
export function toWellFormedJson(json: string): string {
  if (!surrogate.test(json)) return json;
  return json.replace(escapes, (escape) => (loneSurrogate.test(escape) ? String.raw`\ufffd` : escape));
}
