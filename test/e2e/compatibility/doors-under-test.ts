import { createAnthropicClient } from './anthropic-client.ts';
import type { BackendUnderTest } from './backends-under-test.ts';
import type { ClientOptions, ClientUnderTest } from './client-under-test.ts';
import { createGenAiClient } from './genai-client.ts';
import { createOpenAiChatClient } from './openai-chat-client.ts';
import { createOpenAiResponsesClient } from './openai-responses-client.ts';

/** A front door, and the official client that stands before it. */
export interface DoorUnderTest {
  /** As the page calls it. */
  readonly title: string;
  readonly path: string;
  /** Of npm. */
  readonly client: string;
  readonly create: (options: ClientOptions) => ClientUnderTest;
}

export const doorsUnderTest: readonly DoorUnderTest[] = [
  {
    ...{ title: 'Responses', path: 'POST /v1/responses', client: 'openai' },
    create: createOpenAiResponsesClient,
  },
  {
    ...{ title: 'Chat completions', path: 'POST /v1/chat/completions', client: 'openai' },
    create: createOpenAiChatClient,
  },
  {
    ...{ title: 'Anthropic messages', path: 'POST /v1/messages', client: '@anthropic-ai/sdk' },
    create: createAnthropicClient,
  },
  {
    ...{ title: 'Gemini', path: 'POST /v1beta/models/{model}:generateContent', client: '@google/genai' },
    create: createGenAiClient,
  },
];

/** A column of a door's table. */
export interface Column {
  readonly title: string;
  readonly backend: BackendUnderTest;
  readonly client: ClientUnderTest;
  readonly passesThrough: boolean;
}

/** The backends behind a door; one of its own dialect twice: passed through, and translated. */
export function columnsOf(door: DoorUnderTest, backends: readonly BackendUnderTest[], url: string): Column[] {
  return backends.flatMap((backend) => {
    const translated = door.create({ url, headers: { 'antiphon-pass-through': 'off' } });
    const column = { title: backend.name, backend, client: translated, passesThrough: false };
    if (translated.dialect !== backend.dialect) return [column];
    const passed = door.create({ url, headers: {} });
    return [
      { title: `${backend.name}, passed through`, backend, client: passed, passesThrough: true },
      { ...column, title: `${backend.name}, translated` },
    ];
  });
}
