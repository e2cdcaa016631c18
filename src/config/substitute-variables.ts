export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substituted {
  readonly text: string;
  /** Names of variables that are not set and have no default. */
  readonly missing: readonly string[];
}

const reference = /\$(\$?)\{([^}]*)\}/g;
const nameForm = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Replaces `${NAME}` and `${NAME:-default}` (the default also stands for an empty variable, as in a shell); `$${` is a plain `${`. A reference whose name is no
 * name counts as missing, so that a typing mistake never goes to a server as it stands.
 */
export function substituteVariables(text: string, env: Environment): Substituted {
  const missing: string[] = [];
  const replaced = text.replace(reference, (whole, escape: string, inner: string) => {
    if (escape !== '') return whole.slice(1);
    const [, name, fallback] = nameForm.exec(inner) ?? [];
    const value = name === undefined ? undefined : env[name];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) missing.push(name ?? inner);
    return value ?? '';
  });
  return { text: replaced, missing };
}
