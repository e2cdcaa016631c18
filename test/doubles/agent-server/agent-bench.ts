import type { GeminiModelOptions } from '../gemini-model/gemini-model-options.ts';
import { startGeminiModel, type GeminiModel } from '../gemini-model/start-gemini-model.ts';
import type { AgentServerDouble, AgentServerOptions } from './agent-server-options.ts';
import { createAgentClient, type AgentClient } from './ask-agent.ts';
import { startAgentServer } from './start-agent-server.ts';

/** An agent server with a model endpoint behind it and a client in front of it; a bench closes all it opened. */
export interface AgentBench {
  open(server?: Partial<AgentServerOptions>, model?: GeminiModelOptions): Promise<OpenAgent>;
  close(): Promise<void>;
}

export interface OpenAgent {
  readonly model: GeminiModel;
  readonly agent: AgentServerDouble;
  readonly client: AgentClient;
  /** Sends a message and resolves when the run is over (IDLE again). */
  readonly turn: (cascadeId: string, text: string, more?: object) => Promise<void>;
  readonly statusOf: (cascadeId: string) => string;
}

export function createAgentBench(): AgentBench {
  const closing: (() => Promise<void>)[] = [];

  async function open(server: Partial<AgentServerOptions> = {}, modelOptions: GeminiModelOptions = {}): Promise<OpenAgent> {
    const model = await startGeminiModel(modelOptions);
    closing.push(() => model.close());
    const agent = await startAgentServer({ modelUrl: model.url, ...server });
    closing.push(() => agent.close());
    const client = createAgentClient(agent.url);
    const statusOf = (cascadeId: string): string =>
      agent.cascades().find((cascade) => cascade.cascadeId === cascadeId)?.status ?? '';

    async function turn(cascadeId: string, text: string, more: object = {}): Promise<void> {
      let hasRun = false;
      const over = agent.until(() => {
        const status = statusOf(cascadeId);
        hasRun ||= status !== 'IDLE';
        return hasRun && status === 'IDLE';
      });
      const { status, body } = await client.send(cascadeId, text, more);
      if (status !== 200) throw new Error(JSON.stringify(body));
      await over;
    }

    return { model, agent, client, turn, statusOf };
  }

  return {
    open,
    async close() {
      for (const one of closing.splice(0).reverse()) await one();
    },
  };
}
