import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { CreateResponseRequest, TextFormatParam } from '../../protocol/responses/request.ts';
import { noteUnknownKeys } from '../../translate/parse/note-unknown-keys.ts';
import { missingParameter } from '../../translate/parse/request-error.ts';
import { isAbsent, parseBoolean, parseChoice, parseObject, parseString } from '../../translate/parse/parse-value.ts';

const verbosities = ['low', 'medium', 'high'] as const;
const formatName = { min: 1, max: 64, pattern: /^[a-zA-Z0-9_-]+$/ } as const;

/** `text`: format and verbosity. `{}`, which LangChain sends, is plain text. */
export function parseText(value: unknown, losses: Loss[]): CreateResponseRequest['text'] {
  const text = parseObject(value, 'text');
  noteUnknownKeys(text, 'text', ['format', 'verbosity'], losses);
  return {
    format: isAbsent(text.format) ? { type: 'text' } : parseFormat(text.format, losses),
    verbosity: isAbsent(text.verbosity) ? null : parseChoice(text.verbosity, 'text.verbosity', verbosities),
  };
}

function parseFormat(value: unknown, losses: Loss[]): TextFormatParam {
  const format = parseObject(value, 'text.format');
  const type = parseChoice(format.type, 'text.format.type', ['text', 'json_object', 'json_schema']);
  if (type === 'json_schema') return parseSchemaFormat(format, losses);
  noteUnknownKeys(format, 'text.format', ['type'], losses);
  return { type };
}

function parseSchemaFormat(format: JsonObject, losses: Loss[]): TextFormatParam {
  if (format.name === undefined && isJsonObject(format.json_schema)) {
    throw missingParameter(
      'text.format.name',
      "In the Responses API 'name', 'schema' and 'strict' stand on text.format itself, not inside 'json_schema'.",
    );
  }
  noteUnknownKeys(format, 'text.format', ['type', 'name', 'description', 'schema', 'strict'], losses);
  return {
    type: 'json_schema',
    name: parseString(format.name, 'text.format.name', formatName),
    description: isAbsent(format.description) ? null : parseString(format.description, 'text.format.description'),
    schema: parseObject(format.schema, 'text.format.schema'),
    strict: isAbsent(format.strict) ? false : parseBoolean(format.strict, 'text.format.strict'),
  };
}
