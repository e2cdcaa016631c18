import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { parseJson } from '../../lib/json.ts';

const recordingSchema = z.looseObject({
  id: z.string(),
  model: z.string().catch('unknown'),
  fidelity: z.string().catch('wire'),
  recorded_at: z.string().optional(),
  stream: z.boolean().catch(false),
  stream_requested: z.boolean().catch(false),
  request: z.looseObject({
    method: z.string(),
    path: z.string(),
    body: z.unknown().optional(),
    body_text: z.string().optional(),
    body_base64: z.string().optional(),
  }),
  response: z.looseObject({
    status: z.int().min(200).max(599),
    headers: z.record(z.string(), z.string()).catch({}),
    chunks: z.array(z.string()).optional(),
    sse: z
      .looseObject({
        event_lines: z.boolean().catch(false),
        events: z.array(z.string().nullable()).optional(),
        eol: z.string().optional(),
      })
      .optional(),
    framing: z.string().optional(),
    body: z.unknown().optional(),
    body_prefix: z.string().optional(),
    body_text: z.string().optional(),
    body_base64: z.string().optional(),
    wire: z.array(z.string()).optional(),
    cut: z.boolean().optional(),
    unanswered: z.boolean().optional(),
    timing: z
      .looseObject({ answer_ms: z.number(), chunks_ms: z.array(z.number()).optional(), end_ms: z.number() })
      .optional()
      .catch(undefined),
  }),
});

/** A recording as a replay needs it; others than ours have more, and lack some. */
export type LoadedRecording = z.infer<typeof recordingSchema>;

export interface LoadedFolder {
  /** In the order in which the requests began, as far as that is noted; else in that of the files and lines. */
  readonly recordings: readonly LoadedRecording[];
  /** What could not be read: file and line. */
  readonly warnings: readonly string[];
}

/** Reads all `*.jsonl` of a folder; of its subfolders when it has none itself (`dev/` of the shared recordings). Rejects when there is no such folder. */
export async function loadRecordings(directory: string): Promise<LoadedFolder> {
  const recordings: LoadedRecording[] = [];
  const warnings: string[] = [];
  for (const file of await listFiles(directory)) {
    let number = 0;
    // Line by line: a folder may hold more than fits into one text.
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      number += 1;
      if (line.trim() === '') continue;
      const read = recordingSchema.safeParse(parseJson(line));
      if (read.success) recordings.push(read.data);
      else warnings.push(`${file}:${number} is not a recording: ${describeIssue(read.error)}`);
    }
  }
  return { recordings: recordings.sort(compareBegin), warnings };
}

async function listFiles(directory: string): Promise<readonly string[]> {
  const files = await listOwnFiles(directory);
  if (files.length > 0) return files;
  const entries = await readdir(directory, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
  return (await Promise.all(folders.sort().map(listOwnFiles))).flat();
}

async function listOwnFiles(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jsonl'));
  return names.sort().map((name) => join(directory, name));
}

function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined || issue.path.length === 0 ? 'no JSON object' : `${issue.path.join('.')}: ${issue.message}`;
}

/** The sort is stable: recordings without a time keep their order, before all others. ISO times compare as texts. */
function compareBegin(a: LoadedRecording, b: LoadedRecording): number {
  const [first, second] = [a.recorded_at ?? '', b.recorded_at ?? ''];
  if (first !== second) return first < second ? -1 : 1;
  return sequenceOf(a) - sequenceOf(b);
}

/** The number at the end of our ids tells two of the same millisecond apart, also when they are in different files. */
function sequenceOf({ id, recorded_at: recordedAt }: LoadedRecording): number {
  return recordedAt === undefined ? 0 : Number(/#(\d+)$/.exec(id)?.[1] ?? 0);
}
