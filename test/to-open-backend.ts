import type { Backend } from '../src/model/backend.ts';
import type { OpenBackend } from './backend-suite.ts';

/** A backend in front of a model server that answers by the name of the model: `text`, `call`, `stall`, `stall-text`, `refused`. */
export function toOpenBackend(backend: Backend, server: TestServer): OpenBackend {
  return {
    backend,
    models: { text: 'text', call: 'call', stall: 'stall', stallText: 'stall-text', refused: 'refused' },
    server: { requests: () => server.seen.length, idle: () => server.idle() },
    async close() {
      await backend.close();
      await server.close();
    },
  };
}

interface TestServer {
  readonly seen: readonly unknown[];
  idle(): Promise<void>;
  close(): Promise<void>;
}
