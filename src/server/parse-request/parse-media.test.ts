import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { parseCreateResponse } from './parse-create-response.ts';

const body = (part: object): unknown => ({ input: [{ role: 'user', content: [part] }] });
const parse = (part: object): unknown => {
  const [message] = parseCreateResponse(body(part)).request.input;
  return message?.type === 'message' ? message.content[0] : undefined;
};
const failure = (part: object): { code: string; param: string | undefined } => {
  const { code, param } = errorOf(() => parseCreateResponse(body(part)));
  return { code, param: param?.replace('input[0].content[0].', '') };
};

describe('images', () => {
  const image = (image_url: unknown): object => ({ type: 'input_image', image_url });

  test.each([
    'data:image/png;base64,AAAA',
    'data:image/svg+xml;base64,AA==',
    'data:image/jpeg;base64,AAA=',
    'https://example.com/a.png?x=1',
    'http://example.com',
  ])('%s stays', (url) => {
    expect(parse(image(url))).toEqual({ type: 'input_image', image_url: url });
  });

  test('other spellings of a data URL become the plain one', () => {
    expect(parse(image('DATA:Image/PNG;name=a.png;Base64,AAAA'))).toEqual({
      type: 'input_image',
      image_url: 'data:image/png;base64,AAAA',
    });
  });

  test("the chat API's object in place of the URL", () => {
    expect(parse(image({ url: 'https://a.b/c', detail: 'low' }))).toEqual({
      type: 'input_image',
      image_url: 'https://a.b/c',
      detail: 'low',
    });
    expect(failure(image({}))).toEqual({ code: 'missing_required_parameter', param: 'image_url.url' });
    expect(failure(image({ url: 'ftp://a.b/c' }))).toEqual({ code: 'invalid_value', param: 'image_url.url' });
  });

  test('a file id stays; null is absent', () => {
    expect(parse({ type: 'input_image', file_id: 'file_1', image_url: null, detail: null })).toEqual({
      type: 'input_image',
      file_id: 'file_1',
    });
  });

  test.each([
    ['', 'string_below_min_length'],
    ['AAAA', 'invalid_value'],
    ['file:///etc/passwd', 'invalid_value'],
    ['javascript:alert(1)', 'invalid_value'],
    ['https://', 'invalid_value'],
    ['https://a b', 'invalid_value'],
    ['data:', 'invalid_value'],
    ['data:image/png;base64', 'invalid_value'],
    ['data:image/png;base64,', 'invalid_value'],
    ['data:image/png,AAAA', 'invalid_value'],
    ['data:;base64,AAAA', 'invalid_value'],
    ['data:text/plain;base64,AAAA', 'invalid_value'],
    ['data:image/png;base64,AAA', 'invalid_value'],
    ['data:image/png;base64,A===', 'invalid_value'],
    ['data:image/png;base64,====', 'invalid_value'],
    ['data:image/png;base64,AA=A', 'invalid_value'],
    ['data:image/png;base64,AA\nA', 'invalid_value'],
    ['data:image/png;base64,AA-_', 'invalid_value'],
    [`data:image/png;${'x'.repeat(600)};base64,AAAA`, 'invalid_value'],
    [`https://a.b/${'x'.repeat(20_971_520)}`, 'string_above_max_length'],
  ])('%.60s is refused', (url, code) => {
    expect(failure(image(url))).toEqual({ code, param: 'image_url' });
  });

  test('the error says what was expected', () => {
    const message = errorOf(() => parse(image('data:text/plain;base64,AAAA'))).message;
    expect(message).toMatch(
      /^Invalid 'input\[0\]\.content\[0\]\.image_url'\. Expected a base64-encoded data URL with an image MIME type .* but got unsupported MIME type 'text\/plain'\.$/,
    );
  });

  test.each([
    [{ type: 'input_image' }, 'missing_required_parameter', 'image_url'],
    [{ type: 'input_image', image_url: null, file_id: null }, 'missing_required_parameter', 'image_url'],
    [{ type: 'input_image', image_url: 'https://a.b', file_id: 'f' }, 'mutually_exclusive_parameters', 'file_id'],
    [{ type: 'input_image', image_url: 'https://a.b', detail: 'sharp' }, 'invalid_value', 'detail'],
  ])('%j', (part, code, param) => {
    expect(failure(part)).toEqual({ code, param });
  });

  test('a whole body of base64 is read', () => {
    // It takes about 60 ms; anything worse than linear would take minutes and not end within the test's time.
    const megabytes = 'A'.repeat(20_000_000);
    parse(image(`data:image/png;base64,${megabytes}`));
    expect(failure(image(`data:image/png;base64,${megabytes}AAA!`)).code).toBe('invalid_value');
  });
});

describe('files', () => {
  const file = (rest: object): object => ({ type: 'input_file', ...rest });

  test('data URL, URL and id', () => {
    const data = { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' };
    expect(parse(file(data))).toEqual(file(data));
    expect(parse(file({ file_url: 'https://a.b/c.pdf' }))).toEqual(file({ file_url: 'https://a.b/c.pdf' }));
    expect(parse(file({ file_id: 'file_1', filename: null, file_data: null }))).toEqual(file({ file_id: 'file_1' }));
  });

  test('bare base64 takes its media type from the name', () => {
    expect(parse(file({ file_data: 'AAAA', filename: 'Report.PDF' }))).toMatchObject({
      file_data: 'data:application/pdf;base64,AAAA',
    });
    expect(parse(file({ file_data: 'AAAA' }))).toEqual(file({ file_data: 'data:application/octet-stream;base64,AAAA' }));
  });

  test.each([
    [{}, 'missing_required_parameter', 'file_data'],
    [{ file_data: 'hello, world' }, 'invalid_value', 'file_data'],
    [{ file_data: 'data:application/pdf,AAAA' }, 'invalid_value', 'file_data'],
    [{ file_url: 'file:///etc/passwd' }, 'invalid_value', 'file_url'],
    [{ file_url: 'data:application/pdf;base64,AAAA' }, 'invalid_value', 'file_url'],
    [{ file_url: 'https://a.b', file_id: 'f' }, 'mutually_exclusive_parameters', 'file_id'],
    [{ file_id: 'f', detail: 'original' }, 'invalid_value', 'detail'],
  ])('%j', (rest, code, param) => {
    expect(failure(file(rest))).toEqual({ code, param });
  });

  test('a level of detail is a loss', () => {
    const losses = (detail: string): string[] =>
      parseCreateResponse(body(file({ file_id: 'f', detail }))).losses.map((loss) => loss.path);
    expect(losses('high')).toEqual(['input[0].content[0].detail']);
    expect(losses('auto')).toEqual([]);
  });
});
