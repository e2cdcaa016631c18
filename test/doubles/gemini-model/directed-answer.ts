import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import type { DirectedRound, Direction } from './directions.ts';
import type { GeminiChunk } from './gemini-model-options.ts';
import { declarationsOf } from './gemini-words.ts';
import { googleError } from './google-error.ts';

/** Thrown by chunks that end in the middle: the connection is broken off. */
export class CutError extends Error {
  override readonly name = 'CutError';
}

export interface DirectedStage {
  readonly writer: ChunkWriter;
  readonly body: JsonObject;
  /** Resolves at the test's next `release()`. */
  readonly hold: () => Promise<void>;
}

/** One round of directions as chunks. Only declared functions are called; a direction that calls another one says so. */
export async function* playDirections(round: DirectedRound, stage: DirectedStage): AsyncGenerator<GeminiChunk> {
  const declared = new Set(declarationsOf(stage.body).map(({ name }) => name));
  let reason = 'STOP';
  for (const direction of round.directions) {
    if (direction.type === 'finish') reason = direction.reason;
    else if (direction.type === 'pause') await sleep(direction.milliseconds);
    else if (direction.type === 'hold') await stage.hold();
    else if (direction.type === 'cut') throw new CutError('cut');
    else if (direction.type === 'error') {
      yield googleError(direction.status, 'The model fails on purpose.');
      return;
    } else yield* speak(direction, { ...stage, round, declared });
  }
  yield stage.writer.finish(reason);
}

type Spoken = Extract<Direction, { type: 'think' | 'say' | 'call' | 'outputs' | 'status' }>;

function* speak(
  direction: Spoken,
  { writer, round, declared }: DirectedStage & { round: DirectedRound; declared: ReadonlySet<unknown> },
): Generator<GeminiChunk> {
  switch (direction.type) {
    case 'think':
      yield* speakThought(direction.text, writer, direction.isLate);
      return;
    case 'say':
      for (const piece of splitPieces(direction.text)) yield writer.text(piece);
      return;
    case 'call':
      if (declared.has(direction.name)) yield writer.call(direction.name, direction.args);
      else yield writer.text(`(there is no function ${direction.name})`);
      return;
    case 'outputs':
      for (const piece of splitPieces(describeOutputs(round))) yield writer.text(piece);
      return;
    case 'status':
  }
}

/** Late thinking is counted now and told later, to whoever asks for a summary. */
function* speakThought(text: string, writer: ChunkWriter, isLate: boolean): Generator<GeminiChunk> {
  for (const piece of splitPieces(text)) {
    const chunk = writer.thought(piece);
    if (chunk !== null && !isLate) yield chunk;
  }
}

/** `get_weather returned {"result":"4C"}. get_time returned …` */
function describeOutputs({ outputs }: DirectedRound): string {
  const sentences = outputs.map(({ name, response }) => `${name} returned ${JSON.stringify(response)}.`);
  return sentences.length === 0 ? 'There are no outputs.' : sentences.join(' ');
}

/** Pieces of at most 12 UTF-16 units that cut no character in two. */
export function splitPieces(text: string): string[] {
  const pieces: string[] = [];
  for (const point of text) {
    const last = pieces.at(-1);
    if (last === undefined || last.length + point.length > 12) pieces.push(point);
    else pieces[pieces.length - 1] = last + point;
  }
  return pieces;
}
