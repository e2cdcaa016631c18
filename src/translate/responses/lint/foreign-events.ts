/**
 * Events of the protocol that this gateway does not send itself: hosted tools, freeform tools, audio, waiting. Their order is not judged (openai 6.49 `ResponseStreamEvent`, protocol.md
 * appendix, recordings README §5).
 */
const foreign: ReadonlySet<string> = new Set([
  'keepalive',
  ...named('file_search_call', 'in_progress searching completed'),
  ...named('code_interpreter_call', 'in_progress interpreting completed'),
  ...named('code_interpreter_call_code', 'delta done'),
  ...named('mcp_list_tools', 'in_progress completed failed'),
  ...named('mcp_call', 'in_progress completed failed'),
  ...named('mcp_call_arguments', 'delta done'),
  ...named('image_generation_call', 'in_progress generating partial_image completed'),
  ...named('custom_tool_call_input', 'delta done'),
  ...named('shell_call_command', 'added delta done'),
  ...named('shell_call_output_content', 'delta done'),
  ...named('apply_patch_call_operation_diff', 'delta done'),
  ...named('compaction', 'compacting'),
  ...named('audio', 'delta done transcript.delta transcript.done'),
]);

export function isForeignEvent(type: string): boolean {
  return foreign.has(type);
}

function named(subject: string, verbs: string): string[] {
  return verbs.split(' ').map((verb) => `response.${subject}.${verb}`);
}
