import { isDeepStrictEqual } from 'node:util';
import type { BackendUnderTest } from './backends-under-test.ts';
import type { ClientUnderTest, Conversation, ConversationOptions, HowToAsk, Reply } from './client-under-test.ts';
import type { FeatureText } from './to-compatibility-page.ts';

/** One cell before it is tried. */
export interface Trial {
  readonly client: ClientUnderTest;
  readonly backend: BackendUnderTest;
  /** The bytes of the model server go on as they are. */
  readonly passesThrough: boolean;
}

/** A line of the table. */
export interface Feature extends FeatureText {
  /** Null: the client has no such thing. Rejects with a `Fault` when something is not as it has to be. */
  readonly run: (trial: Trial) => Promise<readonly Told[]> | null;
}

/** What a run has to tell the table. */
export type Told = Pick<Reply, 'losses'>;

/** Something that is not as it has to be. */
export class Fault extends Error {}

/** Throws a `Fault` unless both are the same. */
export function checkSame(what: string, got: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(got, wanted)) throw new Fault(`${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
}

/** Throws a `Fault` unless it holds. */
export function check(what: string, holds: boolean): void {
  if (!holds) throw new Fault(what);
}

export const streamed: HowToAsk = { stream: true };
export const whole: HowToAsk = { stream: false };
/** A conversation with the model that plays a scene. */
export function openScene(
  { client, backend }: Trial,
  scene: Parameters<BackendUnderTest['model']>[0],
  options: Omit<ConversationOptions, 'model'> = {},
): Conversation {
  return client.open({ model: backend.model(scene), ...options });
}
