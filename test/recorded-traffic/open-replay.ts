import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Loose, Recording } from './loose.ts';

/** Recorded traffic of real model servers; not part of this repository. */
export const recordingsFolder = new URL('../../../shared/recordings/', import.meta.url);

/** Whether the recorded traffic is on this machine; says so when it is not. */
export function findRecordings(): boolean {
  const isThere = existsSync(new URL('replay.mjs', recordingsFolder));
  if (!isThere) console.log(`skipped: there are no recordings at ${recordingsFolder.pathname}`);
  return isThere;
}

/** What the replay upstream was asked. */
interface SeenRequest {
  readonly path: string;
  readonly body: Loose | null;
}

/** The replay upstream with everything of some files in `dev`. */
export interface OpenReplay {
  readonly url: string;
  readonly recordings: readonly Recording[];
  /** Every request so far, oldest first. */
  readonly seen: readonly SeenRequest[];
  /** The model name that selects a recording. */
  nameOf(recording: Recording): string;
  close(): void;
}

/** What we use of `replay.mjs`. */
interface ReplayModule {
  recordingName(id: string): string;
  loadRecordings(dir: string, sets: string[], only: string[]): Recording[];
  framesOf(recording: Recording): string[];
  createReplayServer(recordings: Recording[]): Server & { log: SeenRequest[] };
}

/** Some files in `dev`, without a server. */
export async function loadRecordings(files: string[]): Promise<LoadedRecordings> {
  const replay = (await import(new URL('replay.mjs', recordingsFolder).href)) as ReplayModule;
  return {
    recordings: replay.loadRecordings(recordingsFolder.pathname, ['dev'], files),
    framesOf: (recording) => replay.framesOf(recording),
  };
}

export interface LoadedRecordings {
  readonly recordings: readonly Recording[];
  /** A streamed answer as its bytes came, one text for each event. */
  framesOf(recording: Recording): string[];
}

export async function openReplay(files: string[]): Promise<OpenReplay> {
  const replay = (await import(new URL('replay.mjs', recordingsFolder).href)) as ReplayModule;
  const recordings = replay.loadRecordings(recordingsFolder.pathname, ['dev'], files);
  const server = replay.createReplayServer(recordings);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    recordings,
    seen: server.log,
    nameOf: ({ id }) => replay.recordingName(id),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
