import type { ModelRequest } from '../../model/model-request.ts';
import { callableTools } from './choose-calls.ts';
import type { Conversation } from './read-conversation.ts';

const longQuote = 400;
const shortQuote = 120;
const mostNames = 12;

/** The answer in words: what the model got, so that a reader (or a test) can see that nothing was lost on the way. */
export function writeAnswer(request: ModelRequest, conversation: Conversation): string {
  const { outputs } = conversation;
  const sentences = [
    ...outputs.map(({ name, text }) => `${name} returned: ${quote(text, longQuote)}.`),
    ...(outputs.length === 0 ? [greeting(conversation)] : []),
    ...mediaSentence(conversation),
    ...memorySentences(conversation),
    ...(request.instructions === null ? [] : [`My instructions begin: ${quote(request.instructions, shortQuote)}.`]),
    ...(outputs.length === 0 ? toolSentence(request) : []),
    ...(conversation.isContinued || outputs.length > 0
      ? []
      : ["I am Antiphon's built-in rehearsal model; configure a backend to talk to a real one."]),
  ];
  return sentences.join(' ');
}

/** What the model thinks, one text per summary part. */
export function writeThinking(
  conversation: Conversation,
  tools: { readonly asked: readonly string[]; readonly isDemanded: boolean },
): readonly string[] {
  const { outputs, lastUserText } = conversation;
  const given =
    outputs.length > 0
      ? `I have the output of ${listNames(outputs.map(({ name }) => name))}.`
      : `I was asked: ${quote(lastUserText, shortQuote)}.`;
  const wish = tools.asked.length > 0 ? `The message asks for ${listNames(tools.asked)}.` : 'The message asks for no tool.';
  return [`${given} ${wish}`, tools.isDemanded ? 'A call is demanded, so I make one.' : 'Now I know what to do.'];
}

function greeting({ lastUserText }: Conversation): string {
  return lastUserText === '' ? 'Hello! There was no text to answer.' : `You said: ${quote(lastUserText, longQuote)}.`;
}

function mediaSentence({ media }: Conversation): string[] {
  return media.length === 0 ? [] : [`You sent: ${media.slice(0, mostNames).join('; ')}.`];
}

function memorySentences({ userTexts, thinking }: Conversation): string[] {
  const earlier = userTexts.at(-2);
  return [
    ...(earlier === undefined
      ? []
      : [`This is your message number ${String(userTexts.length)}; before it you said: ${quote(earlier, shortQuote)}.`]),
    ...(thinking.intact > 0 ? [`My earlier thinking came back intact (${String(thinking.intact)}).`] : []),
    ...(thinking.misplaced > 0 ? [`Thinking came back that does not belong here (${String(thinking.misplaced)}).`] : []),
    ...(thinking.lost > 0 ? [`Earlier thinking came back without its state (${String(thinking.lost)}).`] : []),
  ];
}

function toolSentence(request: ModelRequest): string[] {
  const names = callableTools(request).map(({ name }) => name);
  return names.length === 0 ? [] : [`I can call ${listNames(names)}: say "call ${names[0] ?? ''}" to see it.`];
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).join(', ');
  return names.length > mostNames ? `${shown} and ${String(names.length - mostNames)} more` : shown;
}

/** In quotation marks, cut at so many code points. */
function quote(text: string, most: number): string {
  const points = Array.from(text.slice(0, most * 2 + 2));
  return points.length > most ? `"${points.slice(0, most).join('')}…"` : `"${text}"`;
}
