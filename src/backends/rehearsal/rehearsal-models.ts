import { GatewayError } from '../../model/errors.ts';

/** What the model does whatever it was asked, where its name says so. */
type Insistence =
  /** Answers with text, also where a call is due. */
  | 'text'
  /** Calls a tool, also where nobody asked; without tools (or with `tool_choice: none`) it answers with text. */
  | 'call'
  /** Calls at least two tools at once until it gets outputs, also when parallel calls are off; their deltas interleave. */
  | 'calls'
  /** Does what tool_choice forbids. */
  | 'disobedience'
  | 'refusal'
  | 'silence'
  | 'emoji'
  | 'citations'
  | 'long-text'
  | 'late-thinking';

/** How the model stops half way through what it says. */
export type BreakOff = 'stall' | 'cut' | 'throw' | 'failure' | 'content-filter' | 'length';

/** One model of the rehearsal backend: what `rehearsal/<id>` does. */
export interface RehearsalModel {
  /** For `GET /v1/models` and the docs. */
  readonly description: string;
  /** Thrown instead of accepting the call. */
  readonly refusesWith?: () => GatewayError;
  readonly insistsOn?: Insistence;
  readonly breaksOffWith?: BreakOff;
  /** The break comes before the first word. */
  readonly saysNothingFirst?: boolean;
  /** Calls carry arguments that are not JSON. */
  readonly garblesArguments?: boolean;
  /** Disobeys also when it is asked again. */
  readonly neverObeys?: boolean;
  readonly hidesUsage?: boolean;
  /** Milliseconds between two batches. */
  readonly pause?: number;
}

const onPurpose = 'The rehearsal model acts this out on purpose:';

/** Every model, by the part of its name behind `rehearsal/`. */
export const rehearsalModels: { readonly [id: string]: RehearsalModel } = {
  default: { description: 'Answers, thinks, calls tools and obeys formats, the same way every time.' },
  echo: { description: 'The same as default.' },
  slow: { description: 'As default, with 50 ms between two batches.', pause: 50 },
  long: { description: 'Answers with 2,000 short deltas.', insistsOn: 'long-text' },
  parallel: {
    description: 'Calls at least two tools at once, their deltas interleaved, until it gets outputs.',
    insistsOn: 'calls',
  },
  'think-late': { description: 'Answers first and thinks afterwards.', insistsOn: 'late-thinking' },
  citations: { description: 'Searches an invented web and cites what it found.', insistsOn: 'citations' },
  'split-surrogates': { description: 'Answers with emoji whose surrogate pairs are split over deltas.', insistsOn: 'emoji' },
  'no-usage': { description: 'As default, without token counts.', hidesUsage: true },
  empty: { description: 'Finishes at once without saying anything.', insistsOn: 'silence' },
  refusal: { description: 'Refuses to answer.', insistsOn: 'refusal' },
  length: { description: 'Stops half way through its text, as at a token limit.', insistsOn: 'text', breaksOffWith: 'length' },
  'content-filter': {
    description: 'Is stopped by a filter half way through its text.',
    insistsOn: 'text',
    breaksOffWith: 'content-filter',
  },
  'late-failure': { description: 'Reports a failure half way through its text.', insistsOn: 'text', breaksOffWith: 'failure' },
  throws: {
    description: 'Throws a plain Error half way through its text, as a bug in a backend would.',
    insistsOn: 'text',
    breaksOffWith: 'throw',
  },
  stall: { description: 'Accepts the call and never says anything.', breaksOffWith: 'stall', saysNothingFirst: true },
  'stall-text': { description: 'Falls silent half way through its text.', insistsOn: 'text', breaksOffWith: 'stall' },
  'stall-arguments': {
    description: 'Falls silent in the middle of the arguments of a call.',
    insistsOn: 'call',
    breaksOffWith: 'stall',
  },
  cut: { description: 'The stream ends half way through its text, without a finish.', insistsOn: 'text', breaksOffWith: 'cut' },
  'cut-arguments': {
    description: 'The stream ends in the middle of the arguments of a call.',
    insistsOn: 'call',
    breaksOffWith: 'cut',
  },
  'bad-arguments': { description: 'Calls a tool with arguments that are not JSON.', insistsOn: 'call', garblesArguments: true },
  'ignores-tool-choice': {
    description: 'Does what tool_choice forbids; obeys when the last message is a system or developer message, as in a re-ask.',
    insistsOn: 'disobedience',
  },
  'always-ignores-tool-choice': {
    description: 'Does what tool_choice forbids, every time.',
    insistsOn: 'disobedience',
    neverObeys: true,
  },
  '401': {
    description: 'The model server does not accept the key.',
    refusesWith: () => new GatewayError('upstream_auth_failed', `${onPurpose} 401.`),
  },
  '429': {
    description: 'The model server says "too many requests, try again in one second".',
    refusesWith: () => new GatewayError('rate_limit_exceeded', `${onPurpose} 429.`, { retryAfter: 1 }),
  },
  '500': { description: 'The model server fails.', refusesWith: () => new GatewayError('upstream_error', `${onPurpose} 500.`) },
  '503': {
    description: 'The model server is overloaded.',
    refusesWith: () => new GatewayError('upstream_overloaded', `${onPurpose} 503.`),
  },
  timeout: {
    description: 'The model server does not answer in time.',
    refusesWith: () => new GatewayError('upstream_timeout', `${onPurpose} a timeout.`),
  },
};

/** The model of that id. Throws `model_not_found`, which lists what there is. */
export function findRehearsalModel(id: string): RehearsalModel {
  const model = Object.hasOwn(rehearsalModels, id) ? rehearsalModels[id] : undefined;
  if (model !== undefined) return model;
  const known = rehearsalModelIds().join(', ');
  throw new GatewayError('model_not_found', `The rehearsal backend has no model '${id}'. It has: ${known}.`, { param: 'model' });
}

/** Ids in the order of the table. Plain numbers would come first in an object, so they are moved to the end. */
export function rehearsalModelIds(): readonly string[] {
  const ids = Object.keys(rehearsalModels);
  const isNumber = (id: string): boolean => /^\d+$/.test(id);
  return [...ids.filter((id) => !isNumber(id)), ...ids.filter(isNumber)];
}
