import { expect, test } from 'vitest';
import { describeConfiguration } from './describe-configuration.ts';
import { readFlags } from './read-flags.ts';

test('flags become options', () => {
  const flags = readFlags(
    '--port 0 --model-url http://h:1 --proxy http://u:p@h:2 --proxy-ca ca.pem --csrf c --token a --token b --tls --quirk pageSize=1 --quirk nullSteps'.split(
      ' ',
    ),
  );
  expect(flags).toMatchObject({
    help: false,
    startsModel: false,
    server: {
      port: 0,
      modelUrl: 'http://h:1',
      proxy: { url: 'http://u:p@h:2', caFile: 'ca.pem' },
      csrf: 'c',
      tokens: ['a', 'b'],
      tls: 'self-signed',
      quirks: { pageSize: 1, nullSteps: true },
    },
  });
});

test('what is missing or wrong is said', () => {
  expect(() => readFlags([])).toThrow(/--model-url URL or --model-server/);
  expect(() => readFlags(['--model-server', '--port', 'x'])).toThrow(/not a port/);
  expect(() => readFlags(['--model-server', '--nonsense'])).toThrow(/nonsense/);
  expect(readFlags(['--help']).help).toBe(true);
  expect(readFlags(['--model-server']).server.modelUrl).toBe(null);
});

test('the configuration names what is needed, but no secret', () => {
  const server = { url: 'https://127.0.0.1:1', caFile: '/tmp/ca.pem' };
  expect(describeConfiguration(server, { csrf: 'geheim', tokens: ['geheim'] })).toMatchInlineSnapshot(`
    "backends:
      agent:
        type: cascade
        base_url: https://127.0.0.1:1
        csrf_token: '\${AGENT_CSRF}' # what you gave as --csrf
        token: '\${AGENT_TOKEN}' # what you gave as --token
        ca_file: /tmp/ca.pem
        own_tools: keep
        # tap: agent-tap # when its model calls go through a tap of the gateway: docs/agent-server.md
    models:
      default: agent/gemini-3-pro"
  `);
  expect(describeConfiguration({ url: 'http://127.0.0.1:1', caFile: null }, {})).not.toMatch(/csrf|token|ca_file/);
});
