import type { CatalogEntry } from '../../model/model-catalog.ts';
import { sendJson, type Exchange } from '../exchange.ts';

const instructions =
  'You are a coding agent. You work in the folder of the user with the tools that you are given. Read before you change, keep changes small, follow the conventions of the code around ' +
  'them, check your work by running it, and say briefly what you did and what is left.';

const levels = [
  { effort: 'low', description: 'Answers soon' },
  { effort: 'medium', description: 'Balances speed and care' },
  { effort: 'high', description: 'Thinks long about hard questions' },
];

/** `GET /v1/models?client_version=`: Codex's catalogue. It wants every required member of each model, and falls back to its own list otherwise (clients.md §1.1, §1.5). */
export async function listCodexModels(exchange: Exchange): Promise<void> {
  const entries = await exchange.options.engine.catalog.listModels();
  sendJson(exchange, { models: entries.map(toCodexModel) });
}

/** What is not known of a model (its context window, what it can see) is left out or set to what every model can do. */
function toCodexModel({ id, ownedBy }: CatalogEntry, at: number): Readonly<Record<string, unknown>> {
  return {
    slug: id,
    display_name: id,
    description: `A model of ${ownedBy}, behind a gateway.`,
    default_reasoning_level: 'medium',
    supported_reasoning_levels: levels,
    shell_type: 'shell_command',
    visibility: 'list',
    supported_in_api: true,
    priority: at,
    base_instructions: instructions,
    supports_reasoning_summaries: true,
    support_verbosity: false,
    truncation_policy: { mode: 'tokens', limit: 10_000 },
    supports_parallel_tool_calls: true,
    experimental_supported_tools: [],
  };
}
