import type { AgentServer } from '../../src/backends/cascade/agent-server.ts';
import { openAgentServer, type AgentServerOptions } from '../../src/backends/cascade/open-agent-server.ts';
import { counterId } from '../counter-id.ts';
import { openConnectServer, type ConnectServer } from './connect-server.ts';
import { createElapsingClock, type ElapsingClock } from './elapsing-clock.ts';

/** A Connect server that knows no call yet, and the product's client of it whose time passes by hand. */
export interface ConnectedPair {
  readonly server: ConnectServer;
  readonly agent: AgentServer;
  readonly clock: ElapsingClock;
  close(): Promise<void>;
}

export async function openConnectedPair(options: Partial<AgentServerOptions> = {}): Promise<ConnectedPair> {
  const server = await openConnectServer();
  const clock = createElapsingClock();
  const agent = openAgentServer({
    ...{ name: 'agent', baseUrl: server.url, csrfToken: null, token: null, headers: {}, models: new Map() },
    ...{ modelField: 'both', workspaceUris: [], newId: counterId() },
    ...{ now: clock.now, wait: clock.wait, random: clock.random },
    timeouts: { connectMs: 5000, firstByteMs: 5000, idleMs: 5000 },
    ...options,
  });
  return {
    server,
    agent,
    clock,
    async close() {
      await Promise.all([agent.close(), server.close()]);
    },
  };
}
