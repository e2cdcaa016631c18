import { createHash } from 'node:crypto';

/** What a server signed or sealed: only that, and unchanged, does it take back. */
export interface IssuedState {
  /** A signature for this thinking, or sealed reasoning. */
  issue(thinking: string): string;
  isKnown(state: string): boolean;
  /** Whether the signature was given for this very text. */
  checkThinking(signature: string, thinking: string): boolean;
}

export function createIssuedState(server: string): IssuedState {
  const issued = new Map<string, string>();
  return {
    issue(thinking) {
      const digest = createHash('sha256').update(`${server} ${String(issued.size)} ${thinking}`);
      const state = digest.digest('base64');
      issued.set(state, thinking);
      return state;
    },
    isKnown: (state) => issued.has(state),
    checkThinking: (signature, thinking) => issued.get(signature) === thinking,
  };
}
