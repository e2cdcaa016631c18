import type { JsonObject } from '../../lib/json.ts';

/**
 * The `customAgentSpec` that makes an agent server a plain model: no tools of its own, no prompt of its own, nothing is executed (backends.md A.2). A build may ignore
 * it. `system`: what stands in its place, or null.
 */
export function toAgentSpec(model: string, system: string | null): JsonObject {
  const systemPromptSections = system === null ? [] : [{ title: 'INSTRUCTIONS', content: system }];
  return {
    customAgent: { systemPromptSections, toolNames: [], excludeDefaultComponents: true },
    commandExecutionPolicy: 'off',
    cascadeConfig: { plannerConfig: { planModel: model, requestedModel: { model } } },
  };
}
