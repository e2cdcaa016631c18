import { newCreateRequest } from '../../src/translate/parse/new-create-request.ts';
import { newResponse } from '../../src/engine/new-response.ts';
import type { CreateResponseRequest } from '../../src/protocol/responses/request.ts';
import type { ResponseResource } from '../../src/protocol/responses/response.ts';

/** A parsed request with every default filled in. */
export function newTestRequest(changes: Partial<CreateResponseRequest> = {}): CreateResponseRequest {
  return {
    ...newCreateRequest(),
    model: 'scripted/one',
    input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
    stream: true,
    ...changes,
  };
}

/** A response that has just been created: `resp_test`, at second 100. */
export function newTestResponse(): ResponseResource {
  return newResponse(newTestRequest(), { id: 'resp_test', createdAt: 100, model: 'scripted/one' });
}
