/** A part of a streamed body: the exact text, and what it carries. All texts joined are the body. */
export interface BodyFrame {
  /** Everything since the last frame, up to and with this one's end. */
  readonly text: string;
  /** As `chunks` of a recording has it; null: what stands behind the last whole frame. */
  readonly chunk: string | null;
  /** Value of the `event:` line. */
  readonly event: string | null;
}

/** Events and comments of an event stream. An event without its blank line counts when the body ended there, not when it was cut there. */
export function splitEvents(text: string, isCut: boolean): readonly BodyFrame[] {
  const frames: BodyFrame[] = [];
  let lines: string[] = [];
  let begin = 0;
  for (let at = 0; at < text.length;) {
    const { line, next } = readLine(text, at);
    at = next;
    if (line !== '') lines.push(line);
    if (line !== '' && (at < text.length || isCut)) continue;
    const frame = toEventFrame(lines, text.slice(begin, at));
    lines = [];
    if (frame === null) continue;
    frames.push(frame);
    begin = at;
  }
  return withRest(frames, text.slice(begin));
}

/** The line that begins at `at`, ended by LF, CR, CRLF or the end of the text. */
function readLine(text: string, at: number): { readonly line: string; readonly next: number } {
  const feed = text.indexOf('\n', at);
  const whole = text.slice(at, feed === -1 ? text.length : feed);
  const carriage = whole.indexOf('\r');
  if (carriage === -1) return { line: whole, next: at + whole.length + 1 };
  const isPair = text[at + carriage + 1] === '\n';
  return { line: whole.slice(0, carriage), next: at + carriage + (isPair ? 2 : 1) };
}

/** Null when the lines carry nothing: the text then belongs to the next frame. */
function toEventFrame(lines: readonly string[], text: string): BodyFrame | null {
  let event: string | null = null;
  const data: string[] = [];
  for (const line of lines) {
    const { name, value } = readField(line.replace(/^\uFEFF/, ''));
    if (name === 'data') data.push(value);
    else if (name === 'event') event = value;
  }
  if (data.length > 0) return { text, chunk: data.join('\n'), event };
  const isComment = lines.length > 0 && lines.every((line) => line.startsWith(':'));
  return isComment ? { text, chunk: lines.join('\n'), event: null } : null;
}

function readField(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(':');
  if (colon === -1) return { name: line, value: '' };
  return { name: line.slice(0, colon), value: line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1) };
}

/**
 * Objects and arrays that are elements of a JSON array, each with what stands before it; the closing bracket is in the rest, and so is an element that is not whole.
 * Read by hand, because a regular expression runs out of stack over an image of some megabytes.
 */
export function splitArray(text: string): readonly BodyFrame[] {
  const frames: BodyFrame[] = [];
  const marks = /["{}[\]]/g;
  let begin = 0;
  let start = 0;
  let depth = 0;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    const [token] = mark;
    if (token === '"') {
      // A string is passed over whole: brackets in it do not count.
      marks.lastIndex = endOfString(text, mark.index);
    } else if (token === '{' || token === '[') {
      depth += 1;
      if (depth === 2) start = mark.index;
    } else {
      depth -= 1;
      if (depth !== 1) continue;
      frames.push({ text: text.slice(begin, marks.lastIndex), chunk: text.slice(start, marks.lastIndex), event: null });
      begin = marks.lastIndex;
    }
  }
  return withRest(frames, text.slice(begin));
}

/** Behind the closing quote of the string that begins at `at`, or the text's end. */
function endOfString(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let before = quote - 1;
    while (text[before] === '\\') before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1;
  }
  return text.length;
}

/** Lines that are not blank, without their ends. The last one counts without its end unless the body was cut there. */
export function splitLines(text: string, isCut: boolean): readonly BodyFrame[] {
  const frames: BodyFrame[] = [];
  let begin = 0;
  for (let at = 0; at < text.length;) {
    const feed = text.indexOf('\n', at);
    const end = feed === -1 ? text.length : feed + 1;
    const line = text.slice(at, end).trimEnd();
    at = end;
    if (line === '' || (feed === -1 && isCut)) continue;
    frames.push({ text: text.slice(begin, end), chunk: line, event: null });
    begin = end;
  }
  return withRest(frames, text.slice(begin));
}

function withRest(frames: readonly BodyFrame[], rest: string): readonly BodyFrame[] {
  return rest === '' ? frames : [...frames, { text: rest, chunk: null, event: null }];
}
