import { hkdfSync, randomBytes } from 'node:crypto';
import type { Settings } from './config/settings.ts';
import type { ModelTap } from './model/model-tap.ts';
import type { RunningTap } from './run-taps.ts';

/** The taps of a gateway, listening. */
export interface OpenTaps {
  /** By name, for the backends. */
  readonly modelTaps: ReadonlyMap<string, ModelTap>;
  /** For the start-up lines. */
  readonly running: readonly RunningTap[];
  close(): Promise<void>;
}

export interface OpenTapsOptions {
  readonly settings: Settings;
  /** The ring that seals reasoning: marks are made under keys derived from it, so that they are known again after a restart and by every gateway of a fleet. */
  readonly keys: readonly Uint8Array[];
  readonly newId: (prefix: string) => string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly onTrouble: (thrown: unknown) => void;
}

/** Starts all configured taps, each with books of its own. Their code is loaded only where there are some. Rejects when one cannot listen. */
export async function openModelTaps(options: OpenTapsOptions): Promise<OpenTaps> {
  const { settings, keys, newId } = options;
  if (settings.taps.length === 0) return { modelTaps: new Map(), running: [], close: () => Promise.resolve() };
  const [{ startTaps }, { createMarks }, { createTapSessions }] = await Promise.all([
    import('./run-taps.ts'),
    import('./tap/marks.ts'),
    import('./tap/tap-sessions.ts'),
  ]);
  const marks = createMarks({ keys: keys.map(toMarkKey), randomBytes });
  const modelTaps = new Map<string, ModelTap>();
  const taps = await startTaps(settings.taps, {
    dataDirectory: settings.dataDirectory,
    intercept(name) {
      const { tap, intercept } = createTapSessions({ name, marks, newId });
      modelTaps.set(name, tap);
      return intercept;
    },
    openRecorder: null,
    now: options.now,
    onTrouble: options.onTrouble,
  });
  return { modelTaps, running: taps.taps, close: () => taps.close() };
}

function toMarkKey(key: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', 'antiphon tap marks', 32));
}
