import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';

/** A tool that the agent server itself has, as it declares it to the model, and the type of the step that shows its work. */
interface OwnTool {
  readonly declaration: JsonObject;
  readonly stepType: string;
}

const ownTools: readonly OwnTool[] = [
  {
    declaration: {
      name: 'read_note',
      description: 'Reads one note.',
      parameters: {
        type: 'OBJECT',
        properties: { name: { type: 'STRING', description: 'Name of the note.' } },
        required: ['name'],
      },
    },
    stepType: 'VIEW_FILE',
  },
  { declaration: { name: 'list_notes', description: 'Lists the names of all notes.' }, stepType: 'LIST_DIRECTORY' },
];

/** `allowed` null: all of them. */
export function ownDeclarations(allowed: readonly string[] | null): JsonObject[] {
  return ownTools.map(({ declaration }) => declaration).filter(({ name }) => allowed === null || allowed.includes(String(name)));
}

/** Null for a name that is not one of ours. */
export function ownStepType(name: string): string | null {
  return ownTools.find(({ declaration }) => declaration['name'] === name)?.stepType ?? null;
}

/** What the tool answers, as `functionResponse.response`. */
export function runOwnTool(name: string, args: unknown, notes: Readonly<Record<string, string>>): JsonObject {
  if (name === 'list_notes') return { notes: Object.keys(notes) };
  const note = isJsonObject(args) ? args['name'] : undefined;
  if (typeof note !== 'string') return { error: 'name is missing' };
  return Object.hasOwn(notes, note) ? { note: notes[note] } : { error: `there is no note ${note}` };
}
