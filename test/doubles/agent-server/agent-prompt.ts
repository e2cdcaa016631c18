import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import type { AgentContent } from './cascade.ts';
import { ownDeclarations } from './own-tools.ts';
import type { AgentQuirks } from './quirks.ts';

const systemText = 'You are the agent of a small office. You have notes, and tools to read them. Answer briefly.';

/** What a custom agent spec changes about main calls. */
export interface AgentShape {
  readonly systemTexts: readonly string[];
  readonly declarations: readonly JsonObject[];
}

/** The agent's own instructions and tools, or those of the spec. A spec that names no tools has none: protojson cannot tell an empty list from none. */
export function shapeAgent(spec: JsonObject | null, quirks: AgentQuirks): AgentShape {
  const agent = spec?.['customAgent'];
  if (!isJsonObject(agent) || quirks.ignoresAgentSpec) return { systemTexts: [systemText], declarations: ownDeclarations(null) };
  const sections = Array.isArray(agent['systemPromptSections']) ? (agent['systemPromptSections'] as readonly unknown[]) : [];
  const texts = sections.flatMap((section) =>
    isJsonObject(section) && typeof section['content'] === 'string' ? [section['content']] : [],
  );
  const names = Array.isArray(agent['toolNames']) ? (agent['toolNames'] as readonly unknown[]).map(String) : [];
  return {
    systemTexts: agent['excludeDefaultComponents'] === true ? texts : [systemText, ...texts],
    declarations: ownDeclarations(names),
  };
}

/** The body of a main call. */
export function mainCallBody(
  contents: readonly AgentContent[],
  shape: AgentShape,
  settings: { readonly showsThoughts: boolean; readonly maxOutputTokens: number | null },
): JsonObject {
  const { systemTexts, declarations } = shape;
  const { showsThoughts, maxOutputTokens } = settings;
  return {
    ...(systemTexts.length > 0 && { systemInstruction: { parts: systemTexts.map((text) => ({ text })) } }),
    contents: [...contents],
    ...(declarations.length > 0 && {
      tools: [{ functionDeclarations: declarations }],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    }),
    generationConfig: {
      ...(maxOutputTokens !== null && { maxOutputTokens }),
      ...(showsThoughts && { thinkingConfig: { includeThoughts: true } }),
    },
  };
}

/** The body of a sub-request: a task, the user's text, no tools. */
export function subCallBody(task: string, quoted: string, showsThoughts = false): JsonObject {
  return {
    systemInstruction: { parts: [{ text: task }] },
    contents: [{ role: 'user', parts: [{ text: quoted === '' ? task : `${task}\n\n${quoted}` }] }],
    generationConfig: { temperature: 0, ...(showsThoughts && { thinkingConfig: { includeThoughts: true } }) },
  };
}

/** The user's text as it enters the history: white space as this build treats it, with this build's words around it. */
export function wrapUserText(text: string, quirks: AgentQuirks, now: string): string {
  const treated = treatWhitespace(text, quirks.whitespace);
  switch (quirks.template) {
    case 'user-request':
      return `<USER_REQUEST>\n${treated}\n</USER_REQUEST>\n<ADDITIONAL_METADATA>\nThe current local time is: ${now}.\n</ADDITIONAL_METADATA>`;
    case 'markdown':
      return `## The user's request\n\n${treated}\n\n---\nTime: ${now}`;
    case 'bare':
      return treated;
  }
}

function treatWhitespace(text: string, kind: AgentQuirks['whitespace']): string {
  switch (kind) {
    case 'keep':
      return text;
    case 'trim':
      return text.trim();
    case 'lf':
      return toLineFeeds(text);
    case 'trim-lf':
      return toLineFeeds(text).trim();
    case 'mangle':
      return mangle(text);
  }
}

function toLineFeeds(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

/** Comments, invisible characters and line structure go. */
function mangle(text: string): string {
  return text
    .replaceAll(/<!--[\s\S]*?-->|\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/[\p{Cf}\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}\u{115F}\u{1160}\u{3164}]/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
