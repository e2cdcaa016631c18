import { GatewayError } from './errors.ts';

/** The error of a request whose conversation another one is using, or has carried on meanwhile. OpenAI's code, status and words; trying again helps. */
export function conversationLocked(): GatewayError {
  const message = 'Another process is currently operating on this conversation. Please retry in a few seconds.';
  return new GatewayError('conversation_locked', message, { param: 'conversation' });
}
