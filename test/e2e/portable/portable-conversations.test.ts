import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';
import { createChatClient } from './chat-client.ts';
import type { ClientTurn, Connection, PortableClient, ToolResult } from './client.ts';
import { Conversation } from './conversation.ts';
import { createGeminiClient } from './gemini-client.ts';
import { createMessagesClient } from './messages-client.ts';
import { googleTools, openaiTools, portableModels, portableYaml } from './portable-gateway.ts';
import { createResponsesClient } from './responses-client.ts';
import { openStrictUpstream, type StrictUpstream } from './strict-upstream.ts';

const pairs = portableModels.flatMap((one) => portableModels.map((other) => [one, other] as const));
/** A conversation finds its responses in another way, but goes on like them: one pair for each model says enough. */
const ring = portableModels.map((one, at) => [one, portableModels[(at + 1) % portableModels.length] ?? one] as const);

let upstream: StrictUpstream;
let gateway: StartedGateway;

beforeAll(async () => {
  upstream = await openStrictUpstream();
  gateway = await startGateway(portableYaml(upstream.url));
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** Every way to go on with a conversation. */
const ways: Readonly<Record<string, (connection: Omit<Connection, 'tools'>) => PortableClient>> = {
  previous_response_id: (to) => createResponsesClient({ ...to, tools: openaiTools }, { way: 'previous_response_id' }),
  conversation: (to) =>
    createResponsesClient(
      { ...to, tools: openaiTools },
      { way: 'conversation', conversation: `c-${String((conversations += 1))}` },
    ),
  responses: (to) => createResponsesClient({ ...to, tools: openaiTools }, { way: 'full history' }),
  chat: (to) => createChatClient({ ...to, tools: openaiTools }),
  messages: (to) => createMessagesClient({ ...to, tools: openaiTools }),
  gemini: (to) => createGeminiClient({ ...to, tools: googleTools }),
};
let conversations = 0;

/** What tools return: text, a failure, an image. */
function outcomesOf({ calls }: ClientTurn): ToolResult[] {
  return calls.map((call, at) => {
    const result = { call, text: `Result ${String(at)} of ${call.tool}` };
    if (at === 1) return { ...result, isError: true };
    return at === 2 ? { ...result, image } : result;
  });
}

const image = 'iVBORw0KGgo=';
const hello = { text: 'What is it? [[think Hm.]] [[say A cat.]]', image };
const oneCall = { text: 'Use get_weather for "Oslo". [[think First.]] [[say One moment.]] [[call 0 {"city":"Oslo"}]]' };
const threeCalls = {
  text: 'Use get_weather. [[think All.]] [[call 1 {"city":"Oslo"}]] [[call 0 {"city":"Rome"}]] [[call 2 {"a":[1,{"b":null}]}]]',
};

/** A conversation of two models: each answers the other one's calls, and questions after that. Returns what was wrong. */
async function converse(client: PortableClient, [one, other]: readonly [string, string]): Promise<readonly string[]> {
  const conversation = new Conversation(client, upstream);
  await conversation.ask(one, hello);
  const first = await conversation.ask(other, oneCall);
  if (first.calls.length > 0) await conversation.answer(one, outcomesOf(first));
  const second = await conversation.ask(one, threeCalls);
  if (second.calls.length > 0) await conversation.answer(other, outcomesOf(second));
  await conversation.ask(other, { text: 'Thanks. [[think Last.]] [[say Bye.]]' });
  await conversation.ask(one, { text: 'One more? [[say No.]]' });
  return conversation.faults;
}

test.each(Object.keys(ways))(
  'a conversation goes on anywhere, nothing is refused and nothing is lost in silence: %s',
  async (way) => {
    const bad: string[] = [];
    const tried = way === 'conversation' ? ring : pairs;
    for (const pair of tried) {
      const client = ways[way]?.({ url: gateway.url });
      const faults = client === undefined ? ['no such way'] : await converse(client, pair);
      if (faults.length > 0) bad.push(`${pair.join(' and ')}: ${faults.join('\n    ')}`);
    }
    console.log(`${way}: ${String(bad.length)} of ${String(tried.length)} conversations lost something`);
    expect(bad).toEqual([]);
  },
);
