import { expect, test } from 'vitest';
import { startGateway } from '../../doubles/start-gateway.ts';
import { startTerseAgentServer, type TerseOptions } from '../../doubles/terse-agent-server.ts';
import { ask, messagesOf } from './ask-agent.ts';

const streams = ['StreamAgentStateUpdates', 'StreamCascadeReactiveUpdates'];
const catalogues = ['GetCascadeModelConfigData', 'GetAvailableModels'];
const configured = ', models: { gemini-3-pro: MODEL_ONE }';

/** Whatever backends.md does not promise, some agent server does otherwise. */
const builds: readonly (readonly [name: string, options: TerseOptions])[] = [
  ['does it all', {}],
  ['one step a page', { pageSize: 1 }],
  ['one step a page, and no total', { pageSize: 1, hidesTotal: true }],
  ['no total', { hidesTotal: true }],
  ['its last page behind the end', { pastEnd: 'last page', pageSize: 1 }],
  ['an error behind the end', { pastEnd: 'error' }],
  ['an error behind the end, and no total', { pastEnd: 'error', hidesTotal: true }],
  ['steps without a status', { hidesStatus: true }],
  ['never seen running', { hidesRunning: true }],
  ['the words of the user are no step', { hidesInput: true }],
  ['starts after a while', { startsAfter: 600 }],
  ['answers a message when the turn is over', { blocks: true }],
  ['makes the cascade with its first message', { madeAfter: 200 }],
  ['closes its connections', { closes: true }],
  ['no streams', { missing: streams }],
  ['streams that are never accepted', { stream: 'never' }],
  ['streams that never say anything', { stream: 'silent' }],
  ['streams that end after each frame', { stream: 'one' }],
  ['only the second catalogue', { missing: catalogues.slice(0, 1) }],
  ['no catalogue, but configured models', { missing: catalogues }],
  [
    'nothing that is not needed',
    { missing: ['Heartbeat', 'UpdateConversationAnnotations', 'CancelCascadeInvocation', ...streams] },
  ],
];

test.each(builds)('an agent server of another build: %s', async (_name, options) => {
  const settings = catalogues.every((method) => options.missing?.includes(method)) ? configured : '';
  const agent = await startTerseAgentServer(options);
  const gateway = await startGateway(
    `backends: { agent: { type: cascade, base_url: "${agent.url}"${settings} } }\nstore: { url: "memory:" }`,
  );
  try {
    for (const [index, stream] of [false, true, false].entries()) {
      const input = `Question ${String(index + 1)}`;
      const { body } = await ask(gateway, { input, conversation: 'talk', stream });
      expect([body.status, messagesOf(body)]).toEqual(['completed', [`Turn ${String(index + 1)}: ${input}`]]);
    }
    expect(agent.callsOf('StartCascade')).toHaveLength(1);
  } finally {
    await gateway.close();
    await agent.close();
  }
});

test('one that counts no tokens: usage is estimated, which is a loss', async () => {
  const agent = await startTerseAgentServer();
  const gateway = await startGateway(
    `backends: { agent: { type: cascade, base_url: "${agent.url}" } }\nstore: { url: "memory:" }`,
  );
  const answers = [];
  for (const stream of [true, false]) answers.push(await ask(gateway, { input: 'A question of six words here', stream }));
  const [streamed, synced] = answers;
  expect(streamed?.body.usage).toEqual(synced?.body.usage);
  const { input_tokens: input = 0, output_tokens: output = 0, total_tokens: total } = synced?.body.usage ?? {};
  expect([input >= 6, output >= 8, total]).toEqual([true, true, input + output]);
  const losses = JSON.parse(synced?.headers.get('antiphon-losses') ?? '[]') as object[];
  expect(losses).toContainEqual({ path: 'usage', action: 'estimated', reason: expect.any(String) as string });
  await gateway.close();
  await agent.close();
});
