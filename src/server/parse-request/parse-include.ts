import { isAbsent, parseArray, parseChoice } from '../../translate/parse/parse-value.ts';

/** protocol.md §1.9; the first two are all that Open Responses knows. */
const includables = [
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
];

/** `include` of a body or a query: known values, each once, in the client's order; absent and null are none. Throws `invalid_value` with `include[i]`. */
export function parseInclude(value: unknown): string[] {
  if (isAbsent(value)) return [];
  return [...new Set(parseArray(value, 'include').map((member, index) => parseChoice(member, `include[${index}]`, includables)))];
}
