import type { ModelRequest, TextFormat } from '../../model/model-request.ts';
import type { ChatResponseFormat } from '../../protocol/chat/request.ts';
import type { ChatProfile } from './chat-profile.ts';
import type { ReportLoss } from './to-chat-content.ts';

/** The output format, and what has to be said in the prompt because the server cannot be told otherwise (empty when nothing). */
export interface ChatFormat {
  readonly responseFormat: ChatResponseFormat | undefined;
  readonly instructions: string;
}

/** Groq's models that take a schema; the others know only json_object (backends.md C). */
const groqSchemaModels = /gpt-oss|kimi-k2|llama-4/i;

/** `text.format` for this server: natively, or as json_object with the schema in the prompt. */
export function toChatFormat(request: ModelRequest, profile: ChatProfile, report: ReportLoss): ChatFormat {
  const { format } = request;
  switch (format.type) {
    case 'text':
      return { responseFormat: undefined, instructions: '' };
    case 'json-object':
      return {
        responseFormat: { type: 'json_object' },
        instructions: mustSayJson(request, profile) ? 'Answer with a JSON object.' : '',
      };
    case 'json-schema':
      return takesSchema(request.model, profile)
        ? { responseFormat: toSchemaFormat(format), instructions: '' }
        : emulateSchema(format, report);
  }
}

function takesSchema(model: string, profile: ChatProfile): boolean {
  return profile.jsonSchema === 'native' || (profile.jsonSchema === 'by-model' && groqSchemaModels.test(model));
}

type SchemaFormat = Extract<TextFormat, { type: 'json-schema' }>;

function toSchemaFormat({ name, description, schema, strict }: SchemaFormat): ChatResponseFormat {
  return { type: 'json_schema', json_schema: { name, ...(description !== null && { description }), schema, strict } };
}

function emulateSchema({ schema, description }: SchemaFormat, report: ReportLoss): ChatFormat {
  report({
    path: 'text.format',
    action: 'emulated',
    reason: 'this server takes no JSON schema, so it stands in the prompt and only JSON is enforced',
  });
  const purpose = description === null ? '' : ` ${description}`;
  return {
    responseFormat: { type: 'json_object' },
    instructions: `Answer only with a JSON object that matches this JSON Schema.${purpose}\n${JSON.stringify(schema)}`,
  };
}

/** DeepSeek sends endless white space when JSON is enforced but never mentioned. OpenAI refuses that with words a client understands. */
function mustSayJson({ instructions, input }: ModelRequest, profile: ChatProfile): boolean {
  if (profile.vendor !== 'deepseek' || /json/i.test(instructions ?? '')) return false;
  return !input.some(
    (item) => item.type === 'message' && item.content.some((part) => part.type === 'text' && /json/i.test(part.text)),
  );
}
