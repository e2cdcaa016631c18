import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { AnswerFloor } from './answer-floor.ts';
import type { ItemPlace } from './item-place.ts';
import { PartTrack, type MissingText } from './part-track.ts';
import { indexOf, objectsOf, textsOf, wordOf } from './read-event.ts';
import { toResponsesState } from './responses-reasoning-state.ts';

export interface ReasoningOptions {
  readonly floor: AnswerFloor;
  /** The upstream's model id; states are bound to it. */
  readonly model: string;
}

/** Summaries, or the thinking itself where a model shows it. */
type Track = 'summary' | 'content';

/** One stretch of thinking: its text, and what the server wants back of it. Where a server sends summaries and thinking, what came first is shown. */
export class ReasoningReader {
  readonly kind = 'reasoning';
  readonly place: ItemPlace;
  isDone = false;
  readonly #options: ReasoningOptions;
  readonly #tracks = { summary: new PartTrack(), content: new PartTrack() };
  /** How far the answer was when it began. */
  readonly #beganAt: number;
  #shown: Track | undefined;

  constructor(place: ItemPlace, options: ReasoningOptions) {
    this.place = place;
    this.#options = options;
    this.#beganAt = options.floor.turns;
  }

  delta(event: JsonObject, track: Track): void {
    const { delta } = event;
    if (typeof delta !== 'string' || delta === '') return;
    const beginsPart = this.#tracks[track].add(indexIn(event, track), delta);
    this.#show({ text: delta, beginsPart }, track);
  }

  textDone(event: JsonObject, track: Track): void {
    if (typeof event['text'] === 'string') this.#completePart(event, event['text'], track, 'text');
  }

  partDone(event: JsonObject, track: Track): void {
    const { part } = event;
    if (isJsonObject(part) && typeof part['text'] === 'string') this.#completePart(event, part['text'], track, 'part');
  }

  /** The whole item, from `output_item.done` or from a response object. Its state goes before what was thought or said next. */
  complete(item: JsonObject): void {
    if (this.isDone) return;
    this.isDone = true;
    const texts = {
      summary: textsOf(objectsOf(item['summary']), 'text'),
      content: textsOf(objectsOf(item['content']), 'text'),
    };
    for (const track of ['summary', 'content'] as const) {
      if (!this.#canShow()) break;
      for (const missing of this.#tracks[track].completeAll(texts[track])) this.#show(missing, track);
    }
    this.#giveState(item, texts);
  }

  #giveState(item: JsonObject, texts: { readonly summary: readonly string[]; readonly content: readonly string[] }): void {
    const { floor, model } = this.#options;
    const id = wordOf(item, 'id') ?? this.place.id;
    const sealed = wordOf(item, 'encrypted_content');
    // A summary alone is of no use to a server that keeps nothing for us.
    if (sealed === undefined && texts.content.length === 0) return;
    if (!this.#canShow()) {
      floor.lose({
        path: 'output',
        action: 'dropped',
        reason: 'what the model wants back of its reasoning came after its place; the next turn goes without it',
      });
      return;
    }
    floor.takeOver(this);
    floor.emit({ type: 'reasoning-state', state: toResponsesState(model, { id, sealed, ...texts }) });
  }

  /** Nobody else has spoken since it began, or since it spoke. */
  #canShow(): boolean {
    const { floor } = this.#options;
    return floor.isHeldBy(this) || (this.#shown === undefined && floor.turns === this.#beganAt);
  }

  #completePart(event: JsonObject, text: string, track: Track, level: 'text' | 'part'): void {
    if (!this.#canShow()) return;
    const missing = this.#tracks[track].complete(indexIn(event, track), text, level);
    if (missing !== undefined) this.#show(missing, track);
  }

  #show({ text, beginsPart }: MissingText, track: Track): void {
    const { floor } = this.#options;
    if (this.#shown !== undefined && this.#shown !== track) return;
    const isFirst = this.#shown === undefined;
    this.#shown = track;
    floor.takeOver(this);
    if (beginsPart && !isFirst) floor.emit({ type: 'reasoning-break' });
    floor.emit({ type: 'reasoning-delta', delta: text });
  }
}

function indexIn(event: JsonObject, track: Track): number | undefined {
  return indexOf(event, track === 'summary' ? 'summary_index' : 'content_index');
}
