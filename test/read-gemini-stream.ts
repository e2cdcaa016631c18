import type { GeminiAnswer, GeminiAnswerPart } from '../src/protocol/gemini/answer.ts';

/** A streamed body → its chunks, read as strictly as Google's strictest client: nothing but `data:` frames, or one JSON array. Throws for anything else. */
export function readGeminiStream(body: string, framing: 'sse' | 'array'): unknown[] {
  if (framing === 'array') {
    const chunks = JSON.parse(body) as unknown;
    if (!Array.isArray(chunks)) throw new Error('the body is no array');
    return chunks;
  }
  if (!body.endsWith('\r\n\r\n')) throw new Error(`the last frame is cut: ${JSON.stringify(body.slice(-80))}`);
  return body
    .slice(0, -4)
    .split('\r\n\r\n')
    .map((frame) => {
      const json = /^data: (.+)$/.exec(frame)?.[1];
      if (json === undefined) throw new Error(`no data frame: ${JSON.stringify(frame)}`);
      return JSON.parse(json) as unknown;
    });
}

/** What the chunks of a stream add up to: text grows, everything else comes behind what is there. */
export function addUpGemini(chunks: readonly GeminiAnswer[]): GeminiAnswer {
  const last = chunks.at(-1);
  if (last === undefined) throw new Error('there is no chunk');
  const parts: GeminiAnswerPart[] = [];
  for (const part of chunks.flatMap(({ candidates: [{ content }] }) => content.parts)) addPart(part, parts);
  const logprobs = chunks.flatMap(({ candidates: [{ logprobsResult }] }) => logprobsResult ?? []);
  const [candidate] = last.candidates;
  return {
    ...last,
    candidates: [
      {
        ...candidate,
        content: { ...candidate.content, parts: parts.length > 0 ? parts : [{ text: '' }] },
        ...(logprobs.length > 0 && {
          logprobsResult: {
            chosenCandidates: logprobs.flatMap(({ chosenCandidates }) => chosenCandidates),
            topCandidates: logprobs.flatMap(({ topCandidates }) => topCandidates),
          },
        }),
      },
    ],
  };
}

function addPart(part: GeminiAnswerPart, parts: GeminiAnswerPart[]): void {
  const last = parts.at(-1);
  if (!('text' in part)) parts.push(part);
  else if (part.thoughtSignature !== undefined) parts.push({ ...part });
  else if (last !== undefined && 'text' in last && last.thought === part.thought) last.text += part.text;
  else if (part.text !== '') parts.push({ ...part });
}
