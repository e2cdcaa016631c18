/** The four client dialects: OpenAI Responses, OpenAI chat completions, Anthropic Messages, Gemini. Each is a front door, and each is a backend's language. */
export type Dialect = 'responses' | 'chat' | 'anthropic' | 'gemini';
