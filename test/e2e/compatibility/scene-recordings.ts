import type { Dialect } from './client-under-test.ts';

/** What a model is asked to do. */
export type Scene = 'text' | 'tools' | 'parallel' | 'structured' | 'thinking' | 'carried';

/** Files of `../shared/recordings/dev` with the recordings below. */
export const sceneFiles: readonly string[] = [
  ...['anthropic', 'gemini', 'openai-chat', 'chat-compat', 'openai-responses', 'responses-compat'].flatMap((name) => [
    `${name}-stream`,
    `${name}-sync`,
  ]),
];

/** For each scene the ids of a streamed and of an unstreamed answer of a real model server. `carried`: a call with thinking state that has to come back. */
export const sceneRecordings: { readonly [D in Dialect]: { readonly [S in Scene]: readonly [streamed: string, whole: string] } } =
  {
    anthropic: {
      text: [
        'llm-anthropic:test_anthropic/test_image_prompt#0',
        'mirascope:e2e/input/test_resume_with_override_thinking_and_tools/anthropic_claude_sonnet_4_0#1',
      ],
      tools: [
        'mirascope:e2e/output/test_structured_output_with_tools/anthropic_claude_sonnet_4_5/async_stream#0',
        'ruby_llm:chat_multimodal_tool_attachments_anthropic_claude-haiku-4-5_describes_images_returned_from_tools#0',
      ],
      parallel: [
        'mirascope:e2e/output/test_call_with_tools/anthropic_claude_sonnet_4_0/async_stream#0',
        'mirascope:e2e/output/test_call_with_tools/anthropic_claude_sonnet_4_0/async#0',
      ],
      structured: [
        'mirascope:e2e/input/test_structured_output_resume_stream/strict/anthropic_claude_sonnet_4_5#0',
        'ruby_llm:chat_with_schema_with_anthropic_claude-haiku-4-5_accepts_a_json_schema_and_returns_structured_output#0',
      ],
      thinking: [
        'mirascope:e2e/output/test_call_with_thinking/anthropic_claude_sonnet_4_0/stream#1',
        'mirascope:e2e/output/test_call_with_thinking/anthropic_beta_claude_sonnet_4_0/sync#1',
      ],
      carried: [
        'llm-anthropic:test_anthropic/test_fixed_version_tool_chain_with_thinking_display_regression#0',
        'mirascope:e2e/input/test_resume_with_override_thinking_and_tools/google_gemini_2_5_flash#0',
      ],
    },
    gemini: {
      text: [
        'llm-gemini:test_gemini/test_tools_with_nested_pydantic_models#1',
        'pydantic-ai:test_tool_choice_matrix/test_tool_choice_matrix[auto-google]#1',
      ],
      tools: [
        'ruby_llm:chat_function_calling_vertexai_gemini-2_5-flash_can_use_tools_with_multi-turn_streaming_conversations#1',
        'mirascope:e2e/input/test_call_with_tool_error/google_gemini_2_5_flash#0',
      ],
      parallel: [
        'mirascope:e2e/output/test_call_with_tools/google_gemini_2_5_flash/async_stream#0',
        'mirascope:e2e/output/test_call_with_tools/google_gemini_2_5_flash/async#0',
      ],
      structured: [
        'mirascope:e2e/output/test_validation_retry/google_gemini_2_5_flash/async_stream#1',
        'mirascope:e2e/input/test_structured_output_resume/google_gemini_2_5_flash#0',
      ],
      thinking: [
        'llm-gemini:test_gemini/test_prompt#0',
        'ruby_llm:chat_with_extended_thinking_gemini_gemini-3-flash-preview_preserves_thinking_signatures_between_turns_when_provided#0',
      ],
      carried: [
        'ruby_llm:chat_function_calling_gemini_gemini-2_5-flash_can_use_tools_with_multi-turn_streaming_conversations#0',
        'ruby_llm:chat_function_calling_thought_signatures_gemini_gemini-3_1-pro-preview_includes_thought_signatures_for_tool_calls#0',
      ],
    },
    chat: {
      text: [
        'pydantic-ai:test_dbos/test_dbos_agent_iter#0',
        'pydantic-ai:test_cache_prefix_stability/test_openai_tool_call_roundtrip_wire_stable[vercel]#1',
      ],
      tools: [
        'openllmetry:agno/test_agent/test_agent_arun_streaming_with_tools#0',
        'pydantic-ai:test_tool_choice_matrix/test_tool_choice_matrix[list_single-openai]#0',
      ],
      parallel: [
        'pydantic-ai:test_prefect/test_complex_agent_run_in_flow#1',
        'pydantic-ai:test_dbos/test_dbos_agent_with_hitl_tool#0',
      ],
      structured: [
        'mirascope:e2e/input/test_structured_output_resume_stream/openai_gpt_4o_completions#0',
        'mirascope:e2e/input/test_structured_output_resume/openai_gpt_4o_completions#0',
      ],
      thinking: [
        'ruby_llm:chat_streaming_responses_ollama_cloud_gpt-oss_120b_supports_streaming_responses#0',
        'ruby_llm:chat_basic_chat_functionality_ollama_cloud_gpt-oss_120b_can_have_a_basic_conversation#0',
      ],
      carried: [
        'ruby_llm:chat_openrouter_reasoning_details_round-trip_accumulates_reasoning_details_while_streaming_tool_calls#0',
        'ruby_llm:chat_openrouter_reasoning_details_round-trip_replays_reasoning_details_across_tool_calls_and_turns#0',
      ],
    },
    responses: {
      text: [
        'mirascope:ops/_internal/instrumentation/llm/test_model_resume_stream_async_exports_genai_span#1',
        'llm:test_openai_responses/test_responses_basic_non_streaming#0',
      ],
      tools: [
        'mirascope:ops/_internal/instrumentation/llm/test_model_resume_stream_exports_genai_span#0',
        'llm:test_openai_responses/test_responses_tool_use#0',
      ],
      parallel: [
        // No recorded stream has two calls in one answer: this one is made up.
        'made-up:responses/parallel',
        'llm:test_openai_responses/test_responses_interleaved_reasoning_between_tool_calls#3',
      ],
      structured: [
        'mirascope:e2e/input/test_structured_output_resume_stream/json/openai_gpt_4o_responses#0',
        'openllmetry:openai/test_responses/test_responses_parse#0',
      ],
      thinking: [
        'ruby_llm:chat_responses_protocol_dialects_with_deepseek_deepseek-v4-flash_streams_reasoning_deltas#0',
        'pydantic-ai:test_openai_responses/test_reasoning_summary_auto#0',
      ],
      carried: [
        'ruby_llm:chat_function_calling_openai_gpt-5-nano_can_use_tools_with_multi-turn_streaming_conversations#0',
        'pydantic-ai:test_tool_choice_matrix/test_tool_choice_matrix[auto-openai_responses]#0',
      ],
    },
  };
