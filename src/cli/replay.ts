import { toReplaySettings } from '../config/load-tap-settings.ts';
import { startReplay } from '../run-taps.ts';
import type { CommandDeps } from './command-deps.ts';

/** `antiphon replay DIR`: a recording as if it were the model API, until a signal ends it. Throws what kept it from starting. */
export async function replayRecording({ sources, print, complain, closeOnSignals }: CommandDeps): Promise<void> {
  const settings = toReplaySettings(sources);
  const replay = await startReplay(settings);
  closeOnSignals(() => replay.close());
  for (const warning of replay.warnings) complain(`warning: ${warning}`);
  if (replay.exchanges === 0) complain(`warning: ${settings.recording} holds no recording, so every request gets a 404`);
  print(`antiphon replay listening on ${replay.url}`);
  print(`${replay.exchanges} exchange${replay.exchanges === 1 ? '' : 's'} from ${settings.recording}`);
}
