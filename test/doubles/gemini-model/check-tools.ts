import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { declarationsOf, member, objectOf, objectsOf, textOf } from './gemini-words.ts';

const toolFields = [
  'functionDeclarations',
  'googleSearch',
  'googleSearchRetrieval',
  'codeExecution',
  'urlContext',
  'fileSearch',
  'googleMaps',
  'computerUse',
];
const declarationFields = [
  'name',
  'description',
  'behavior',
  'parameters',
  'parametersJsonSchema',
  'response',
  'responseJsonSchema',
];
/** What the OpenAPI subset of `parameters` knows (backends.md B.4). */
const schemaFields = new Set(
  (
    'type format title description nullable enum items minItems maxItems properties required minProperties maxProperties minimum maximum minLength maxLength pattern ' +
    'example default anyOf propertyOrdering'
  ).split(' '),
);
const types = ['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL'];
const modes = ['AUTO', 'ANY', 'NONE', 'VALIDATED'];
const functionName = /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/;

/** Faults of `tools` and `toolConfig`. */
export function checkTools(body: JsonObject): string[] {
  const declarations = declarationsOf(body);
  const names = declarations.map(({ name }) => textOf(name));
  const twice = new Set(names.filter((name, at) => names.indexOf(name) !== at));
  return [
    ...objectsOf(body['tools']).flatMap((tool, at) => unknownFields(tool, toolFields, `tools[${at}]`)),
    ...declarations.flatMap((declaration, at) => checkDeclaration(declaration, `tools[0].function_declarations[${at}]`)),
    ...[...twice].map((name) => `Duplicate function declaration found: ${name}`),
    ...checkToolConfig(objectOf(member(body, 'toolConfig')), names),
  ];
}

function checkDeclaration(declaration: JsonObject, path: string): string[] {
  const { name, description, parameters } = declaration;
  const jsonSchema = member(declaration, 'parametersJsonSchema');
  const faults = unknownFields(declaration, declarationFields, path);
  if (!functionName.test(textOf(name)))
    faults.push(
      `* GenerateContentRequest.${path}.name: Invalid function name. Must start with a letter or an underscore. (${textOf(name)})`,
    );
  if (textOf(description) === '') faults.push(`* GenerateContentRequest.${path}.description: must not be empty`);
  if (parameters !== undefined && jsonSchema !== undefined)
    faults.push(`${path}: parameters and parameters_json_schema exclude each other`);
  if (parameters !== undefined) faults.push(...checkSchema(parameters, `${path}.parameters`));
  if (jsonSchema !== undefined && objectOf(jsonSchema)['type'] !== 'object')
    faults.push(`${path}.parameters_json_schema: schema must be of type object`);
  return faults;
}

/** The OpenAPI form: only known words, one type word, an object has properties. */
function checkSchema(schema: unknown, path: string): string[] {
  if (!isJsonObject(schema)) return [`${path}: not a schema`];
  const { type, properties, items, anyOf } = schema;
  const faults = Object.keys(schema)
    .filter((name) => !schemaFields.has(name))
    .map((name) => `Invalid JSON payload received. Unknown name "${name}" at '${path}': Cannot find field.`);
  if (type !== undefined && !types.includes(textOf(type).toUpperCase()))
    faults.push(`${path}.type: unknown type ${JSON.stringify(type)}`);
  if (textOf(type).toUpperCase() === 'OBJECT' && Object.keys(objectOf(properties)).length === 0)
    faults.push(`${path}.properties: should be non-empty for OBJECT type`);
  const inner: [string, unknown][] = [
    ...Object.entries(objectOf(properties)).map(([name, value]): [string, unknown] => [`properties[${name}]`, value]),
    ...(items === undefined ? [] : [['items', items] as [string, unknown]]),
    ...objectsOf(anyOf).map((value, at): [string, unknown] => [`any_of[${at}]`, value]),
  ];
  return [...faults, ...inner.flatMap(([name, value]) => checkSchema(value, `${path}.${name}`))];
}

function checkToolConfig(config: JsonObject, names: readonly string[]): string[] {
  const calling = member(config, 'functionCallingConfig');
  const faults = unknownFields(
    config,
    ['functionCallingConfig', 'retrievalConfig', 'includeServerSideToolInvocations'],
    'tool_config',
  );
  if (calling === undefined) return faults;
  const { mode } = objectOf(calling);
  const allowed = member(objectOf(calling), 'allowedFunctionNames');
  if (!modes.includes(textOf(mode)))
    faults.push(`tool_config.function_calling_config.mode: unknown mode ${JSON.stringify(mode)}`);
  if (names.length === 0) faults.push('Function calling config is set without function_declarations.');
  if (allowed === undefined) return faults;
  if (mode !== 'ANY' && mode !== 'VALIDATED')
    faults.push('Allowed function names should only be set when function calling mode is ANY or VALIDATED.');
  for (const name of Array.isArray(allowed) ? (allowed as readonly unknown[]) : [])
    if (!names.includes(textOf(name))) faults.push(`allowed_function_names: ${textOf(name)} is not declared`);
  return faults;
}

export function unknownFields(object: JsonObject, known: readonly string[], path: string): string[] {
  return Object.keys(object)
    .filter((name) => !known.includes(name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())))
    .map((name) => `Invalid JSON payload received. Unknown name "${name}" at '${path}': Cannot find field.`);
}
