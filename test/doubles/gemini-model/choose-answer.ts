import type { JsonObject } from '../../../src/lib/json.ts';
import { ChunkWriter, tokensOf } from './chunk-writer.ts';
import { playDirections, splitPieces } from './directed-answer.ts';
import { readDirections, readThoughts } from './directions.ts';
import type { GeminiChunk, ScriptedAnswer } from './gemini-model-options.ts';
import { contentsOf, member, objectOf, userTextOf } from './gemini-words.ts';
import { googleError } from './google-error.ts';
import type { IssuedSignatures } from './issued-signatures.ts';
import { rehearseAnswer } from './rehearsed-answer.ts';

export interface AnswerStage {
  readonly index: number;
  readonly model: string;
  readonly body: JsonObject;
  readonly streams: boolean;
  readonly signatures: IssuedSignatures;
  readonly givesCallIds: boolean;
  readonly signal: AbortSignal;
  readonly hold: () => Promise<void>;
  /** How often each round was refused so far. */
  readonly refusals: Map<string, number>;
}

/** What the endpoint answers when no test decides: small models as a helper would, else the directions of the text, else the rehearsal backend. */
export async function chooseAnswer(stage: AnswerStage): Promise<ScriptedAnswer> {
  const { body, model } = stage;
  const writer = createWriter(stage);
  if (/lite/.test(model)) return { chunks: sayInShort(body, writer) };
  const round = readDirections(body);
  if (round === null) return rehearseAnswer({ ...stage, writer });
  const refusal = round.directions.find((direction) => direction.type === 'status');
  if (refusal !== undefined) {
    const times = (stage.refusals.get(round.key) ?? 0) + 1;
    stage.refusals.set(round.key, times);
    if (times <= refusal.times)
      return { status: refusal.status, body: JSON.stringify(googleError(refusal.status, 'Refused on purpose.')) };
  }
  return { chunks: playDirections(round, { writer, body, hold: stage.hold }) };
}

function createWriter({ index, model, body, signatures, givesCallIds }: AnswerStage): ChunkWriter {
  const promptTokens = tokensOf(JSON.stringify([body['contents'], member(body, 'systemInstruction'), body['tools']]));
  const thinking = objectOf(member(objectOf(member(body, 'generationConfig')), 'thinkingConfig'));
  return new ChunkWriter({
    model,
    responseId: `r${index}`,
    promptTokens,
    cachedTokens: contentsOf(body).length > 1 ? Math.floor(promptTokens / 2) : 0,
    showsThoughts: member(thinking, 'includeThoughts') === true,
    givesCallIds,
    signatures,
  });
}

/** What agents use small models for: a title, a summary. Thinking that the quoted text directs is told here. */
function* sayInShort(body: JsonObject, writer: ChunkWriter): Generator<GeminiChunk> {
  const text = userTextOf(contentsOf(body).at(-1)?.parts ?? []);
  const thoughts = readThoughts(body);
  for (const thought of thoughts.length > 0 ? thoughts : ['A short answer will do.']) {
    const chunk = writer.thought(thought);
    if (chunk !== null) yield chunk;
  }
  for (const piece of splitPieces(`In short: ${Array.from(text).slice(0, 40).join('')}`)) yield writer.text(piece);
  yield writer.finish('STOP');
}
