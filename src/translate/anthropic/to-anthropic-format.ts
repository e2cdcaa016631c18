import type { ModelRequest, TextFormat } from '../../model/model-request.ts';
import type { AnthropicFunctionTool, AnthropicOutputConfig } from '../../protocol/anthropic/request.ts';
import type { AnthropicModelTraits } from './anthropic-model-traits.ts';
import type { ReportLoss } from './to-anthropic-content.ts';
import { toAnthropicParameters } from './to-anthropic-parameters.ts';
import { toAnthropicSchema } from './to-anthropic-schema.ts';
import { answerTool } from './to-anthropic-tools.ts';

/** How the model is brought to answer in the asked form. */
export type AnthropicFormat =
  | { readonly type: 'text' }
  /** Enforced by the server. */
  | { readonly type: 'native'; readonly format: NonNullable<AnthropicOutputConfig['format']> }
  /** It must call this function, whose arguments are the answer. */
  | { readonly type: 'tool'; readonly tool: AnthropicFunctionTool }
  /** It is told so. */
  | { readonly type: 'instruction'; readonly text: string };

/** `canForceTool`: the model may be made to call a function, and there are no others. */
export function toAnthropicFormat(
  { format }: ModelRequest,
  options: { readonly traits: AnthropicModelTraits; readonly canForceTool: boolean; readonly report: ReportLoss },
): AnthropicFormat {
  const { traits, canForceTool, report } = options;
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json-schema' && traits.hasStructuredOutput) {
    const { value, losses } = toAnthropicSchema(format.schema, 'text.format.schema');
    losses.forEach(report);
    if (value !== null)
      return { type: 'native', format: { type: 'json_schema', schema: withPurpose(value, format.description) } };
  }
  const isTool = canForceTool && (format.type === 'json-object' || format.schema['type'] === 'object');
  const way = isTool ? 'the model answers through a function' : 'it stands in the prompt and nothing enforces it';
  report({ path: 'text.format', action: 'emulated', reason: `this format cannot be enforced on this model: ${way}` });
  return isTool ? { type: 'tool', tool: toAnswerTool(format, report) } : { type: 'instruction', text: toInstruction(format) };
}

type JsonFormat = Exclude<TextFormat, { type: 'text' }>;

function withPurpose(schema: { readonly [key: string]: unknown }, description: string | null) {
  return description === null || schema['description'] !== undefined ? schema : { ...schema, description };
}

function toAnswerTool(format: JsonFormat, report: ReportLoss): AnthropicFunctionTool {
  const schema = format.type === 'json-object' ? { type: 'object', properties: {}, additionalProperties: true } : format.schema;
  const { value, losses } = toAnthropicParameters(schema, 'text.format.schema');
  losses.forEach(report);
  const purpose = format.type === 'json-schema' && format.description !== null ? ` ${format.description}` : '';
  return {
    name: answerTool,
    description: `Gives the answer: its arguments are the whole answer, as JSON.${purpose}`,
    input_schema: value,
  };
}

function toInstruction(format: JsonFormat): string {
  const rule = 'Answer only with a JSON object, without any text or code fence around it.';
  if (format.type === 'json-object') return rule;
  const purpose = format.description === null ? '' : ` ${format.description}`;
  return `${rule} It must match this JSON Schema.${purpose}\n${JSON.stringify(format.schema)}`;
}
