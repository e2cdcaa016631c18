import { startGeminiModel, type GeminiModel } from '../gemini-model/start-gemini-model.ts';
import { describeConfiguration } from './describe-configuration.ts';
import { helpText, readFlags, type AgentServerFlags } from './read-flags.ts';
import { startAgentServer } from './start-agent-server.ts';

/** `npm run agent-server`. */
async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(helpText);
    return;
  }
  const model = flags.startsModel ? await startGeminiModel({ port: flags.modelPort }) : null;
  const server = await startAgentServer({
    ...flags.server,
    keepsLog: false,
    modelUrl: flags.server.modelUrl ?? model?.url ?? '',
  });
  report(flags, server, model);
  const stop = (): void => {
    void Promise.all([server.close(), model?.close()]).then(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function report(
  { server: options }: AgentServerFlags,
  server: { url: string; caFile: string | null },
  model: GeminiModel | null,
): void {
  const lines = [
    `agent server listening on ${server.url}`,
    ...(model === null ? [] : [`model endpoint listening on ${model.url}`]),
    `model calls go to ${options.modelUrl ?? model?.url ?? ''}${options.proxy === undefined ? '' : ' through the proxy'}`,
    '',
    'antiphon.yaml:',
    '',
    describeConfiguration(server, options),
    '',
  ];
  process.stdout.write(lines.join('\n'));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
