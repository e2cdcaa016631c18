import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../../src/lib/json.ts';
import { objectOf, textOf } from './gemini-words.ts';

/** What a signature was given for: a call, or (null) a text. */
type Signed = { readonly name: string; readonly args: unknown; readonly id: string | undefined } | null;

const skipValues = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'].flatMap((value) => [
  value,
  Buffer.from(value).toString('base64'),
]);

/** The signatures of one endpoint. A signature belongs to what it was given for, so that one that moved to another call is seen. */
export interface IssuedSignatures {
  issue(signed: Signed): string;
  /** What is wrong with the signature of this part, or null. Parts without one are fine here. */
  checkPart(part: JsonObject): string | null;
  isSkipValue(signature: string): boolean;
}

export function createIssuedSignatures(options: { readonly allowsSkipValues: boolean }): IssuedSignatures {
  const issued = new Map<string, Signed>();

  function issue(signed: Signed): string {
    const seed = createHash('sha256').update(`${String(issued.size)} ${JSON.stringify(signed)}`);
    const signature = Buffer.concat([Buffer.from('thought'), seed.digest()]).toString('base64');
    issued.set(signature, signed);
    return signature;
  }

  function checkPart(part: JsonObject): string | null {
    const signature = part['thoughtSignature'] ?? part['thought_signature'];
    if (signature === undefined) return null;
    if (typeof signature !== 'string') return 'thoughtSignature is not a string';
    if (skipValues.includes(signature)) return options.allowsSkipValues ? null : 'Thought signature is a skip value';
    const signed = issued.get(signature);
    if (signed === undefined) return 'Corrupted thought signature.';
    return checkPlace(part, signed);
  }

  return { issue, checkPart, isSkipValue: (signature) => skipValues.includes(signature) };
}

function checkPlace(part: JsonObject, signed: Signed): string | null {
  const call = part['functionCall'] ?? part['function_call'];
  if (signed === null) return call === undefined ? null : 'Thought signature of a text on a function call';
  if (call === undefined) return `Thought signature of a call of ${signed.name} on a part without a call`;
  const { name, args, id } = objectOf(call);
  if (name !== signed.name) return `Thought signature of a call of ${signed.name} on a call of ${textOf(name)}`;
  if (!isDeepStrictEqual(args ?? {}, signed.args)) return `Arguments of the signed call of ${signed.name} were changed`;
  return id === signed.id ? null : `Id of the signed call of ${signed.name} was changed`;
}
