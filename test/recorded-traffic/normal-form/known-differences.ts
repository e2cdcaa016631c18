const mediaType = "a file of Google's Files API knows its own type, so it goes without";
const movedFile = 'a file in a function response that is no inline media stands behind it';
const codeAsText = 'code that Google ran is shown as text (a reported loss)';
const uploaded = 'test_multimodal_tool_return_matrix[direct-uploaded_file';

/** Recorded requests that no rule of the normal form covers, and why they leave in another form. Nothing else may differ. */
export const knownDifferences: ReadonlyMap<string, string> = new Map([
  [
    'mirascope:e2e/input/test_strict_mode_with_thinking/google_gemini_3_pro_preview#0',
    'a budget is a level there (a reported loss)',
  ],
  ['pydantic-ai:google/test_code_execution/test_code_execution#1', codeAsText],
  ['ruby_llm:chat_code_execution_with_gemini_gemini-3_5-flash_runs_code_server-side_and_replays_the_turn#1', codeAsText],
  [
    'pydantic-ai:test_google/test_google_instructions_only_with_tool_calls#0',
    'an empty user message is a blank one (a reported loss)',
  ],
  ['pydantic-ai:test_multimodal_tool_returns/test_model_sees_multiple_images[google_vertex]#1', movedFile],
  [`pydantic-ai:test_multimodal_tool_returns/${uploaded}-document-google_gemini3]#2`, movedFile],
  [`pydantic-ai:test_multimodal_tool_returns/${uploaded}-audio-google_2_5]#1`, mediaType],
  ['ruby_llm:uploadedfile_live_uploads_gemini_gemini-2_5-flash_reuses_an_uploaded_file_in_chat#2', mediaType],
]);
