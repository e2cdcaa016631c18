import { isJsonObject, type JsonObject } from '../lib/json.ts';
import type { Loss } from '../model/loss.ts';
import type { InputItem, ModelRequest } from '../model/model-request.ts';
import { mapModelTraits } from '../translate/gemini/model-traits.ts';
import { addSkipSignatures } from '../translate/gemini/skip-signatures.ts';
import { createGeminiToolNames } from '../translate/gemini/to-gemini-request.ts';
import { toGeminiSettings } from '../translate/gemini/to-gemini-settings.ts';
import { writeHistory } from '../translate/gemini/write-history.ts';
import type { ToolNames } from '../translate/tool-names.ts';
import type { Marks } from './marks.ts';
import { addSettings } from './rewrite/add-settings.ts';
import { askedTurns } from './rewrite/find-turn.ts';
import { declaredNames, innerRequest, mapStrings, readObjects, withInnerRequest } from './rewrite/gemini-body.ts';
import { placeHistory } from './rewrite/place-history.ts';
import { readContent } from './rewrite/read-content.ts';
import { itemsOfSpan } from './rewrite/span-of-turn.ts';
import { blankContent } from './rewrite/strip-body.ts';
import { toContent, writeContents } from './rewrite/write-contents.ts';

export interface RewriteOptions {
  /** Id of the turn that the call belongs to. */
  readonly turn: string;
  /** The whole turn, with the model that is really called. */
  readonly request: ModelRequest;
  /** The model that the backend knows: what its settings lose with that one has been told before the turn. */
  readonly plannedModel: string;
  readonly ownTools: 'keep' | 'drop';
  readonly marks: Marks;
}

export interface RewrittenRequest {
  readonly body: JsonObject;
  /** The names that the tools of the client have in `body`; the answer is read with them. */
  readonly names: ToolNames;
  /** Functions that the agent server declares and that stayed. */
  readonly ownNames: ReadonlySet<string>;
  readonly losses: readonly Loss[];
}

/**
 * The body of a main call → the body that the model gets: the client's tools, choice, format, settings and system text are in it, every exchange of the conversation is there in
 * Gemini's own form, and no mark is left. The agent server's own words stay where they are. Pure: the same body, sent again, becomes the same; a body without the mark of the
 * turn (one that has been rewritten) stays as it is.
 */
export function rewriteRequest(body: JsonObject, options: RewriteOptions): RewrittenRequest {
  const { request, ownTools, marks, turn } = options;
  const inner = innerRequest(body);
  const traits = mapModelTraits(request.model);
  const ownNames = ownTools === 'keep' ? declaredNames(inner) : new Set<string>();
  const names = createGeminiToolNames(request, ownNames);
  if (!askedTurns(inner, marks).includes(turn)) return { body, names, ownNames, losses: [] };
  const history = rewriteHistory(inner, options, names);
  // With `none` the client's tools are not offered, but the agent's are: the choice itself would forbid both.
  const offered: ModelRequest = request.toolChoice.type === 'none' ? { ...request, tools: [] } : request;
  const settings = toGeminiSettings(offered, { names, traits, isVertex: false, hasOtherFunctions: ownNames.size > 0 });
  const news = settings.losses.length === 0 ? [] : withoutPlanned(settings.losses, offered, options.plannedModel);
  const context = { request: offered, traits, names, ownNames, ownTools };
  const rewritten = addSettings({ ...inner, contents: history.contents }, settings.value, context);
  const clean = mapStrings(withInnerRequest(body, rewritten), (text) => marks.stripMarks(text));
  return { body: isJsonObject(clean) ? clean : body, names, ownNames, losses: [...history.losses, ...news] };
}

function withoutPlanned(losses: readonly Loss[], request: ModelRequest, model: string): readonly Loss[] {
  const planned = { ...request, model };
  const options = {
    names: createGeminiToolNames(planned),
    traits: mapModelTraits(model),
    isVertex: false,
    hasOtherFunctions: false,
  };
  const told = new Set(toGeminiSettings(planned, options).losses.map((loss) => JSON.stringify(loss)));
  return losses.filter((loss) => !told.has(JSON.stringify(loss)));
}

interface RewrittenHistory {
  readonly contents: readonly JsonObject[];
  readonly losses: readonly Loss[];
}

function rewriteHistory(inner: JsonObject, { request, marks }: RewriteOptions, names: ToolNames): RewrittenHistory {
  const { model, input } = request;
  const traits = mapModelTraits(model);
  const history = writeHistory(input, { model, names, traits });
  const contents = readObjects(inner['contents']).map((content) =>
    readContent(content, marks, (span) => itemsOfSpan(input, span) !== null),
  );
  const placement = placeHistory(contents, history, input);
  const drafts = writeContents(contents, placement, history);
  // The agent server writes its template beside the outputs: its words do not end the turn that Gemini validates.
  const sides = drafts.map(({ side, parts }) => {
    const outputs = parts.filter((part) => 'functionResponse' in part);
    return { role: side, parts: outputs.length > 0 ? outputs : parts };
  });
  const skipped = traits.isGemini3 ? addSkipSignatures(sides, history.exchanges) : [];
  const written = drafts.map(toContent);
  // A conversation with Gemini begins with the user, unless the agent server wants it otherwise.
  const isBegun = drafts[0]?.side === 'user' || (drafts[0]?.from === 0 && contents[0]?.side === 'model');
  const losses = history.losses.filter(({ path }) => isAbout(path, placement.items));
  return { contents: isBegun ? written : [blankContent, ...written], losses: [...losses, ...skipped] };
}

/** What became of items that the agent server sends in its own way is not ours to report. */
function isAbout(path: string, items: ReadonlySet<InputItem>): boolean {
  return [...items].some((item) => path.startsWith(item.path));
}
