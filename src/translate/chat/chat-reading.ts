import type { Loss } from '../../model/loss.ts';
import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import type { InputName } from '../front-request.ts';
import { newCreateRequest } from '../parse/new-create-request.ts';

/** A chat request while it is read. */
export interface ChatReading {
  readonly request: CreateResponseRequest;
  readonly losses: Loss[];
  /** By index in `request.input`. */
  readonly inputs: InputName[];
  /** Hub path → what the client wrote. */
  readonly names: Map<string, string>;
  /** `tool_choice` or `function_call`, whichever the client used. */
  choiceField: string;
  includesUsage: boolean;
  /** The request speaks of `functions`. */
  isLegacy: boolean;
}

/** Nothing has been read yet. Chat completions are never stored. */
export function newChatReading(): ChatReading {
  return {
    request: { ...newCreateRequest(), store: false },
    losses: [],
    inputs: [],
    names: new Map([
      ['input', 'messages'],
      ['reasoning.effort', 'reasoning_effort'],
      ['reasoning.summary', 'reasoning_content'],
      ['text.verbosity', 'verbosity'],
      ['text.format', 'response_format'],
    ]),
    choiceField: 'tool_choice',
    includesUsage: false,
    isLegacy: false,
  };
}
