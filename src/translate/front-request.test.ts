import { expect, test } from 'vitest';
import { toClientPath, type ClientNames } from './front-request.ts';

const names: ClientNames = {
  inputs: [
    { item: 'system' },
    { item: 'messages[0]', parts: ['messages[0].content[1]'] },
    { item: 'messages[1].tool_calls[0]', members: { call_id: 'id', arguments: 'function.arguments' } },
    { item: 'messages[2]', members: { output: 'content' } },
  ],
  fields: new Map([
    ['max_output_tokens', 'max_tokens'],
    ['tools', 'functions'],
    ['text.format', 'response_format.json_schema'],
  ]),
};

test.each([
  ['input[0]', 'system'],
  ['input[1].content[0].text', 'messages[0].content[1].text'],
  ['input[1].content[1]', 'messages[0].content[1]'],
  ['input[1].output[0]', 'messages[0].content[1]'],
  ['input[7].content[0]', 'input[7].content[0]'],
  ['input[2].call_id', 'messages[1].tool_calls[0].id'],
  ['input[2].arguments', 'messages[1].tool_calls[0].function.arguments'],
  ['input[2].status', 'messages[1].tool_calls[0].status'],
  ['input[3].output', 'messages[2].content'],
  ['input[3].output[1].text', 'messages[2].content[1].text'],
  ['max_output_tokens', 'max_tokens'],
  ['tools[2].name', 'functions[2].name'],
  ['text.format.schema', 'response_format.json_schema.schema'],
  ['text.verbosity', 'text.verbosity'],
  ['toolset', 'toolset'],
  ['', ''],
])('%s is what the client calls %s', (path, expected) => {
  expect(toClientPath(path, names)).toBe(expected);
});
