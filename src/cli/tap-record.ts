import { loadRecordSettings } from '../config/load-tap-settings.ts';
import { describeTaps } from '../describe-taps.ts';
import { startRecordingTaps } from '../run-taps.ts';
import type { CommandDeps } from './command-deps.ts';

/** `antiphon tap --record DIR`: taps without a gateway; every model call through them is written into a folder until a signal ends it. Throws what kept it from starting. */
export async function recordTaps({ sources, now, print, complain, closeOnSignals }: CommandDeps): Promise<void> {
  const settings = await loadRecordSettings(sources);
  const running = await startRecordingTaps(settings, {
    now,
    onTrouble(thrown) {
      complain(thrown instanceof Error ? thrown.message : String(thrown));
    },
  });
  closeOnSignals(() => running.close());
  for (const { name, url } of running.taps) print(`antiphon tap ${name} listening on ${url}`);
  print(`recording to ${settings.recording}`);
  for (const line of describeTaps(running.taps, 'your program')) print(`  ${line}`);
}
