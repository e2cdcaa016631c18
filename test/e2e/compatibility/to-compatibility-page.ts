import type { Outcome } from './try-cell.ts';

/** What the run found at one front door. */
export interface DoorFindings {
  readonly title: string;
  readonly path: string;
  /** Name and version. */
  readonly client: string;
  readonly columns: readonly { readonly title: string; readonly outcomes: readonly Outcome[] }[];
}

export interface FeatureText {
  readonly name: string;
  readonly meaning: string;
}

/** `docs/compatibility.md`, as Markdown that nobody has formatted yet. The outcomes of a column stand in the order of the features. */
export function toCompatibilityPage(features: readonly FeatureText[], doors: readonly DoorFindings[]): string {
  const outcomes = doors.flatMap(({ columns }) => columns.flatMap((column) => column.outcomes));
  const tried = outcomes.filter(({ type }) => type !== 'none');
  const bad = tried.filter(({ type }) => type === 'bad');
  return [
    '# Compatibility',
    '<!-- Written by `npm run compatibility`; `npm test` fails when this page is not what the run found. -->',
    `Which front door does what with which backend, found by running the official clients: ${String(bad.length)} bad / ${String(tried.length)} tried. Behind the gateway stand \`rehearsal\` and model servers that answer with recorded bytes of real ones.`,
    '**yes**: it works, and nothing was lost. **yes ¹**: it works, with what note 1 says; the same stands in `antiphon-losses`. ' +
      (tried.some(({ type }) => type === 'refused') ? '**no ¹**: refused with a 400 that says what note 1 says. ' : '') +
      '**–**: the client has no such thing.',
    'A backend that speaks the dialect of the front door gets the bytes of the client, and the client gets the bytes of the model server: that is "passed through". It is translated as between two dialects where the gateway has something to ' +
      'change, or with the header `antiphon-pass-through: off`: that is "translated". The stream of a Responses server is judged on its way; from the first event that breaks a rule it goes on in the words of the gateway ([pass-through.md](pass-through.md)).',
    ...doors.flatMap((door) => writeDoor(features, door)),
    '## What the lines mean',
    features.map(({ name, meaning }) => `- **${name}**: ${meaning}`).join('\n'),
    'Where it makes a difference each was tried streamed and unstreamed. What belongs to one dialect only (stored responses, prompt caches, citations, `n`, batches …) is not in this table.',
    '',
  ].join('\n\n');
}

/** The lines in which a page is not what the run found. */
export function pageFaults(page: string, found: string): string[] {
  const has = page.split('\n');
  const wants = found.split('\n');
  return Array.from({ length: Math.max(has.length, wants.length) }, (_, at) => at).flatMap((at) =>
    has[at] === wants[at]
      ? []
      : [`line ${String(at + 1)}: ${has[at] ?? '(nothing)'}\n  the run found: ${wants[at] ?? '(nothing)'}`],
  );
}

function writeDoor(features: readonly FeatureText[], { title, path, client, columns }: DoorFindings): string[] {
  const notes = new Notes();
  const head = ['', ...columns.map((column) => column.title)];
  const rows = features.map(({ name }, at) => [name, ...columns.map(({ outcomes }) => writeCell(outcomes[at], notes))]);
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [`## ${title}`, `\`${path}\`, with \`${client}\`.`, lines.join('\n'), ...notes.write()];
}

function writeCell(outcome: Outcome | undefined, notes: Notes): string {
  switch (outcome?.type) {
    case 'works':
      return ['yes', ...notes.marksOf(outcome.losses)].join(' ');
    case 'refused':
      return ['no', ...notes.marksOf([outcome.message])].join(' ');
    case 'none':
      return '–';
    case 'bad':
    case undefined:
      return '**bad**';
  }
}

/** Numbered as they come. */
class Notes {
  readonly #numbers = new Map<string, number>();

  marksOf(texts: readonly string[]): string[] {
    return texts.map((text) => {
      const number = this.#numbers.get(text) ?? this.#numbers.size + 1;
      this.#numbers.set(text, number);
      return String(number).replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? '');
    });
  }

  write(): string[] {
    const lines = [...this.#numbers].map(([text, number]) => `${String(number)}. ${text}`);
    return lines.length === 0 ? [] : [lines.join('\n')];
  }
}
