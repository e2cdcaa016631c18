import type { Loss } from '../../model/loss.ts';
import type { InputItem, ModelRequest } from '../../model/model-request.ts';
import { toGeminiRequest } from '../gemini/to-gemini-request.ts';
import type { ToldItem } from './split-input.ts';
import { mediaOf, selectInput, toTurnMessage, type TurnPlace } from './to-turn-message.ts';

/** What of a turn does not reach the model as it was asked for, by way of this agent server. */
export function toCascadeLosses(request: ModelRequest, place: TurnPlace): readonly Loss[] {
  const { replay, current } = selectInput(request, place);
  const first = replay[0];
  return [
    ...(first === undefined ? [] : [toReplayLoss(first, place)]),
    ...(toTurnMessage(request, place).isMadeUp ? [madeUpLoss] : []),
    ...current.flatMap(toUrlLosses),
    ...(place.hasTap ? toTappedLosses(request) : toPlainLosses(request, current)),
  ];
}

/** What an agent server cannot be told about a model call without a tap. */
export function toPlainLosses(request: ModelRequest, current: readonly ToldItem[]): readonly Loss[] {
  return [...toToolLosses(request), ...toTextLosses(request, current), ...toSettingLosses(request)];
}

function toReplayLoss({ path }: ToldItem, { hasTap }: TurnPlace): Loss {
  const reason = hasTap
    ? 'the agent server has not seen this conversation yet, so it is told about it as text; the model gets it in its own form'
    : 'the agent server has not seen this conversation yet, so it is told about it as text, without the thinking in it';
  return { path, action: 'emulated', reason };
}

const madeUpLoss: Loss = {
  path: 'input',
  action: 'emulated',
  reason: 'an agent server takes no turn without words of the user, so it is asked to continue',
};

/** The tap writes the rest as a request to Gemini, with that translation's losses. What does not apply: the agent server's own contents are there already, and states are checked where the real model is known. */
function toTappedLosses(request: ModelRequest): readonly Loss[] {
  const input = withoutForeignState(request.input, request.model);
  const { losses } = toGeminiRequest({ ...request, input });
  return losses.filter(({ path, action }) => !(path === 'input' && action === 'emulated'));
}

function withoutForeignState(input: readonly InputItem[], model: string): readonly InputItem[] {
  return input.map((item) => {
    if (item.type !== 'reasoning' || item.state === null) return item;
    return { ...item, state: item.state.format === 'gemini' ? { ...item.state, model } : null };
  });
}

function toToolLosses({ tools, hostedTools, toolChoice }: ModelRequest): Loss[] {
  const losses: Loss[] = tools.map(({ path }) => ({
    path,
    action: 'dropped',
    reason: 'an agent server takes no function tools of clients; they need a tap (the key `tap` of this backend)',
  }));
  if (toolChoice.type !== 'auto' && toolChoice.type !== 'none') {
    losses.push({
      path: 'tool_choice',
      action: 'dropped',
      reason: 'without a tap this backend has no function tools to choose from',
    });
  }
  for (const { path, type } of hostedTools) {
    const reason = `an agent server cannot be given tools of type ${type}`;
    losses.push({ path: `${path}.type`, action: 'dropped', code: 'unsupported_value', reason });
  }
  return losses;
}

function toTextLosses({ instructions }: ModelRequest, current: readonly ToldItem[]): Loss[] {
  const reason = 'an agent server has a system text of its own; this one is added to it, or to the words of the user';
  const losses: Loss[] = instructions === null ? [] : [{ path: 'instructions', action: 'emulated', reason }];
  for (const item of current) {
    if (item.type === 'call-output') {
      const told = `an agent server takes no outputs of client tools; this one is told as text${item.isError === true ? ', without the mark that its tool failed' : ''}`;
      losses.push({ path: item.path, action: 'emulated', reason: told });
    } else if (item.type === 'message' && item.role !== 'user') losses.push({ path: item.path, action: 'emulated', reason });
  }
  return losses;
}

function toSettingLosses(request: ModelRequest): Loss[] {
  const { temperature, topP, presencePenalty, frequencyPenalty, topLogprobs, format, reasoning, thinkingBudget } = request;
  const asked: readonly (readonly [path: string, isAsked: boolean])[] = [
    ['temperature', temperature !== null],
    ['top_p', topP !== null],
    ['top_k', request.topK !== null],
    ['stop', request.stop.length > 0],
    ['seed', request.seed !== null],
    ['presence_penalty', presencePenalty !== null],
    ['frequency_penalty', frequencyPenalty !== null],
    ['top_logprobs', topLogprobs !== null],
    ['text.format', format.type !== 'text'],
    ['text.verbosity', request.verbosity !== null && request.verbosity !== 'medium'],
    // A budget wins over the effort beside it: one wish, one loss.
    ['thinking_budget', thinkingBudget !== null],
    ['reasoning.effort', reasoning.effort !== null && thinkingBudget === null],
    ['service_tier', !['auto', 'default'].includes(request.serviceTier ?? 'auto')],
  ];
  const reason = 'an agent server chooses this by itself; with a tap it could be set';
  return asked.flatMap(([path, isAsked]): Loss[] => (isAsked ? [{ path, action: 'dropped', reason }] : []));
}

/** Media of the user's message go with it as bytes; a URL would have to be fetched. */
function toUrlLosses(item: ToldItem): Loss[] {
  if (item.type !== 'message' || item.role !== 'user') return [];
  return mediaOf(item)
    .filter(({ source }) => source.type === 'url')
    .map(({ path }) => ({
      path,
      action: 'dropped',
      reason: 'a server on your side must not fetch URLs for its clients; send the content as a data URL',
    }));
}
