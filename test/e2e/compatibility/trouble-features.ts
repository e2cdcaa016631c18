import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { ApiError } from '@google/genai';
import type { Dialect, Reply } from './client-under-test.ts';
import { check, Fault, openScene, streamed, whole, type Feature, type Trial } from './feature.ts';
import { refusal, type Trouble } from './open-recorded-models.ts';

/** What becomes of failures and of clients that leave. */
export const troubleFeatures: readonly Feature[] = [
  {
    name: 'error before the answer',
    meaning: "a 429 of the model server is a 429 of the client's own error class, with the words of the model server.",
    run: runRefusal,
  },
  {
    name: 'error in the middle of a stream',
    meaning: "what the model server said before comes, then the client's own error; nothing is taken for whole.",
    run: (trial) => runBreak(trial, 'fails'),
  },
  { name: 'stream cut off', meaning: 'the same for a connection that breaks.', run: (trial) => runBreak(trial, 'cut') },
  { name: 'client leaves', meaning: 'the gateway breaks off its call to the model server.', run: runLeave },
];

/** What a client throws for an answer of the server; an error without a status came in a stream. */
const errorClasses: { readonly [D in Dialect]: new (...given: never[]) => Error } = {
  anthropic: Anthropic.APIError,
  chat: OpenAI.APIError,
  gemini: ApiError,
  responses: OpenAI.APIError,
};

function checkThrown({ client }: Trial, thrown: unknown): void {
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  check(`not an error of the API: ${name}`, thrown instanceof errorClasses[client.dialect]);
}

async function runRefusal(trial: Trial): Promise<Reply[]> {
  for (const how of [whole, streamed]) {
    const thrown = await failureOf(openScene(trial, 'refuses').say({ text: 'Hello' }, how));
    checkThrown(trial, thrown);
    check(`status ${String(statusOf(thrown))}`, statusOf(thrown) === 429);
    const isTold = trial.backend.dialect === null || String(thrown).includes(refusal);
    check('the client does not learn what the model server said', isTold);
  }
  return [];
}

/** Something of the text has come; and the client knows that it is not whole. */
async function runBreak(trial: Trial, trouble: Trouble): Promise<Reply[]> {
  let pieces = 0;
  const asked = openScene(trial, trouble).say({ text: 'Hello' }, { stream: true, onPiece: () => pieces++ });
  const thrown = await failureOf(asked);
  check('nothing came before the failure', pieces > 0);
  if (thrown !== null) checkThrown(trial, thrown);
  else check('nobody was told', (await asked).failure !== null);
  return [];
}

async function runLeave(trial: Trial): Promise<Reply[]> {
  const leave = new AbortController();
  const how = {
    stream: true,
    signal: leave.signal,
    onPiece: () => {
      leave.abort();
    },
  };
  const thrown = await failureOf(openScene(trial, 'hangs').say({ text: 'Hello' }, how));
  if (thrown === null) throw new Fault('the client did not leave');
  check('the call to the model server was not broken off', await trial.backend.wasBrokenOff());
  return [];
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
}

function statusOf(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && 'status' in thrown ? thrown.status : undefined;
}
