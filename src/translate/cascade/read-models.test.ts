import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { overlayModels, readModels } from './read-models.ts';

const summary = (answer: unknown): string[] =>
  readModels(answer).map(({ id, enumName, label }) => `${id} ${enumName} ${String(label)}`);

describe('GetCascadeModelConfigData', () => {
  test('the id is the model id, else made from the label, else the enum', () => {
    const clientModelConfigs = [
      { modelId: 'gem-pro', label: 'Gem Pro', modelOrAlias: { model: 'MODEL_PLACEHOLDER_M1' } },
      { label: 'Gem 3.5 Flash (High)', modelOrAlias: { model: 'MODEL_PLACEHOLDER_M2' } },
      { modelOrAlias: { model: 'MODEL_PLACEHOLDER_M3' } },
      { modelId: 'by-uid', modelOrAlias: { modelUid: 'uid-1' } },
      { modelId: 'by-number', modelOrAlias: { model: 312 } },
    ];
    expect(summary({ clientModelConfigs })).toEqual([
      'gem-pro MODEL_PLACEHOLDER_M1 Gem Pro',
      'gem-3.5-flash-high MODEL_PLACEHOLDER_M2 Gem 3.5 Flash (High)',
      'model_placeholder_m3 MODEL_PLACEHOLDER_M3 null',
      'by-uid uid-1 null',
      'by-number 312 null',
    ]);
  });

  test('disabled ones, and those that name no model, are left out', () => {
    const clientModelConfigs = [
      { modelId: 'off', disabled: true, modelOrAlias: { model: 'MODEL_A' } },
      { modelId: 'alias', modelOrAlias: { alias: 'MODEL_ALIAS_BEST' } },
      { modelId: 'zero', modelOrAlias: { model: 'MODEL_UNSPECIFIED' } },
      { modelId: 'none' },
      null,
      { modelId: 'on', disabled: false, modelOrAlias: { model: 'MODEL_B' } },
    ];
    expect(summary({ clientModelConfigs })).toEqual(['on MODEL_B null']);
  });

  test('an id that is taken gives way to the enum', () => {
    const clientModelConfigs = [
      { label: 'Gem', modelOrAlias: { model: 'MODEL_A' } },
      { label: 'gem!', modelOrAlias: { model: 'MODEL_B' } },
      { label: 'Gem', modelOrAlias: { model: 'MODEL_B' } },
    ];
    expect(summary({ clientModelConfigs })).toEqual(['gem MODEL_A Gem', 'model_b MODEL_B gem!']);
  });
});

describe('GetAvailableModels', () => {
  const models = { x: { model: 'MODEL_X', displayName: 'X' }, off: { model: 'MODEL_Y', disabled: true }, empty: {} };

  test('a map of models', () => {
    expect(summary({ response: { models } })).toEqual(['x MODEL_X X']);
  });

  test('the map as a list of key and value', () => {
    const list = Object.entries(models).map(([key, value]) => ({ key, value }));
    expect(summary({ response: { models: list } })).toEqual(['x MODEL_X X']);
  });
});

test('configured models take the place of listed ones, further ones follow', () => {
  const listed = [
    { id: 'a', enumName: 'MODEL_A', label: 'A' },
    { id: 'b', enumName: 'MODEL_B', label: null },
  ];
  const configured = new Map([
    ['c', 'MODEL_C'],
    ['b', 'MODEL_Z'],
  ]);
  expect(overlayModels(listed, configured)).toEqual([
    { id: 'a', enumName: 'MODEL_A', label: 'A' },
    { id: 'b', enumName: 'MODEL_Z', label: null },
    { id: 'c', enumName: 'MODEL_C', label: null },
  ]);
});

test('whatever comes: no id is empty, none comes twice', () => {
  const config = fc.record(
    {
      modelId: fc.oneof(fc.string(), fc.constantFrom('a', 'b')),
      label: fc.oneof(fc.string(), fc.constantFrom('a', 'B')),
      modelOrAlias: fc.record({ model: fc.oneof(fc.jsonValue(), fc.constantFrom('MODEL_A', 'b', 7)) }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  const answer = fc.oneof(fc.jsonValue(), fc.record({ clientModelConfigs: fc.array(fc.oneof(config, fc.jsonValue())) }));
  fc.assert(
    fc.property(answer, (value) => {
      const ids = readModels(value).map(({ id }) => id);
      expect(ids).not.toContain('');
      expect(new Set(ids).size).toBe(ids.length);
    }),
  );
});
