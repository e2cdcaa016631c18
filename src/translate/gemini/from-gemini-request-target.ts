import type { Loss } from '../../model/loss.ts';
import type { CreateResponseRequest } from '../../protocol/responses/request.ts';

/** What a request is read into: the hub's fields, what is lost, and how the client calls the fields (hub path → the client's). */
export interface RequestTarget {
  readonly request: CreateResponseRequest;
  readonly losses: Loss[];
  readonly fields: Map<string, string>;
}
