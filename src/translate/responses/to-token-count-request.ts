import type { CreateResponseBody } from '../../protocol/responses/create-body.ts';

/** The body of `POST {base}/responses/input_tokens`: what of a request becomes input. Other members are refused there. */
export function toTokenCountRequest(body: CreateResponseBody): Partial<CreateResponseBody> {
  const { model, input, instructions, tools, tool_choice, parallel_tool_calls, text, reasoning } = body;
  return {
    model,
    input,
    ...(instructions !== undefined && { instructions }),
    ...(tools !== undefined && { tools }),
    ...(tool_choice !== undefined && { tool_choice }),
    ...(parallel_tool_calls !== undefined && { parallel_tool_calls }),
    ...(text !== undefined && { text }),
    ...(reasoning !== undefined && { reasoning }),
  };
}
