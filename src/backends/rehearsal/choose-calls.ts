import type { FunctionTool, ModelRequest } from '../../model/model-request.ts';
import type { Conversation } from './read-conversation.ts';
import { phraseIndex } from './text-hints.ts';

/** Words of a tool's name that say nothing about what it is for. */
const emptyWords = new Set(
  'a an and api by call current do fetch for from function get in lookup make mcp my of on run set the to tool use with'.split(
    ' ',
  ),
);
const mostCalls = 16;

/**
 * The tools to call now, in order. The rules:
 * - A tool is asked for when the last user message names it (`get_weather`, `get weather`); if no tool is named, when the message holds all telling words of its name
 *   ("What is the weather in Oslo?"). "Do not call get_weather" does not count.
 * - One call each; "both", "twice" and "in parallel" with a single tool mean two calls.
 * - All of them at once where parallel calls are allowed, unless the message says "then", "after that", "one by one" or "step by step"; else one per turn. What has
 *   been called since that message is not called again.
 * - When tool_choice demands a call, there is one in every turn: the tool asked for, else the first.
 * - Nothing outside of tool_choice.
 */
export function chooseCalls(request: ModelRequest, conversation: Conversation): readonly FunctionTool[] {
  const callable = callableTools(request);
  const asked = askedTools(callable, conversation.lastUserText);
  const open = openCalls(asked, conversation);
  if (open.length > 0) return isOneByOne(request, conversation) ? open.slice(0, 1) : open.slice(0, mostCalls);
  const forced = isCallDemanded(request) ? (asked[0] ?? callable[0]) : undefined;
  return forced === undefined ? [] : [forced];
}

/** The tools that tool_choice lets the model call. */
export function callableTools({ tools, toolChoice }: ModelRequest): readonly FunctionTool[] {
  if (toolChoice.type === 'none') return [];
  return 'names' in toolChoice ? tools.filter(({ name }) => toolChoice.names.includes(name)) : tools;
}

/** Whether the model must call a tool. */
export function isCallDemanded({ toolChoice }: ModelRequest): boolean {
  return toolChoice.type === 'required' || toolChoice.type === 'required-of';
}

/** Tools the text asks for, in the order in which it does. */
export function askedTools(tools: readonly FunctionTool[], whole: string): readonly FunctionTool[] {
  const text = whole.toLowerCase();
  const byName = findAll(tools, (tool) => nameIndex(tool.name, text), text);
  return byName.length > 0 ? byName : findAll(tools, (tool) => wordsIndex(tool.name, text), text);
}

function findAll(tools: readonly FunctionTool[], find: (tool: FunctionTool) => number, text: string): FunctionTool[] {
  return tools
    .map((tool) => ({ tool, at: find(tool) }))
    .filter(({ at }) => at >= 0 && !isNegated(text, at))
    .sort((one, other) => one.at - other.at)
    .map(({ tool }) => tool);
}

function isNegated(text: string, at: number): boolean {
  return /(?:n't|n’t|\bnot|\bnever|\bwithout)\s+(?:\w+\s+){0,2}["'`]?$/.test(text.slice(Math.max(at - 40, 0), at));
}

function nameIndex(name: string, text: string): number {
  const spelled = [name.toLowerCase(), wordsOf(name).join(' ')];
  return Math.max(...spelled.map((spelling) => phraseIndex(text, spelling)));
}

function wordsIndex(name: string, text: string): number {
  const words = wordsOf(name).filter((word) => !emptyWords.has(word));
  const places = words.map((word) =>
    Math.max(...[word, `${word}s`, word.replace(/s$/, '')].map((form) => phraseIndex(text, form))),
  );
  return places.length === 0 || places.includes(-1) ? -1 : Math.min(...places);
}

/** `getWeather`, `get_weather`, `mcp__get-weather` → their words in lower case. */
function wordsOf(name: string): string[] {
  return name
    .replaceAll(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function openCalls(asked: readonly FunctionTool[], { calls, lastUserText }: Conversation): FunctionTool[] {
  const times = asked.length === 1 && /\b(?:both|twice|in parallel)\b/i.test(lastUserText) ? 2 : 1;
  return asked.flatMap((tool) => {
    const done = calls.filter(({ name }) => name === tool.name).length;
    return Array.from({ length: Math.max(times - done, 0) }, () => tool);
  });
}

function isOneByOne({ parallelToolCalls }: ModelRequest, { lastUserText }: Conversation): boolean {
  return !parallelToolCalls || /\b(?:then|after that|afterwards|one by one|step by step)\b/i.test(lastUserText);
}
