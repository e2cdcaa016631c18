/** Which function names a server accepts. */
export interface ToolNameRule {
  /** Matches a whole acceptable name; letters, digits and `_` must be allowed after the first character. No `g` or `y` flag. */
  readonly pattern: RegExp;
  /** In characters, at least 16. */
  readonly maxLength: number;
}

/** Both directions between the client's tool names and the names a server sees. */
export interface ToolNames {
  /** The name to send. A name that fits is its own alias. */
  toAlias(name: string): string;
  /** The client's name for what the server said. A name we never sent is returned as it is. */
  fromAlias(alias: string): string;
  /** Whether the request has a name with this alias. */
  isKnown(alias: string): boolean;
}

/** For a turn in the client's own words. */
export const sameNames: ToolNames = { toAlias: (name) => name, fromAlias: (alias) => alias, isKnown: () => true };

/** Ten base-36 digits are 51 bits: two of a client's tools do not meet by accident. */
const hashLength = 10;

/**
 * Aliases for names that a server would refuse. The alias of a name is the same in every request (it ends in a hash of the name), so a history made of several
 * requests stays consistent and prompt caches keep working. `names` are all names of the request, of its tools and of calls in its history; `taken` are names that no alias
 * may be, because somebody else declares them in the same request.
 */
export function createToolNames(names: Iterable<string>, rule: ToolNameRule, taken: ReadonlySet<string> = new Set()): ToolNames {
  const aliases = new Map<string, string>();
  const originals = new Map<string, string>();

  function keep(name: string, alias: string): string {
    aliases.set(name, alias);
    originals.set(alias, name);
    return alias;
  }

  const isFree = (alias: string): boolean => !originals.has(alias) && !taken.has(alias);

  function addAlias(name: string): string {
    if (fitsRule(name, rule) && isFree(name)) return keep(name, name);
    let alias = makeAlias(name, 0, rule);
    for (let salt = 1; !isFree(alias); salt += 1) alias = makeAlias(name, salt, rule);
    return keep(name, alias);
  }

  // Names that fit come first: an alias must never take the name of a real tool. Sorted, so that the order of a client's tools does not matter.
  const sorted = [...new Set(names)].sort();
  for (const name of sorted.filter((name) => fitsRule(name, rule) && !taken.has(name))) keep(name, name);
  for (const name of sorted) if (!aliases.has(name)) addAlias(name);

  return {
    toAlias: (name) => aliases.get(name) ?? addAlias(name),
    fromAlias: (alias) => originals.get(alias) ?? alias,
    isKnown: (alias) => originals.has(alias),
  };
}

function fitsRule(name: string, rule: ToolNameRule): boolean {
  return name.length <= rule.maxLength && rule.pattern.test(name);
}

/** As much of the name as the server allows, so that the model still sees what the tool is for, and the hash. */
function makeAlias(name: string, salt: number, rule: ToolNameRule): string {
  const hash = hashName(salt === 0 ? name : `${name}#${salt}`);
  let readable = '';
  for (const character of name.slice(0, rule.maxLength - hashLength - 1))
    readable += rule.pattern.test(`a${character}`) ? character : '_';
  const alias = `${readable}_${hash}`;
  if (fitsRule(alias, rule)) return alias;
  return `f_${alias.slice(2)}`;
}

/** Ten base-36 digits that depend on every character. FNV-1a over UTF-16 code units, twice with different bases: not secret, only spread. */
export function hashName(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit ^ (low >>> 13), 0x85ebca6b);
  }
  const value = (high >>> 0) * 0x20_0000 + ((low >>> 0) & 0x1f_ffff);
  return value.toString(36).padStart(hashLength, '0').slice(-hashLength);
}
