import { Secret } from './model/secret.ts';

/** A proxy's `user:password` in every form in which a program or an error may repeat it: whole, the password alone, and as its header carries it. */
export function toPasswordSecrets(credential: Secret | null): readonly Secret[] {
  if (credential === null) return [];
  const written = credential.reveal();
  const password = written.slice(written.indexOf(':') + 1);
  return [credential, new Secret(password), new Secret(Buffer.from(written).toString('base64'))];
}
