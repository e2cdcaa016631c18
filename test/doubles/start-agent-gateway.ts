import { join } from 'node:path';
import type { AgentServerDouble, AgentServerOptions } from './agent-server/agent-server-options.ts';
import { startAgentServer } from './agent-server/start-agent-server.ts';
import type { GeminiModelOptions } from './gemini-model/gemini-model-options.ts';
import { startGeminiModel, type GeminiModel } from './gemini-model/start-gemini-model.ts';
import { startGateway, type StartedGateway } from './start-gateway.ts';

/** How the agent server reaches its model: through a tap in either mode, or directly. */
export type TapMode = 'reverse' | 'forward' | 'none';
export const tapModes: readonly TapMode[] = ['reverse', 'forward', 'none'];

export interface AgentGatewayOptions {
  readonly mode?: TapMode;
  readonly model?: GeminiModelOptions;
  readonly agent?: Partial<AgentServerOptions>;
  /** Further settings of the backend, as YAML flow: `, own_tools: drop`. */
  readonly backend?: string;
  /** Further sections of the configuration. */
  readonly more?: string;
  /** Section `server`, as YAML flow. */
  readonly server?: string;
}

/** A gateway in front of a synthetic agent server, which calls a Gemini-format endpoint: all real servers on loopback. */
export interface AgentGateway {
  readonly gateway: StartedGateway;
  readonly url: string;
  readonly agent: AgentServerDouble;
  readonly model: GeminiModel;
  /** Where the tap listens; empty without one. */
  readonly tapUrl: string;
  close(): Promise<void>;
}

const credential = 'agent:tap-password-0123456789';

/** Backend `agent` is the agent server, backend `gemini` the endpoint behind it. Models: `agent/gemini-3-pro`, `gemini/gemini-3-pro`. */
export async function startAgentGateway(options: AgentGatewayOptions = {}): Promise<AgentGateway> {
  const { mode = 'reverse', backend = '', server = '', more = 'store: { url: "memory:" }' } = options;
  const isForward = mode === 'forward';
  const model = await startGeminiModel({ ...(isForward && { tls: 'self-signed' as const }), ...options.model });
  const agent = await startAgentServer({ modelUrl: model.url, ...options.agent });
  const gateway = await startGateway(
    [
      ...(server === '' ? [] : [`server: { ${server} }`]),
      'backends:',
      `  agent: { type: cascade, base_url: "${agent.url}"${mode === 'none' ? '' : ', tap: agent-tap'}${backend} }`,
      `  gemini: { type: gemini, base_url: "${model.url}", api_key: "AIza-direct"${caFile(model, ', ca_file')} }`,
      ...describeTap(mode, model),
      more,
    ].join('\n'),
  );
  const { url, tapUrl, dataDirectory } = gateway;
  agent.setModelWay({
    modelUrl: mode === 'reverse' ? tapUrl : model.url,
    ...(isForward && { proxy: { url: tapUrl, credential, caFile: join(dataDirectory, 'data', 'tap', 'ca.pem') } }),
    ...options.agent,
  });
  return {
    ...{ gateway, agent, model, tapUrl, url },
    async close() {
      await gateway.close();
      await agent.close();
      await model.close();
    },
  };
}

function describeTap(mode: TapMode, model: GeminiModel): string[] {
  const listen = 'listen: "127.0.0.1:0"';
  if (mode === 'none') return [];
  const settings =
    mode === 'reverse'
      ? `mode: reverse, ${listen}, upstream: "${model.url}"${caFile(model, ', upstream_ca_file')}`
      : `mode: forward, ${listen}, hosts: ["127.0.0.1"], credential: "${credential}"${caFile(model, ', upstream_ca_file')}`;
  return ['taps:', `  agent-tap: { ${settings} }`];
}

function caFile(model: GeminiModel, key: string): string {
  return model.caFile === null ? '' : `${key}: "${model.caFile}"`;
}
