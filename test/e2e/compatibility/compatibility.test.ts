import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';
import { findRecordings } from '../../recorded-traffic/open-replay.ts';
import { backendsOf, configurationOf, type BackendUnderTest } from './backends-under-test.ts';
import { columnsOf, doorsUnderTest, type Column } from './doors-under-test.ts';
import { features } from './features.ts';
import { openRecordedModels, type RecordedModels, type ScriptedAnswer } from './open-recorded-models.ts';
import { pageFaults, toCompatibilityPage, type DoorFindings } from './to-compatibility-page.ts';
import { tryCell, type Outcome } from './try-cell.ts';

const page = new URL('../../../docs/compatibility.md', import.meta.url);

describe.skipIf(!findRecordings())('official clients at every front door, in front of every backend', () => {
  let models: RecordedModels;
  let gateway: StartedGateway;
  const findings = new Map<string, DoorFindings>();

  beforeAll(async () => {
    models = await openRecordedModels();
    gateway = await startGateway(configurationOf(models));
  });

  afterAll(async () => {
    await gateway.close();
    await models.close();
  });

  test.each(doorsUnderTest)('$title, with $client', async (door) => {
    const columns: { title: string; outcomes: Outcome[] }[] = [];
    for (const column of columnsOf(door, backendsOf(models), gateway.url))
      columns.push({ title: column.title, outcomes: await tryColumn(column) });
    const client = `${door.client} ${await versionOf(door.client)}`;
    findings.set(door.title, { title: door.title, path: door.path, client, columns });
    const outcomes = columns.flatMap(({ title, outcomes }) =>
      outcomes.map((outcome, at) => ({ title, outcome, feature: features[at] })),
    );
    const tried = outcomes.filter(({ outcome }) => outcome.type !== 'none');
    const faults = tried.flatMap(({ title, outcome, feature }) =>
      outcome.type === 'bad' ? [`${title}: ${feature?.name ?? ''}: ${outcome.fault}`] : [],
    );
    console.log(`${door.title}: ${String(faults.length)} bad / ${String(tried.length)} tried`);
    expect(faults).toEqual([]);
  });

  test('docs/compatibility.md is what was found (npm run compatibility writes it)', async () => {
    expect(findings.size, 'this needs the tests above').toBe(doorsUnderTest.length);
    const found = await format(toCompatibilityPage(features, [...findings.values()]), {
      ...(await resolveConfig(page)),
      parser: 'markdown',
    });
    if (process.env['COMPATIBILITY'] === 'write') await writeFile(page, found);
    const written = await readFile(page, 'utf8').catch(() => '');
    expect(pageFaults(written, found)).toEqual([]);
    // What this looks for is seen: one cell that is not what was found.
    expect(pageFaults(written.replace(/\| yes /, '| no  '), found)).toHaveLength(1);
    expect(pageFaults(`${written}more\n`, found)).not.toEqual([]);
  });

  test.each(doorsUnderTest)('what these tests look for is seen: a gateway that does everything wrong ($title)', async (door) => {
    const unseen: string[] = [];
    const columns = columnsOf(door, backendsOf(models), gateway.url).filter(({ backend }) => backend.name === 'Anthropic');
    for (const column of columns) {
      const outcomes = await tryColumn({ ...column, backend: plantMistakes(column.backend) });
      for (const [at, { type }] of outcomes.entries())
        if (type === 'works' || type === 'refused') unseen.push(features[at]?.name ?? '');
    }
    expect(unseen).toEqual([]);
  });
});

async function tryColumn({ client, backend, passesThrough }: Column): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const feature of features) outcomes.push(await tryCell(feature, { client, backend, passesThrough }));
  return outcomes;
}

/** Everything that a cell compares with is another one, so that each has to be found bad. */
function plantMistakes(backend: BackendUnderTest): BackendUnderTest {
  return {
    ...backend,
    // No trouble comes where one is due, and there is nothing to count.
    model: (act) => backend.model(['refuses', 'fails', 'cut', 'hangs'].includes(act) ? 'text' : act),
    dialect: 'chat',
    listed: 'nobody/nothing',
    answerOf: (scene, stream) => otherThan(backend.answerOf(scene, stream)),
    lastRequest: () => '{}',
  };
}

function otherThan(answer: ScriptedAnswer | null): ScriptedAnswer | null {
  if (answer === null) return null;
  const { text, reasoning, usage } = answer;
  return {
    ...answer,
    text: `${text}!`,
    reasoning: `${reasoning}!`,
    calls: [],
    usage: usage?.map((count) => count + 1) ?? null,
    states: ['never sent'],
  };
}

async function versionOf(client: string): Promise<string> {
  const manifest = new URL('../../../package.json', import.meta.url);
  const { devDependencies } = JSON.parse(await readFile(manifest, 'utf8')) as { devDependencies: Record<string, string> };
  return devDependencies[client] ?? '';
}
