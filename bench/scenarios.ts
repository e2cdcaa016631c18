import type { AnswerKind } from './check-answer.ts';
import type { Target } from './load-client.ts';
import type { Subject } from './open-bench.ts';

/** One row of the table: one subject under one kind of traffic. */
export interface Scenario {
  readonly id: string;
  readonly subject: Subject;
  readonly label: string;
  readonly answer: AnswerKind;
  readonly concurrency: number;
  /** Path and body of every request. */
  readonly request: Target;
  /** Scenarios of the same round that this one is divided by. */
  readonly bareId?: string;
  readonly floorId?: string;
}

const instructions = 'You are a patient teacher. Answer in plain words, give one example, and end when the question is answered.';
const question =
  'Why are there two high tides each day although the moon stands above a place only once? Please explain it to a curious child.';

function toChatRequest(stream: boolean, model = 'bench'): Target {
  const messages = [
    { role: 'system', content: instructions },
    { role: 'user', content: question },
  ];
  const body = { model, messages, stream, ...(stream && { stream_options: { include_usage: true } }) };
  return { url: '/v1/chat/completions', body: JSON.stringify(body) };
}

function toGeminiRequest(stream: boolean): Target {
  const body = {
    systemInstruction: { parts: [{ text: instructions }] },
    contents: [{ role: 'user', parts: [{ text: question }] }],
  };
  const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
  return { url: `/v1beta/models/bench:${method}`, body: JSON.stringify(body) };
}

function toResponsesRequest(model: string, options: { readonly stream: boolean; readonly store?: boolean }): Target {
  return { url: '/v1/responses', body: JSON.stringify({ model, instructions, input: question, ...options }) };
}

function toMessagesRequest(): Target {
  const messages = [{ role: 'user', content: question }];
  return {
    url: '/v1/messages',
    body: JSON.stringify({ model: 'bench', max_tokens: 4096, system: instructions, messages, stream: true }),
  };
}

function streamsAt(concurrency: number): Scenario[] {
  const bareId = `bare-chat-${concurrency}`;
  const bareGeminiId = `bare-gemini-${concurrency}`;
  const floorId = `floor-${concurrency}`;
  const translated = { answer: 'responses-stream', concurrency, floorId } as const;
  const antiphon = { subject: 'antiphon', ...translated } as const;
  const chat = { ...antiphon, bareId };
  const gemini = { ...antiphon, bareId: bareGeminiId };
  const unstored = { stream: true, store: false };
  return [
    { id: bareId, subject: 'bare', label: 'bare proxy, chat', answer: 'chat-stream', concurrency, request: toChatRequest(true) },
    {
      id: bareGeminiId,
      subject: 'bare',
      label: 'bare proxy, gemini',
      answer: 'gemini-stream',
      concurrency,
      request: toGeminiRequest(true),
    },
    {
      id: floorId,
      subject: 'floor',
      label: 'floor translator',
      ...translated,
      bareId,
      request: toResponsesRequest('bench', { stream: true }),
    },
    { id: `chat-${concurrency}`, label: 'antiphon, chat', ...chat, request: toResponsesRequest('chat/bench', { stream: true }) },
    {
      id: `chat-unstored-${concurrency}`,
      label: 'antiphon, chat, store:false',
      ...chat,
      request: toResponsesRequest('chat/bench', unstored),
    },
    {
      id: `gemini-${concurrency}`,
      label: 'antiphon, gemini',
      ...gemini,
      request: toResponsesRequest('gemini/bench', { stream: true }),
    },
    {
      id: `gemini-unstored-${concurrency}`,
      label: 'antiphon, gemini, store:false',
      ...gemini,
      request: toResponsesRequest('gemini/bench', unstored),
    },
  ];
}

/** Front door and backend speak the same dialect: the server's own bytes go on. Each beside the bare proxy with the same bytes. */
function nativeAt(concurrency: number): Scenario[] {
  const dialects = [
    { dialect: 'chat', answer: 'chat-stream', request: toChatRequest(true) },
    { dialect: 'gemini', answer: 'gemini-stream', request: toGeminiRequest(true) },
    { dialect: 'messages', answer: 'messages-stream', request: toMessagesRequest() },
    {
      dialect: 'responses',
      answer: 'passed-responses-stream',
      request: toResponsesRequest('bench', { stream: true, store: false }),
    },
  ] as const;
  return dialects.flatMap(({ dialect, answer, request }): Scenario[] => {
    const bareId = `bare-${dialect}-${concurrency}`;
    const named = {
      url: request.url.replace('/bench:', `/${dialect}/bench:`),
      body: request.body.replace('"bench"', `"${dialect}/bench"`),
    };
    const isMeasured = dialect === 'chat' || dialect === 'gemini';
    const bare: Scenario = { id: bareId, subject: 'bare', label: `bare proxy, ${dialect}`, answer, concurrency, request };
    const native: Scenario = {
      id: `native-${dialect}-${concurrency}`,
      subject: 'antiphon',
      label: `antiphon, ${dialect} to ${dialect}`,
      ...{ answer, concurrency, request: named, bareId },
    };
    return isMeasured ? [native] : [bare, native];
  });
}

function wholeAt(concurrency: number): Scenario[] {
  const antiphon = { subject: 'antiphon', answer: 'responses-whole', concurrency } as const;
  const whole = { stream: false };
  const [chat, gemini] = [toResponsesRequest('chat/bench', whole), toResponsesRequest('gemini/bench', whole)];
  return [
    {
      id: 'bare-chat-sync',
      subject: 'bare',
      label: 'bare proxy, chat sync',
      answer: 'chat-whole',
      concurrency,
      request: toChatRequest(false),
    },
    {
      id: 'bare-gemini-sync',
      subject: 'bare',
      label: 'bare proxy, gemini sync',
      answer: 'gemini-whole',
      concurrency,
      request: toGeminiRequest(false),
    },
    { id: 'chat-sync', label: 'antiphon, chat sync', ...antiphon, bareId: 'bare-chat-sync', request: chat },
    { id: 'gemini-sync', label: 'antiphon, gemini sync', ...antiphon, bareId: 'bare-gemini-sync', request: gemini },
  ];
}

/** Every row, neighbours in the order in which they are compared. `store` is true unless the label says otherwise. */
export function listScenarios(subjects: readonly Subject[]): Scenario[] {
  const all = [...streamsAt(8), ...nativeAt(8), ...streamsAt(64), ...nativeAt(64), ...wholeAt(8)];
  return all.filter((scenario) => subjects.includes(scenario.subject));
}

/** The rows of pass-through and what they are compared with. */
export function isAboutPassing({ id, subject }: Scenario): boolean {
  return id.startsWith('native-') || (subject === 'bare' && !id.endsWith('-sync'));
}

/** A stream that gets its first deltas and then waits. */
export function toStallingRequest(subject: Subject): Target {
  if (subject === 'bare') return toChatRequest(true, 'stall');
  return toResponsesRequest(subject === 'floor' ? 'stall' : 'chat/stall', { stream: true });
}
