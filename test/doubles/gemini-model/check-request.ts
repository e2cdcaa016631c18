import type { JsonObject } from '../../../src/lib/json.ts';
import { checkContents } from './check-contents.ts';
import { checkTools, unknownFields } from './check-tools.ts';
import { declarationsOf, isGemini3, member, objectOf, objectsOf, textOf } from './gemini-words.ts';
import type { IssuedSignatures } from './issued-signatures.ts';

const requestFields = [
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'safetySettings',
  'cachedContent',
  'serviceTier',
  'labels',
  'store',
];
const generationFields = (
  'maxOutputTokens temperature topP topK stopSequences seed candidateCount presencePenalty frequencyPenalty responseMimeType responseJsonSchema responseSchema responseLogprobs ' +
  'logprobs thinkingConfig mediaResolution responseModalities speechConfig imageConfig enableEnhancedCivicAnswers'
).split(' ');

/** What Gemini would refuse in a `generateContent` request, in words near to its own; empty when all is well. */
export function checkRequest(body: JsonObject, model: string, signatures: IssuedSignatures): string[] {
  return [
    ...unknownFields(body, requestFields, 'request'),
    ...checkSystemInstruction(member(body, 'systemInstruction')),
    ...checkContents(body, model, signatures),
    ...checkTools(body),
    ...checkGenerationConfig(body, model),
  ];
}

function checkSystemInstruction(instruction: unknown): string[] {
  if (instruction === undefined) return [];
  const parts = objectsOf(objectOf(instruction)['parts']);
  if (parts.length === 0) return ['* GenerateContentRequest.system_instruction.parts: must not be empty'];
  return parts.every((part) => textOf(part['text']) !== '' && Object.keys(part).length === 1)
    ? []
    : ['system_instruction: only text is supported'];
}

function checkGenerationConfig(body: JsonObject, model: string): string[] {
  const config = objectOf(member(body, 'generationConfig'));
  const thinking = objectOf(member(config, 'thinkingConfig'));
  const faults = unknownFields(config, generationFields, 'generation_config');
  if (member(thinking, 'thinkingLevel') !== undefined && member(thinking, 'thinkingBudget') !== undefined)
    faults.push('You can only set only one of thinking budget and thinking level.');
  if (objectsOf(config['stopSequences']).length > 5) faults.push('generation_config.stop_sequences: at most 5');
  const isJson = member(config, 'responseMimeType') === 'application/json';
  if (isJson && declarationsOf(body).length > 0 && !isGemini3(model))
    faults.push("Function calling with a response mime type: 'application/json' is unsupported");
  return faults;
}
