import type { BackendUnderTest } from './backends-under-test.ts';
import { sampling, type ClientUnderTest, type HowToAsk, type Reply } from './client-under-test.ts';
import { check, checkSame, openScene, streamed, whole, type Feature, type Told, type Trial } from './feature.ts';
import { countedTokens, resultMark, type ScriptedAnswer } from './open-recorded-models.ts';
import type { Scene } from './scene-recordings.ts';
import { troubleFeatures } from './trouble-features.ts';

const both = [whole, streamed];
const question = 'Call get_weather for Oslo, please';
/** The smallest PNG. */
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const schema = {
  type: 'object',
  properties: { degrees_below_zero: { type: 'integer' }, city: { type: 'string' } },
  required: ['degrees_below_zero', 'city'],
  additionalProperties: false,
};

export const features: readonly Feature[] = [
  { name: 'text', meaning: 'the text of the model server, whole and unchanged.', run: runText },
  {
    name: 'stream',
    meaning: 'the same in pieces: the client has read the first half before the model server sends the second.',
    run: runStream,
  },
  {
    name: 'tool call, its result, the answer',
    meaning: 'the call with its arguments, the result at the model server, the answer to it.',
    run: (trial) => inBothWays((how) => runTools(trial, 'tools', how)),
  },
  {
    name: 'parallel tool calls',
    meaning: 'several calls in one answer, each with its own result.',
    run: (trial) => inBothWays((how) => runTools(trial, 'parallel', how)),
  },
  {
    name: 'structured output',
    meaning: 'the JSON schema reaches the model server, its JSON the client.',
    run: (trial) => inBothWays((how) => runStructured(trial, how)),
  },
  {
    name: 'thinking is shown',
    meaning: 'the thinking of the model, told apart from its text.',
    run: (trial) => inBothWays((how) => runThinking(trial, how)),
  },
  {
    name: 'thinking goes back with the next turn',
    meaning: 'signatures and sealed thinking of an answer with a call reach the model server again, unchanged.',
    run: (trial) => inBothWays((how) => runTools(trial, 'carried', how)),
  },
  { name: 'image', meaning: 'a PNG in the message reaches the model server.', run: runImage },
  {
    name: 'settings of the sampling',
    meaning:
      'what the dialect has of temperature, top-p, top-k, seed, stop sequences and the limit of tokens arrives, or is reported.',
    run: runSampling,
  },
  {
    name: 'usage',
    meaning: 'the token counts are those of the model server.',
    run: (trial) => inBothWays((how) => runUsage(trial, how)),
  },
  ...troubleFeatures,
  {
    name: 'count tokens',
    meaning: 'the count of the model server.',
    run: ({ client, backend }) => client.countTokens && runCount(client.countTokens, backend),
  },
  {
    name: 'list of models',
    meaning: 'the models of the backend are in the list of the client.',
    run: ({ client, backend }) => runList(client, backend),
  },
];

async function inBothWays(run: (how: HowToAsk) => Promise<readonly Reply[]>): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (const how of both) replies.push(...(await run(how)));
  return replies;
}

/** The text of a scene has come, whole and unchanged. */
function checkText(reply: Reply, answer: ScriptedAnswer | null): void {
  if (answer === null) check('no text', reply.text !== '');
  else checkSame('text', reply.text, answer.text);
}

async function runText(trial: Trial): Promise<Reply[]> {
  const reply = await openScene(trial, 'text').say({ text: 'Say hello to the sea' }, whole);
  checkWhole(trial, reply, trial.backend.answerOf('text', false));
  return [reply];
}

/** The client has the first half of the text before the model server sends the second. */
async function runStream(trial: Trial): Promise<Reply[]> {
  const how = {
    stream: true,
    onPiece: () => {
      trial.backend.goOn();
    },
  };
  const reply = await openScene(trial, 'waits').say({ text: 'Say hello to the sea' }, how);
  checkWhole(trial, reply, trial.backend.answerOf('text', true));
  check('the text came in one piece', reply.pieces > 1);
  return [reply];
}

/** An answer that was passed through has the id that the model server gave it, any other has one of ours. */
function checkWhole({ passesThrough }: Trial, reply: Reply, answer: ScriptedAnswer | null): void {
  checkText(reply, answer);
  if (answer !== null) check(`the id is ${reply.id}`, (reply.id === answer.id) === passesThrough);
}

async function runTools(trial: Trial, scene: Scene, how: HowToAsk): Promise<Reply[]> {
  const { backend } = trial;
  const thinks = scene === 'carried';
  const conversation = openScene(trial, scene, { tools: backend.toolsOf(scene, how.stream), thinks });
  const asked = await conversation.say({ text: scene === 'parallel' ? `${question}, and for Rome` : question }, how);
  const answer = backend.answerOf(scene, how.stream);
  if (answer !== null) checkSame('calls', asked.calls, answer.calls);
  check(`${String(asked.calls.length)} calls`, scene === 'parallel' ? asked.calls.length > 1 : asked.calls.length === 1);
  const results = asked.calls.map((_, at) => `${resultMark} (${String(at)})`);
  const told = await conversation.giveResults(results, how);
  const sent = backend.lastRequest();
  if (sent === null) checkRehearsed(told, results);
  else for (const result of results) check(`the model server did not get ${result}`, sent.includes(result));
  checkText(told, backend.answerOf('text', how.stream));
  if (thinks) checkCarried(told, sent, answer);
  return [asked, told];
}

function checkRehearsed({ text }: Reply, results: readonly string[]): void {
  for (const result of results) check(`the model did not say ${result}`, text.includes(result));
}

function checkCarried(told: Reply, sent: string | null, answer: ScriptedAnswer | null): void {
  const lost = told.losses.filter(({ path }) => /^(?:input|messages|contents)\b/.test(path));
  checkSame('state of thinking was lost', lost, []);
  if (sent === null || answer === null) return;
  check('the recording has no state', answer.states.length > 0);
  check(
    'the state of thinking did not come back',
    answer.states.some((state) => sent.includes(JSON.stringify(state).slice(1, -1))),
  );
}

async function runStructured(trial: Trial, how: HowToAsk): Promise<Reply[]> {
  const reply = await openScene(trial, 'structured', { schema }).say({ text: 'How cold is Oslo? Minus 4.' }, how);
  checkText(reply, trial.backend.answerOf('structured', how.stream));
  check('the answer is not JSON', typeof JSON.parse(reply.text) === 'object');
  const sent = trial.backend.lastRequest();
  if (sent === null) checkSame('members', Object.keys(JSON.parse(reply.text) as object), Object.keys(schema.properties));
  else check('the model server did not get the schema', sent.includes('degrees_below_zero'));
  return [reply];
}

async function runThinking(trial: Trial, how: HowToAsk): Promise<Reply[]> {
  const reply = await openScene(trial, 'thinking', { thinks: true }).say({ text: 'Think about the sea' }, how);
  const answer = trial.backend.answerOf('thinking', how.stream);
  if (answer === null) check('no thinking', reply.thinking !== '');
  else checkSame('thinking', reply.thinking, answer.reasoning);
  checkText(reply, answer);
  return [reply];
}

async function runImage(trial: Trial): Promise<Reply[]> {
  const reply = await openScene(trial, 'text').say({ text: 'What is this?', image: pixel }, whole);
  const sent = trial.backend.lastRequest();
  if (sent !== null) check('the model server did not get the image', sent.includes(pixel));
  checkText(reply, trial.backend.answerOf('text', false));
  return [reply];
}

/** Each setting arrives or is reported. */
async function runSampling(trial: Trial): Promise<Reply[]> {
  const reply = await openScene(trial, 'text', { samples: true }).say({ text: 'Say hello to the sea' }, whole);
  const sent = trial.backend.lastRequest();
  for (const setting of sent === null ? [] : trial.client.settings) {
    const isReported = reply.losses.some(({ path }) => settingPaths[setting].test(path));
    const hasArrived = sent?.includes(JSON.stringify(sampling[setting])) === true;
    check(`${setting} did not arrive, and nobody was told`, isReported || hasArrived);
  }
  return [reply];
}

/** How the dialects call them. */
const settingPaths: { readonly [S in keyof typeof sampling]: RegExp } = {
  temperature: /temperature$/,
  topP: /top_?p$/i,
  topK: /top_?k$/i,
  seed: /seed$/,
  stop: /stop/,
  maxTokens: /max.*tokens$/i,
};

async function runUsage(trial: Trial, how: HowToAsk): Promise<Reply[]> {
  const reply = await openScene(trial, 'text').say({ text: 'Say hello to the sea' }, how);
  const usage = trial.backend.answerOf('text', how.stream)?.usage;
  if (usage) checkSame('usage', reply.usage, { input: usage[0], output: usage[1] });
  else check('no usage', reply.usage !== null && reply.usage.input > 0 && reply.usage.output > 0);
  return [reply];
}

async function runCount(countTokens: NonNullable<ClientUnderTest['countTokens']>, backend: BackendUnderTest): Promise<Told[]> {
  const counted = await countTokens(backend.model('text'), 'Say hello to the sea');
  check(`counted ${String(counted.count)}`, counted.count > 0);
  // A server of chat completions cannot count: the gateway estimates, and says so.
  if (backend.dialect === 'chat') check('nobody was told of the estimate', counted.losses.length > 0);
  else if (backend.dialect !== null) checkSame('count', counted.count, countedTokens);
  return [counted];
}

async function runList(client: ClientUnderTest, backend: BackendUnderTest): Promise<Reply[]> {
  const names = await client.listModels();
  check(`${backend.listed} is not in the list`, names.includes(backend.listed));
  return [];
}
