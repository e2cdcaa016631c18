import { createNewId } from '../../src/new-id.ts';
import { openCascade } from '../../src/open-cascade.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import type { TapSessions } from '../../src/tap/tap-sessions.ts';
import { startAgentServer } from '../doubles/agent-server/start-agent-server.ts';
import { startGeminiModel } from '../doubles/gemini-model/start-gemini-model.ts';
import { startGateway } from '../doubles/start-gateway.ts';
import { startTestTap } from '../doubles/start-test-tap.ts';
import type { ModelWatch } from './model-watch.ts';

/** A whole gateway whose tap asks these sessions. */
export async function startPlantedGateway(
  sessions: TapSessions,
  { keys, watch }: { readonly keys: readonly string[]; readonly watch: ModelWatch },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const model = await startGeminiModel({ answer: watch.answer });
  const tap = await startTestTap({ upstream: model.url, intercept: sessions.intercept });
  const agent = await startAgentServer({ modelUrl: tap.url, quirks: { lateThinking: true } });
  const store = createMemoryStore();
  const [newId, now, second] = [createNewId(), Date.now, 1_000];
  const backend = await openCascade(
    {
      ...{ type: 'cascade', name: 'agent', origin: 'planted', baseUrl: agent.url, tap: 'planted', ownTools: 'keep' },
      ...{ csrfToken: null, token: null, headers: new Map(), caFile: null, models: new Map(), modelField: 'both' },
      ...{ workspaceUris: [], defaultModel: null },
      timeouts: { connectMs: second, firstByteMs: 20 * second, idleMs: 20 * second },
    },
    { newId, now, version: 'test', sessions: store, taps: new Map([['planted', sessions.tap]]) },
  );
  const gateway = await startGateway(`server: { keys: ${JSON.stringify(keys)} }`, { backends: [backend], store });
  return {
    url: gateway.url,
    async close() {
      await gateway.close();
      await tap.close();
      await agent.close();
      await model.close();
    },
  };
}
