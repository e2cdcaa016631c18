/** A call that did not succeed: what the agent server answered, ready to be looked at. */
export interface CascadeFailure {
  /** Of the HTTP answer; null: the error stood in the last frame of a stream, whose status is always 200. */
  readonly status: number | null;
  /** Connect's code: `unknown`, `unauthenticated` …; '' when there was none. */
  readonly code: string;
  /** The server's words on one line, without secrets; null when it sent none that may be shown. */
  readonly text: string | null;
  /** Seconds, when the server said so. */
  readonly retryAfter: number | null;
}

/**
 * What a failed call means. `csrf`, `token`, `forbidden`: credentials; `gone`: no such cascade; `busy`: it still works on the turn before; `unserved`: this build does
 * not have the call; `refused`: it does not like the request; `range`: it was asked for something behind an end; `rate`, `quota`, `overloaded`: come back later; `unreachable`, `timeout`: trouble behind it.
 */
export type FaultKind =
  | 'csrf'
  | 'token'
  | 'forbidden'
  | 'gone'
  | 'busy'
  | 'unserved'
  | 'model'
  | 'context'
  | 'quota'
  | 'rate'
  | 'overloaded'
  | 'unreachable'
  | 'timeout'
  | 'refused'
  | 'range'
  | 'failed';

/**
 * Real agent servers answer most business errors as 500 `unknown`, told apart by their words only, so the words come first (backends.md A.1). Then Connect's code, then
 * the HTTP status.
 */
export function classifyCascadeFailure(failure: CascadeFailure): FaultKind {
  const words = failure.text ?? '';
  const told = wordKinds.find(({ pattern }) => pattern.test(words));
  if (told !== undefined) return told.kind;
  return classifyCode(failure) ?? classifyStatus(failure.status);
}

/** The order matters: a message about a token of the CSRF kind is about CSRF. */
const wordKinds: readonly { readonly kind: FaultKind; readonly pattern: RegExp }[] = [
  { kind: 'csrf', pattern: /\bcsrf\b/i },
  {
    kind: 'gone',
    pattern: /\b(trajectory|cascade|conversation)( \S+)? (was |is )?(not found|not known|does not exist|no longer exists)/i,
  },
  { kind: 'gone', pattern: /\b(unknown|no such) (trajectory|cascade|conversation)\b/i },
  {
    kind: 'busy',
    pattern:
      /has not processed the previous|executor is (still )?(busy|running)|already cancell?ing|invocation (is )?(already )?(running|in progress)/i,
  },
  {
    kind: 'unserved',
    pattern: /reactive state is (disabled|deprecated)|\bunimplemented\b|not implemented|unknown (method|procedure)/i,
  },
  {
    kind: 'model',
    pattern:
      /neither PlanModel nor RequestedModel|model (\S+ )?(is |was )?(not found|not available|disabled|does not exist)|\b(unknown|invalid|unsupported) model\b/i,
  },
  {
    kind: 'context',
    pattern:
      /context (length|window|size)|maximum context|(prompt|input|tokens?)\b.{0,60}exceeds? the maximum|prompt is too long/i,
  },
  { kind: 'range', pattern: /\bout of (range|bounds)\b/i },
  {
    kind: 'token',
    pattern:
      /\bunauthenticated\b|not (logged|signed) in|(access|auth(entication)?|bearer|id) token\b.{0,40}(invalid|expired|missing|required)|(invalid|expired|missing) (access|auth(entication)?|bearer|id) token/i,
  },
];

function classifyCode(failure: CascadeFailure): FaultKind | null {
  const { code, text } = failure;
  switch (code) {
    case 'unauthenticated':
      return 'token';
    case 'permission_denied':
      return 'forbidden';
    // The call itself is there: an unknown path is answered without a code, or as unimplemented.
    case 'not_found':
      return 'gone';
    case 'unimplemented':
      return 'unserved';
    case 'resource_exhausted':
      return classifyLimit(failure);
    case 'unavailable':
      return /connection refused|no such host|dial (tcp|unix)|dns|transport: error|network is unreachable/i.test(text ?? '')
        ? 'unreachable'
        : 'overloaded';
    case 'deadline_exceeded':
      return 'timeout';
    case 'invalid_argument':
      return 'refused';
    case 'out_of_range':
      return 'range';
    case 'failed_precondition':
    case 'aborted':
    case 'already_exists':
    case 'canceled':
    case 'data_loss':
    case 'unknown':
    case 'internal':
      return classifyLooseWords(failure);
    default:
      return null;
  }
}

/** Words that only mean something where the code means nothing. */
function classifyLooseWords(failure: CascadeFailure): FaultKind {
  const words = failure.text ?? '';
  if (/resource.?exhausted|rate.?limit|too many requests|quota|out of credits/i.test(words)) return classifyLimit(failure);
  if (/overloaded|temporarily unavailable|\bUNAVAILABLE\b/.test(words)) return 'overloaded';
  return 'failed';
}

/** Money, not speed, when it is about a quota; but who may come back soon has not spent everything. */
function classifyLimit({ text, retryAfter }: CascadeFailure): FaultKind {
  const words = text ?? '';
  if (retryAfter !== null || /rate.?limit|too many requests|per (second|minute)|try again/i.test(words)) return 'rate';
  return /quota|credit|billing|usage limit/i.test(words) ? 'quota' : 'rate';
}

function classifyStatus(status: number | null): FaultKind {
  switch (status) {
    case 401:
      return 'token';
    case 403:
    case 407:
      return 'forbidden';
    case 402:
      return 'quota';
    case 404:
    case 405:
    case 501:
      return 'unserved';
    case 408:
    case 504:
      return 'timeout';
    case 429:
      return 'rate';
    case 503:
    case 529:
      return 'overloaded';
    case 400:
    case 413:
    case 415:
    case 422:
      return 'refused';
    default:
      return 'failed';
  }
}
