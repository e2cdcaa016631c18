/** A word that names its client, its turn and its place: whoever meets it elsewhere knows whose it is. Letters and digits, so that it may be a part of a function's name. */
export function canaryOf(client: number, turn: number, place: string): string {
  return `${ownerMark(client)}t${String(turn)}${place}`;
}

/** What all canaries of a client begin with. */
export function ownerMark(client: number): string {
  return `Cnry${String(client).padStart(3, '0')}`;
}

/** The clients whose canaries stand in a text, each once. */
export function ownersIn(text: string): number[] {
  return [...new Set([...text.matchAll(/Cnry(\d{3})/g)].map(([, digits]) => Number(digits)))];
}
