import { noteUnknownKeys } from '../parse/note-unknown-keys.ts';
import { isAbsent, parseBoolean, parseChoice, parseObject, parseString } from '../parse/parse-value.ts';
import type { TextFormatParam } from '../../protocol/responses/request.ts';
import type { ChatReading } from './chat-reading.ts';

const formatName = { min: 1, max: 64, pattern: /^[a-zA-Z0-9_-]+$/ } as const;
const schemaMembers = ['name', 'description', 'schema', 'strict'] as const;

/** `response_format`: `text`, `json_object`, or `json_schema` with its schema one level deeper than in the Responses API. */
export function readResponseFormat(reading: ChatReading, value: unknown, path: string): void {
  reading.request.text = { ...reading.request.text, format: parseFormat(reading, value, path) };
}

function parseFormat({ names, losses }: ChatReading, value: unknown, path: string): TextFormatParam {
  const format = parseObject(value, path);
  const type = parseChoice(format['type'], `${path}.type`, ['text', 'json_object', 'json_schema']);
  if (type !== 'json_schema') return { type };
  const place = `${path}.json_schema`;
  const named = parseObject(format['json_schema'], place);
  noteUnknownKeys(named, place, schemaMembers, losses);
  for (const member of schemaMembers) names.set(`text.format.${member}`, `${place}.${member}`);
  const { name, description, schema, strict } = named;
  return {
    type,
    name: parseString(name, `${place}.name`, formatName),
    description: isAbsent(description) ? null : parseString(description, `${place}.description`),
    schema: parseObject(schema, `${place}.schema`),
    strict: isAbsent(strict) ? false : parseBoolean(strict, `${place}.strict`),
  };
}
