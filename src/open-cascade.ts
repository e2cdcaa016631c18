import type { CascadeSettings, TokenSettings } from './config/settings.ts';
import type { Backend } from './model/backend.ts';
import type { ModelTap } from './model/model-tap.ts';
import type { SessionStore } from './model/session-store.ts';
import { toRemoteOptions } from './to-remote-options.ts';
import { wait } from './wait.ts';

/** What a cascade backend needs of the gateway. */
export interface CascadeSurroundings {
  readonly newId: (prefix: string) => string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly version: string;
  readonly sessions: SessionStore;
  /** The taps that run, by name. */
  readonly taps: ReadonlyMap<string, ModelTap>;
}

/** The backend of one agent server. Its code is loaded only where one is configured. */
export async function openCascade(settings: CascadeSettings, around: CascadeSurroundings): Promise<Backend> {
  const [{ createCascadeBackend }, { openAgentServer }] = await Promise.all([
    import('./backends/cascade/cascade-backend.ts'),
    import('./backends/cascade/open-agent-server.ts'),
  ]);
  const { name, ownTools, defaultModel, baseUrl, csrfToken, models, modelField, workspaceUris } = settings;
  const { newId, now, sessions, taps } = around;
  const token = settings.token === null ? null : await openToken(name, settings.token);
  const server = openAgentServer({
    ...toRemoteOptions(settings),
    ...{ baseUrl, csrfToken, token, models, modelField, workspaceUris },
    ...{ newId, now, wait, random: Math.random, clientVersion: around.version },
  });
  // The configuration was checked: a tap that is named is there.
  const tap = settings.tap === null ? null : (taps.get(settings.tap) ?? null);
  return createCascadeBackend({ name, server, sessions, tap, ownTools, defaultModel, token, now, wait });
}

async function openToken(backendName: string, { value, file, command }: TokenSettings) {
  const [{ createTokenSource }, { runTokenCommand }, { readTokenFile }] = await Promise.all([
    import('./backends/cascade/token-source.ts'),
    import('./backends/cascade/run-token-command.ts'),
    import('./backends/cascade/read-token-file.ts'),
  ]);
  return createTokenSource({
    backendName,
    value,
    file,
    command,
    runCommand: runTokenCommand,
    readFile: readTokenFile,
  });
}
