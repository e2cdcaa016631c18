export interface RunningTap {
  readonly name: string;
  readonly mode: 'reverse' | 'forward';
  readonly url: string;
  readonly upstream: string | null;
  readonly hosts: readonly string[];
  readonly credential: import('./model/secret.ts').Secret | null;
  readonly isCredentialGenerated: boolean;
  readonly certificateFile: string | null;
}
