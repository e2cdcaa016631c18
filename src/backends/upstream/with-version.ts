/** `http://localhost:11434` is what people write; every server of OpenAI's APIs that we know has them under `/v1` then. */
export function withVersion(baseUrl: string): string {
  const trimmed = baseUrl.replace(/\/+$/, '');
  return URL.canParse(trimmed) && new URL(trimmed).pathname === '/' ? `${trimmed}/v1` : trimmed;
}
