import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A provider of the AI SDK as its packages are built, but with a wire of its own: `POST {baseURL}/parts` answers with one stream part per line, `POST {baseURL}/whole` with the result of doGenerate. It sends what it was called
 * with, fetches for real, and throws what the SDK throws.
 */
const provider = `
function failure(name, message, members = {}) {
  return Object.assign(new Error(message), { name, ...members });
}

async function send(path, { baseURL, apiKey }, { abortSignal, headers, ...asked }, modelId) {
  const url = baseURL + path;
  let response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer ' + apiKey, ...headers },
      body: JSON.stringify({ modelId, ...asked }),
      signal: abortSignal,
    });
  } catch (cause) {
    if (cause.name === 'AbortError' || abortSignal.aborted) throw cause;
    throw failure('AI_APICallError', 'Cannot connect to API: ' + cause.message, { url, cause, isRetryable: true });
  }
  if (response.ok) return response;
  const responseBody = await response.text();
  throw failure('AI_APICallError', JSON.parse(responseBody).error?.message ?? response.statusText, {
    url,
    statusCode: response.status,
    responseHeaders: Object.fromEntries(response.headers),
    responseBody,
    isRetryable: response.status === 429 || response.status >= 500,
  });
}

function splitLines() {
  let rest = '';
  return new TransformStream({
    transform(text, controller) {
      const lines = (rest + text).split('\\n');
      rest = lines.pop();
      for (const line of lines) if (line !== '') controller.enqueue(JSON.parse(line));
    },
  });
}

export function createFake(options = {}) {
  if (options.refuses) throw new Error('no such option: ' + options.apiKey);
  const languageModel = (modelId) => {
    if (modelId === 'unheard-of') throw failure('AI_NoSuchModelError', 'no such model');
    return {
      specificationVersion: options.version ?? 'v3',
      provider: options.provider ?? 'fake.chat',
      modelId,
      supportedUrls: Promise.resolve({ 'image/*': [/^https:\\/\\/example\\.org\\//g] }),
      async doStream(asked) {
        const response = await send('/parts', options, asked, modelId);
        return { stream: response.body.pipeThrough(new TextDecoderStream()).pipeThrough(splitLines()) };
      },
      async doGenerate(asked) {
        return (await send('/whole', options, asked, modelId)).json();
      },
    };
  };
  return Object.assign((modelId) => languageModel(modelId), { specificationVersion: options.version ?? 'v3', languageModel });
}
`;

/** Installs a provider under this name in `folder/node_modules`; other source text is another package. */
export async function installAiSdkPackage(folder: string, name = '@fake/provider', source = provider): Promise<void> {
  const root = join(folder, 'node_modules', ...name.split('/'));
  await mkdir(join(root, 'dist'), { recursive: true });
  const manifest = { name, version: '1.0.0', exports: { '.': { types: './dist/index.d.ts', import: './dist/index.mjs' } } };
  await writeFile(join(root, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(root, 'dist/index.mjs'), source);
}
