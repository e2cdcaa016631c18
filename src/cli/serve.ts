import { loadSettings } from '../config/load-settings.ts';
import { parseCommandLine } from '../config/parse-command-line.ts';
import { createGateway } from '../gateway.ts';
import { toTapLines } from '../start-up-lines.ts';
import type { CommandDeps } from './command-deps.ts';

/** `antiphon serve`: the gateway, until a signal ends it. Throws what kept it from starting. */
export async function serve({ sources, version, print, write, complain, closeOnSignals }: CommandDeps): Promise<void> {
  const settings = await loadSettings(sources);
  const question = parseCommandLine(sources.argv).flags.ask;
  for (const warning of settings.warnings) complain(`warning: ${warning}`);
  const gateway = createGateway(settings, { version });
  closeOnSignals(() => gateway.close());
  const { url, taps } = await gateway.listen();
  for (const line of toTapLines(taps)) print(line);
  print(`antiphon listening on ${url}`);
  for (const line of await gateway.describe()) print(line);
  if (question !== undefined) await gateway.ask(question, write);
}
