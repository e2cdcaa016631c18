import { assertNever } from '../../lib/never.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import { planTurn, type PlannedCall, type TurnPlan } from './plan-turn.ts';
import type { BreakOff, RehearsalModel } from './rehearsal-models.ts';
import { speakText, splitText } from './speak-text.ts';
import { speak, type ScriptStep, type SpokenStep } from './turn-script.ts';
import { citedSteps } from './cited-answer.ts';
import { cutAtStop } from './cut-at-stop.ts';

const longAnswerDeltas = 2_000;
const emojiAnswer = 'Emoji: 😀 and 👩‍🚀 and 🇳🇴 and 🎉. That was it.';
const refusal = "I'm sorry, but I can't help with that: rehearsal/refusal always refuses.";

/** Everything that happens in the turn, faults included. Pure but for the ids of calls. */
export function writeScript(
  request: ModelRequest,
  model: RehearsalModel,
  newId: (prefix: string) => string,
): readonly ScriptStep[] {
  const plan = planTurn(request, model);
  const thinking = speakThinking(plan.thinking);
  const answer = speakAnswer(request, model, plan, newId);
  if (model.breaksOffWith !== undefined)
    return [...(model.saysNothingFirst === true ? [] : [...thinking, ...firstHalf(answer)]), toBreak(model.breaksOffWith)].flat();
  const told = cutAtStop(answer, request.stop, request.topLogprobs);
  const said = model.insistsOn === 'late-thinking' ? [...told, ...thinking] : [...thinking, ...told];
  return [...said, { type: 'end', reason: 'stop' }];
}

function speakAnswer(
  request: ModelRequest,
  model: RehearsalModel,
  plan: TurnPlan,
  newId: (prefix: string) => string,
): SpokenStep[] {
  const { topLogprobs } = request;
  switch (model.insistsOn) {
    case 'silence':
      return [];
    case 'refusal':
      return splitText(refusal).map((delta) => speak({ type: 'refusal-delta', delta }, delta));
    case 'emoji':
      return speakText(splitSurrogates(emojiAnswer), topLogprobs);
    case 'citations':
      return citedSteps(request);
    case 'long-text':
      return speakText(
        Array.from({ length: longAnswerDeltas }, (_, index) => ` word${String(index + 1)}`),
        topLogprobs,
      );
    default:
      return plan.text === null
        ? speakCalls(plan.calls, newId, model.insistsOn === 'calls')
        : speakText(splitText(plan.text), topLogprobs);
  }
}

/** Deltas that end in the middle of every surrogate pair. */
function splitSurrogates(text: string): string[] {
  return text.split(/(?<=[\ud800-\udbff])(?=[\udc00-\udfff])/);
}

function speakThinking(thinking: TurnPlan['thinking']): SpokenStep[] {
  if (thinking === null) return [];
  const state = { type: 'reasoning-state', state: thinking.state } as const;
  if (!thinking.isShown) return [speak(state, thinking.parts.join('\n'), true)];
  const parts = thinking.parts.map((part) =>
    splitText(part).map((delta) => speak({ type: 'reasoning-delta', delta }, delta, true)),
  );
  const shown = parts.flatMap((part, index) => (index === 0 ? part : [speak({ type: 'reasoning-break' }, '', true), ...part]));
  return [...shown, speak(state, '', true)];
}

function speakCalls(calls: readonly PlannedCall[], newId: (prefix: string) => string, interleaves: boolean): SpokenStep[] {
  const spoken = calls.map((call) => speakCall(call, newId('call')));
  if (!interleaves) return spoken.flat();
  const longest = Math.max(0, ...spoken.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) => spoken.flatMap((steps) => steps.slice(index, index + 1))).flat();
}

function speakCall(call: PlannedCall, callId: string): SpokenStep[] {
  return [
    speak({ type: 'call-start', callId, name: call.name }, call.name),
    ...splitArguments(call.arguments).map((delta) => speak({ type: 'call-delta', callId, delta }, delta)),
    speak({ type: 'call-end', callId }),
  ];
}

/** At least two pieces, so that a break in the middle leaves a broken text. */
function splitArguments(text: string): string[] {
  const pieces = splitText(text);
  return pieces.length > 1 ? pieces : [text.slice(0, 1), text.slice(1)];
}

function firstHalf(steps: readonly SpokenStep[]): readonly SpokenStep[] {
  return steps.slice(0, Math.ceil(steps.length / 2));
}

function toBreak(kind: BreakOff): readonly ScriptStep[] {
  switch (kind) {
    case 'stall':
      return [{ type: 'stall' }];
    case 'cut':
      return [];
    case 'throw':
      return [{ type: 'throw', error: new Error('the rehearsal model throws on purpose') }];
    case 'failure':
      return [
        speak({
          type: 'failure',
          error: new GatewayError('upstream_error', 'The rehearsal model fails on purpose in the middle of its answer.'),
        }),
      ];
    case 'content-filter':
    case 'length':
      return [{ type: 'end', reason: kind }];
    default:
      return assertNever(kind, 'break');
  }
}
