import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

/** A port whose connections are never accepted: its thread sleeps and its backlog is full, so the kernel drops every further SYN. */
export interface BlackHole {
  readonly port: number;
  close(): Promise<void>;
}

const code = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
`;

export async function openBlackHole(): Promise<BlackHole> {
  const worker = new Worker(code, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  // Linux queues one more than the backlog says.
  const fillers = [0, 1].map(() => connect(port, '127.0.0.1').on('error', () => undefined));
  await Promise.all(fillers.map((filler) => once(filler, 'connect')));
  return {
    port,
    async close() {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}
