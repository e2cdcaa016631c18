import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { contentsOf, isGemini3, objectOf, textOf } from './gemini-words.ts';
import type { IssuedSignatures } from './issued-signatures.ts';

type Content = ReturnType<typeof contentsOf>[number];

const dataFields = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
];
const otherFields = ['thought', 'thoughtSignature', 'videoMetadata', 'partMetadata', 'mediaResolution'];

/** Faults of `contents` as Gemini 3 finds them: roles, parts, the exchange of calls and responses, signatures. */
export function checkContents(body: JsonObject, model: string, signatures: IssuedSignatures): string[] {
  if (!Array.isArray(body['contents']) || body['contents'].length === 0)
    return ['* GenerateContentRequest.contents: contents is not specified'];
  const contents = contentsOf(body);
  return [
    ...contents.flatMap((content, at) => checkContent(content, `contents[${at}]`, contents.length === 1)),
    ...(contents.at(-1)?.role === 'model'
      ? ['Please ensure that single turn requests end with a user role or the role field is empty.']
      : []),
    ...checkExchanges(contents),
    ...contents.flatMap(({ parts }, at) => checkSignatures(parts, `contents[${at}]`, signatures)),
    ...(isGemini3(model) ? checkCurrentTurn(contents) : []),
  ];
}

function checkContent({ role, parts }: Content, path: string, isOnly: boolean): string[] {
  const faults = parts.flatMap((part, at) => checkPart(part, role, `${path}.parts[${at}]`));
  if (role !== 'user' && role !== 'model' && !(isOnly && role === ''))
    faults.push(`Please use a valid role: user, model. (${path} has ${JSON.stringify(role)})`);
  if (parts.length === 0) faults.push(`* GenerateContentRequest.${path}.parts: contents.parts must not be empty.`);
  const firstOther = parts.findIndex((part) => part['functionResponse'] === undefined);
  if (firstOther >= 0 && parts.slice(firstOther).some((part) => part['functionResponse'] !== undefined))
    faults.push(`${path}: function responses must come first`);
  return faults;
}

function checkPart(part: JsonObject, role: string, path: string): string[] {
  const names = Object.keys(part).map((name) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  const unknown = names.filter((name) => !dataFields.includes(name) && !otherFields.includes(name));
  const data = names.filter((name) => dataFields.includes(name));
  return [
    ...unknown.map((name) => `Invalid JSON payload received. Unknown name "${name}" at '${path}': Cannot find field.`),
    ...(data.length === 1
      ? checkData(data[0] ?? '', part, { role, path })
      : [`${path}: required oneof field 'data' must have one initialized field`]),
  ];
}

function checkData(kind: string, part: JsonObject, { role, path }: { role: string; path: string }): string[] {
  switch (kind) {
    case 'text':
      if (typeof part['text'] !== 'string') return [`${path}.text: not a string`];
      return part['text'] === '' && part['thoughtSignature'] === undefined
        ? [`${path}: Unable to submit request because it has an empty text parameter`]
        : [];
    case 'functionCall': {
      const { name, args } = objectOf(part['functionCall']);
      const faults = role === 'model' ? [] : [`${path}: Function calls belong to the model role`];
      if (textOf(name) === '') faults.push(`${path}.function_call.name: Name cannot be empty.`);
      if (args !== undefined && !isJsonObject(args)) faults.push(`${path}.function_call.args: not an object`);
      return faults;
    }
    case 'functionResponse': {
      const { name, response } = objectOf(part['functionResponse']);
      const faults = role === 'user' ? [] : [`${path}: Function responses belong to the user role`];
      if (textOf(name) === '') faults.push(`${path}.function_response.name: Name cannot be empty.`);
      if (!isJsonObject(response)) faults.push(`${path}.function_response.response: not an object`);
      return faults;
    }
    default:
      return [];
  }
}

/** Every content with calls is followed by one user content with as many responses, in the same order. */
function checkExchanges(contents: readonly Content[]): string[] {
  return contents.flatMap((content, at) => {
    const calls = pick(content, 'functionCall');
    const previous = contents[at - 1];
    const responses = pick(content, 'functionResponse');
    const due = previous === undefined ? [] : pick(previous, 'functionCall');
    const faults = responses.length > 0 || due.length > 0 ? checkResponses(responses, due, `contents[${at}]`) : [];
    if (calls.length > 0 && previous?.role !== 'user')
      faults.push('Please ensure that function call turn comes immediately after a user turn or after a function response turn.');
    if (calls.length > 0 && at === contents.length - 1) faults.push(`contents[${at}]: the function calls have no responses`);
    return faults;
  });
}

function checkResponses(responses: readonly JsonObject[], calls: readonly JsonObject[], path: string): string[] {
  if (calls.length === 0)
    return [`${path}: Please ensure that function response turn comes immediately after a function call turn.`];
  if (responses.length !== calls.length)
    return [
      'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.' +
        ` (${path}: ${responses.length} for ${calls.length})`,
    ];
  return responses.flatMap((response, at) => {
    const { name, id } = calls[at] ?? {};
    if (response['name'] !== name)
      return [`${path}: response ${at} is for ${textOf(response['name'])}, the call was of ${textOf(name)}`];
    return response['id'] === id ? [] : [`${path}: the id of response ${at} (${textOf(name)}) is not the call's`];
  });
}

function checkSignatures(parts: readonly JsonObject[], path: string, signatures: IssuedSignatures): string[] {
  return parts.flatMap((part, at) => {
    const fault = signatures.checkPart(part);
    return fault === null ? [] : [`${path}.parts[${at}]: ${fault}`];
  });
}

/**
 * The first call of every step of the current turn needs a signature. The turn begins at the last user content without function responses: stricter than Gemini, for which text
 * beside a response begins one too, so that a lost signature is seen also when an agent server writes its template beside the responses.
 */
function checkCurrentTurn(contents: readonly Content[]): string[] {
  const begin = contents.findLastIndex((content) => content.role !== 'model' && pick(content, 'functionResponse').length === 0);
  return contents.flatMap(({ parts }, at) => {
    const first = at > begin ? parts.find((part) => part['functionCall'] !== undefined) : undefined;
    if (first === undefined || first['thoughtSignature'] !== undefined) return [];
    const { name } = objectOf(first['functionCall']);
    return [
      `Function call is missing a thought_signature in functionCall parts. (contents[${at}], function call ${textOf(name)})`,
    ];
  });
}

function pick({ parts }: Content, name: 'functionCall' | 'functionResponse'): JsonObject[] {
  return parts.filter((part) => part[name] !== undefined).map((part) => objectOf(part[name]));
}
