import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

const file = new URL('../../../shared/schemas/open-responses.2026-04-24.openapi.json', import.meta.url);

/** Whether the published schema is on this machine; says so when it is not. */
export function findSchema(): boolean {
  const isThere = existsSync(file);
  if (!isThere) console.log(`skipped: there is no Open Responses schema at ${file.pathname}`);
  return isThere;
}

/** Checks a value against one schema of the published document: what is wrong, in words; an empty list for a valid value. */
type SchemaCheck = (value: unknown) => string[];

/** The schemas that an answer of ours can be held against. */
export interface OpenResponsesSchema {
  readonly response: SchemaCheck;
  readonly item: SchemaCheck;
  /** The `error` of an HTTP error body. */
  readonly error: SchemaCheck;
  /** Streaming events by their type; a type that the document does not know has none. */
  readonly events: ReadonlyMap<string, SchemaCheck>;
}

interface PublishedDocument {
  readonly components: { readonly schemas: Readonly<Record<string, EventSchema>> };
}

interface EventSchema {
  readonly properties?: { readonly type?: { readonly enum?: readonly string[] } };
}

/** Reads the published document, unchanged. */
export function loadOpenResponsesSchema(): OpenResponsesSchema {
  const document = JSON.parse(readFileSync(file, 'utf8')) as PublishedDocument;
  // The document is OpenAPI 3.1: JSON Schema 2020-12 with words of its own, which a strict reader refuses.
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ ...document, $id: 'open-responses' });
  const checkOf = (name: string): SchemaCheck => toCheck(ajv.compile({ $ref: `open-responses#/components/schemas/${name}` }));
  const names = Object.keys(document.components.schemas).filter((name) => name.endsWith('StreamingEvent'));
  const typeOf = (name: string): string => document.components.schemas[name]?.properties?.type?.enum?.[0] ?? name;
  return {
    response: checkOf('ResponseResource'),
    item: checkOf('ItemField'),
    error: checkOf('ErrorPayload'),
    events: new Map(names.map((name) => [typeOf(name), checkOf(name)])),
  };
}

function toCheck(validate: ValidateFunction): SchemaCheck {
  return (value) =>
    validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message ?? 'is wrong'}`);
}
