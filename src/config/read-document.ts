import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { isJsonObject } from '../lib/json.ts';
import { documentSchema, mayBeUnset, type SettingsDocument } from './document-schema.ts';
import { SettingsError, type SettingsFault } from './settings-error.ts';
import { substituteVariables, type Environment } from './substitute-variables.ts';

type Path = readonly PropertyKey[];

/** Words for the mistakes people make; the parser's own messages can quote the file, and with it a secret. */
const yamlMistakes: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'the same key stands twice in one section',
  BAD_INDENT: 'the indentation is wrong here, or a bracket or quote before it was not closed',
  TAB_AS_INDENT: 'YAML is indented with spaces, not with tabs',
  MISSING_CHAR: 'a quote, bracket or comma is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line, with a colon and a space after it',
  BLOCK_AS_IMPLICIT_KEY: 'a nested section must begin on its own line, further to the right',
  MULTIPLE_DOCS: 'the file holds more than one YAML document (---)',
};

export interface DocumentSource {
  readonly yaml: string;
  /** Its path, for the faults. */
  readonly file: string;
  readonly env: Environment;
  /** The sections that are wanted; the others are not looked at. Null: all of them. */
  readonly sections: readonly string[] | null;
}

/** A checked document that can still say where something stands in its file. */
export interface LocatedDocument {
  readonly document: SettingsDocument;
  /** `backends.local.base_url` → `/home/me/antiphon.yaml:12`; for what is missing, the line of the section around it. */
  readonly locate: (path: string) => string;
}

/**
 * The configuration file's text as a checked document, `${VARIABLES}` replaced. Throws SettingsError with everything that is wrong, each with its line.
 */
export function readDocument({ yaml, file, env, sections }: DocumentSource): LocatedDocument {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    // Only the first one: the others are usually its consequences.
    throw new SettingsError([
      { source: at(mistake.pos[0]), path: '', message: yamlMistakes[mistake.code] ?? `this is not valid YAML (${mistake.code})` },
    ]);
  }
  const faults: SettingsFault[] = [];
  const addFault = (path: Path, message: string): void => {
    faults.push({ source: at(findOffset(document, path)), path: formatPath(path), message });
  };
  const written = substituteAll(pickSections(toPlain(document, file), sections), env, addFault);
  const result = documentSchema.safeParse(written ?? {});
  if (!result.success) {
    const named = new Set(faults.map(({ path }) => path));
    // A member whose variable is missing has been named already, with a better reason.
    for (const { path, message } of toComplaints(result.error)) if (!named.has(formatPath(path))) addFault(path, message);
  }
  if (!result.success || faults.length > 0) throw new SettingsError(faults);
  // No name of an entry has a dot in it.
  return { document: result.data, locate: (path) => at(findOffset(document, path.split('.'))) };
}

function toPlain(document: Document, file: string): unknown {
  try {
    return document.toJS() as unknown;
  } catch {
    // Thrown for aliases (*name) that lead nowhere or grow without end; its text can quote the file.
    throw new SettingsError([{ source: file, path: '', message: 'an alias (*name) leads nowhere or too far' }]);
  }
}

function pickSections(document: unknown, sections: readonly string[] | null): unknown {
  if (sections === null || !isJsonObject(document)) return document;
  return Object.fromEntries(Object.entries(document).filter(([name]) => sections.includes(name)));
}

function substituteAll(
  value: unknown,
  env: Environment,
  addFault: (path: Path, message: string) => void,
  path: Path = [],
): unknown {
  if (typeof value === 'string') {
    const { text, missing } = substituteVariables(value, env);
    if (missing.length > 0 && mayBeUnset(path)) return '';
    for (const name of missing)
      addFault(path, `the environment variable ${name} is not set: set it, or write \${${name}:-default}`);
    return text;
  }
  if (Array.isArray(value)) return value.map((member: unknown, index) => substituteAll(member, env, addFault, [...path, index]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, substituteAll(member, env, addFault, [...path, key])]),
  );
}

function toComplaints(error: z.ZodError): { path: Path; message: string }[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }];
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({ path: [...issue.path, key], message: messages[index] ?? issue.message }));
  });
}

function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

/** Where the last step of the path stands in the file; where one is missing, the nearest section around it. */
function findOffset(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) return offset;
  }
  return 0;
}

function offsetOf(document: Document, path: Path): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const key = parent.items
      .map((pair) => pair.key)
      .find((candidate) => isScalar(candidate) && String(candidate.value) === String(last));
    return isScalar(key) ? key.range?.[0] : undefined;
  }
  const member = document.getIn(path, true);
  return isNode(member) ? member.range?.[0] : undefined;
}
