import { GatewayError } from '../../model/errors.ts';

/** The error of a native turn that was refused because of state that another server, model or key has signed: translated, the turn can go without it. */
export function asRefusedState({ message, cause }: GatewayError): GatewayError {
  return new GatewayError('invalid_encrypted_content', message, { cause });
}
