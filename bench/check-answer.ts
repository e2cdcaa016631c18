import { answerText, chatWire, deltaCount, geminiWire, messagesWire, responsesWire, usage } from './wire.ts';

/** What a subject has to answer: the upstream's bytes untouched, or the same answer as Responses events or as a Response object. */
export type AnswerKind =
  | 'chat-stream'
  | 'gemini-stream'
  | 'messages-stream'
  | 'passed-responses-stream'
  | 'chat-whole'
  | 'gemini-whole'
  | 'responses-stream'
  | 'responses-whole';

interface StreamEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly delta?: string;
  readonly response?: ResponseObject;
}

interface ResponseObject {
  readonly status?: string;
  readonly output?: readonly { readonly type: string; readonly content?: readonly { readonly text?: string }[] }[];
  readonly usage?: { readonly input_tokens?: number; readonly output_tokens?: number; readonly total_tokens?: number } | null;
}

const chatStream = Buffer.concat(chatWire.writes);
const geminiStream = Buffer.concat(geminiWire.writes);
const messagesStream = Buffer.concat(messagesWire.writes);
const responsesStream = Buffer.concat(responsesWire.writes);
const deltaLine = 'event: response.output_text.delta\n';
const completedLine = 'event: response.completed\n';
const doneFrame = 'data: [DONE]\n\n';
const answerJson = JSON.stringify(answerText);

/** What is wrong with an answer, in words; null when it is right. Cheap enough to look at every answer of a measurement. */
export function checkAnswer(kind: AnswerKind, status: number, body: Buffer): string | null {
  if (status !== 200) return `HTTP ${status}: ${body.toString('utf8').slice(0, 300)}`;
  switch (kind) {
    case 'chat-stream':
      return checkBytes(chatStream, body);
    case 'gemini-stream':
      return checkBytes(geminiStream, body);
    case 'messages-stream':
      return checkBytes(messagesStream, body);
    case 'passed-responses-stream':
      return checkBytes(responsesStream, body);
    case 'chat-whole':
      return checkBytes(chatWire.whole, body);
    case 'gemini-whole':
      return checkBytes(geminiWire.whole, body);
    case 'responses-stream':
      return checkFrames(body.toString('utf8'));
    case 'responses-whole':
      return checkResponse(JSON.parse(body.toString('utf8')) as ResponseObject);
  }
}

function checkBytes(expected: Buffer, body: Buffer): string | null {
  return body.equals(expected) ? null : `the proxy changed the answer (${body.length} bytes instead of ${expected.length})`;
}

/**
 * Counts frames instead of parsing them. One delta per upstream delta is asked for, although the protocol allows joining them, because a figure per
 * event means nothing when the subjects send different numbers of events.
 */
function checkFrames(stream: string): string | null {
  const sent = countOf(stream, deltaLine);
  if (sent !== deltaCount)
    return `${sent} text deltas instead of ${deltaCount}; the stream ends with ${JSON.stringify(stream.slice(-300))}`;
  if (countOf(stream, completedLine) !== 1) return 'the stream has no response.completed, or several';
  if (!stream.endsWith(doneFrame)) return 'the stream does not end with [DONE]';
  return stream.includes(answerJson, stream.lastIndexOf(completedLine)) ? null : 'the completed response does not hold the text';
}

function countOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

/** The thorough look, for the first stream of each measurement: every frame parsed, numbering, joined deltas, the completed response. */
export function checkStreamClosely(body: Buffer): string | null {
  const events = body.toString('utf8').split('\n\n').flatMap(parseFrame);
  const misnumbered = events.findIndex((event, index) => event.sequence_number !== index);
  if (misnumbered !== -1) return `event ${misnumbered} carries sequence_number ${events[misnumbered]?.sequence_number}`;
  const text = events.map((event) => (event.type === 'response.output_text.delta' ? (event.delta ?? '') : '')).join('');
  if (text !== answerText) return 'the joined deltas are not the text of the answer';
  const last = events.at(-1);
  if (last?.type !== 'response.completed') return `the last event is ${last?.type ?? 'missing'}`;
  return last.response ? checkResponse(last.response) : 'response.completed carries no response';
}

/** Comments (keep-alive) and `[DONE]` are no events. */
function parseFrame(frame: string): StreamEvent[] {
  const data = frame.split('\n').find((line) => line.startsWith('data: {'));
  return data === undefined ? [] : [JSON.parse(data.slice('data: '.length)) as StreamEvent];
}

function checkResponse(response: ResponseObject): string | null {
  if (response.status !== 'completed') return `the response is ${response.status}: ${JSON.stringify(response).slice(0, 300)}`;
  const text = response.output?.find((item) => item.type === 'message')?.content?.[0]?.text;
  if (text !== answerText) return 'the response does not hold the text of the answer';
  const { input_tokens: input, output_tokens: output, total_tokens: total } = response.usage ?? {};
  const isCounted = input === usage.inputTokens && output === usage.outputTokens && total === usage.totalTokens;
  return isCounted ? null : `usage is ${JSON.stringify(response.usage)}`;
}
