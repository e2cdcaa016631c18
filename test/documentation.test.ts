import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { loadSettings } from '../src/config/load-settings.ts';
import { usage } from '../src/config/parse-command-line.ts';
import { createPrometheusCounters } from '../src/server/prometheus-counters.ts';
import { apiRoutes } from '../src/server/route-table.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = ['README.md', 'AGENTS.md', ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })]
  .filter((name) => name.endsWith('.md'))
  .map((name) => (existsSync(join(root, name)) ? name : join('docs', name)));

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): string[] {
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Links of `text`, which stands at `page`, that lead nowhere. */
function deadLinks(page: string, text: string): string[] {
  const links = [...text.matchAll(/\]\((?!https?:)([^)\s]*)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : normalize(join(dirname(page), path));
    return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
  });
}

test('a link that leads nowhere is found', () => {
  const text = '[a](docs/none.md) [b](docs/errors.md#nowhere) [c](docs/errors.md#our-own) [d](https://example.com/x)';
  expect(deadLinks('README.md', text)).toEqual(['docs/none.md', 'docs/errors.md#nowhere']);
});

test.each(pages)('every link of %s leads somewhere', (page) => {
  expect(deadLinks(page, read(page))).toEqual([]);
});

test('docs/errors.md has every error code, and its own table no other, under the status it has', () => {
  const manual = read('docs/errors.md');
  const codes = new Map(
    [...read('src/model/errors.ts').matchAll(/^ {2}([a-z_]+): \{ status: (\d+)/gm)].map(([, code = '', status]) => [
      code,
      status,
    ]),
  );
  expect(codes.size).toBeGreaterThan(40);
  expect([...codes.keys()].filter((code) => !manual.includes(`\`${code}\``))).toEqual([]);
  const rows = [...manual.slice(manual.indexOf('## Our own')).matchAll(/^\| (\d+) +\|([^|]*)\|/gm)];
  const told = rows.flatMap(([, status, words = '']) =>
    [...words.matchAll(/`([a-z_]+)`/g)].map(([, code = '']) => [code, status]),
  );
  expect(told.length).toBeGreaterThan(30);
  expect(told.filter(([code = '', status]) => codes.get(code) !== status)).toEqual([]);
});

test('docs/configuration.md and docs/routing.md have every metric, and no other', async () => {
  const counters = createPrometheusCounters({ inFlight: () => 0, breakers: () => new Map() });
  const names = [...(await counters.print()).matchAll(/^# HELP (\S+)/gm)].map(([, name = '']) => name);
  const told = `${read('docs/configuration.md')}${read('docs/routing.md')}`.match(/\bantiphon_[a-z_]+/g) ?? [];
  expect([...new Set(told)].sort()).toEqual(names.sort());
});

test('README.md has every route', () => {
  const text = read('README.md');
  const paths = apiRoutes.map(({ path }) => path.replace(':id', '{id}').replace(/\*$/, ''));
  expect(paths.filter((path) => !text.includes(path))).toEqual([]);
});

test('README.md has a configuration that is right, in comments too', async () => {
  const [, shown = ''] = /```yaml\n(server:[^`]*)```/.exec(read('README.md')) ?? [];
  const yaml = shown.replaceAll(/^( *)# (?=[a-z]+:)/gm, '$1');
  const names = [...yaml.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => [name, `key-of-${name}`]);
  const settings = await loadSettings({
    argv: [],
    env: Object.fromEntries(names) as Record<string, string>,
    workingDirectory: '/work',
    homeDirectory: '/home/me',
    readFile: (path) => Promise.resolve(path === '/work/antiphon.yaml' ? yaml : undefined),
  });
  expect(settings.warnings).toEqual([]);
  expect(settings.backends.map(({ type }) => type)).toEqual(['gemini', 'anthropic', 'responses', 'chat', 'ai-sdk']);
});

test('--help has every variable that docs/configuration.md has for a setting or a key', () => {
  const manual = read('docs/configuration.md');
  const variables = manual.match(/`(?:ANTIPHON_[A-Z_]+|[A-Z]+_(?:API_KEY|BASE_URL))`/g) ?? [];
  const missing = [...new Set(variables)].filter((name) => !usage.includes(name.slice(1, -1)));
  expect(missing).toEqual([]);
});
