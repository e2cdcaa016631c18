import { GatewayError } from '../src/model/errors.ts';

/** The GatewayError that `act` throws. Whatever else happens fails the test: an answer, or a stranger's error (which would be a 500). */
export function errorOf(act: () => unknown): GatewayError {
  let answer: unknown;
  try {
    answer = act();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
  throw new Error(`accepted: ${JSON.stringify(answer)}`);
}
