import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';
import { Conversation } from './conversation.ts';
import { foreignHistories, foreignStates } from './foreign-history.ts';
import { portableModels, portableYaml } from './portable-gateway.ts';
import { openStrictUpstream, type StrictUpstream } from './strict-upstream.ts';

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

test.each(Object.keys(foreignHistories))(
  'what another server signed is left out with a loss, and never refused: %s',
  async (dialect) => {
    const bad: string[] = [];
    let tried = 0;
    for (const [what, state] of Object.entries(foreignStates)) {
      for (const model of portableModels) {
        tried += 1;
        const history = foreignHistories[dialect]?.({ url: gateway.url }, state);
        if (history === undefined) throw new Error('no such dialect');
        const conversation = new Conversation(history.client, upstream, history.expected);
        await conversation.answer(
          model,
          history.calls.map((call) => ({ call, text: `Result of ${call.tool}` })),
        );
        await conversation.ask(model, { text: 'Thanks. [[think Hm.]] [[say Bye.]]' });
        if (conversation.faults.length > 0) bad.push(`${what} at ${model}: ${conversation.faults.join('\n    ')}`);
      }
    }
    console.log(`${dialect}: ${String(bad.length)} of ${String(tried)} conversations were refused or lost something in silence`);
    expect(bad).toEqual([]);
  },
);
