import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/lib/json.ts';
import { mainCallBody, shapeAgent, subCallBody } from './agent-prompt.ts';
import type { AgentModelEntry, ModelCallPurpose } from './agent-server-options.ts';
import { callModel, ModelCut, ModelRefusal } from './call-model.ts';
import type { Cascade } from './cascade.ts';
import { ownStepType, runOwnTool } from './own-tools.ts';
import { PlannerStep } from './planner-step.ts';
import type { AgentQuirks } from './quirks.ts';
import { AnswerReader, type AnswerCall } from './read-answer.ts';
import { helperModel, type ServerState } from './server-state.ts';
import { createErrorStep, createStep, usageMessage } from './step.ts';

export interface AgentTurn {
  readonly cascade: Cascade;
  readonly model: AgentModelEntry;
  readonly agentSpec: JsonObject | null;
  /** The user's text as it stands in the history. */
  readonly userText: string;
  readonly isFirst: boolean;
  readonly maxOutputTokens: number | null;
}

/** More rounds than any test needs: an agent that goes round in circles ends some day. */
const mostRounds = 24;
/** Longer than a client's polling. */
const shrunkMs = 300;

/** One turn of the agent: its loop of model calls and own tools. Throws the signal's reason when it is ended from outside. */
export async function runAgent(state: ServerState, turn: AgentTurn, signal: AbortSignal): Promise<void> {
  await new AgentRun(state, turn, signal).run();
}

class AgentRun {
  readonly #state: ServerState;
  readonly #turn: AgentTurn;
  readonly #cascade: Cascade;
  readonly #quirks: AgentQuirks;
  readonly #signal: AbortSignal;
  #thinkingTokens = 0;
  #planner: PlannerStep | null = null;

  constructor(state: ServerState, turn: AgentTurn, signal: AbortSignal) {
    this.#state = state;
    this.#turn = turn;
    this.#cascade = turn.cascade;
    this.#quirks = state.quirks;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { idleBeforeRunMs, slowStartMs, neverFinishes } = this.#quirks;
    await this.#pause(idleBeforeRunMs);
    this.#cascade.status = 'RUNNING';
    await this.#pause(slowStartMs);
    await this.#speak();
    if (neverFinishes) await this.#stall();
    this.#cascade.abort = null;
    this.#cascade.status = 'IDLE';
    if (this.#quirks.lateThinking && this.#thinkingTokens > 0) await this.#tellThinking();
  }

  async #speak(): Promise<void> {
    const { nullSteps, titleCall, checkpoint, waiting } = this.#quirks;
    if (nullSteps) this.#cascade.addStep(null);
    if (this.#isOverAtOnce()) return;
    if (titleCall && this.#turn.isFirst) await this.#makeTitle();
    const isWell = await this.#loop();
    if (isWell && checkpoint) await this.#makeCheckpoint();
    if (isWell && waiting !== 'none') await this.#askPermission(waiting);
  }

  /** Quirks that need no model, or begin with an error. */
  #isOverAtOnce(): boolean {
    const { emptyAnswer, errorStep } = this.#quirks;
    if (emptyAnswer === 'blank-step') this.#openPlanner().finish(new AnswerReader(), 'STOP_PATTERN');
    if (emptyAnswer !== 'none') return true;
    if (errorStep !== 'none') this.#addError(errorStep === 'final' ? 'ERROR' : 'DONE', 'The model made an invalid tool call.', 0);
    return errorStep === 'final';
  }

  /** False when a model call failed for good. */
  async #loop(): Promise<boolean> {
    for (let round = 0; round < mostRounds; round++) {
      const answer = await this.#callMain();
      if (answer === null) return false;
      if (answer.calls.length === 0) return true;
      await this.#runTools(answer.calls);
    }
    this.#addError('ERROR', 'The agent took too many steps.', 0);
    return false;
  }

  async #callMain(): Promise<AnswerReader | null> {
    for (let attempt = 0; ; attempt++) {
      const answer = new AnswerReader();
      try {
        return await this.#attemptMain(answer);
      } catch (error) {
        const isOver = this.#signal.aborted || !this.#isWorthRetrying(error, attempt);
        // What was said stays in the history, unless it is said again. Calls of a broken answer were not carried out, so they do not.
        if (isOver && answer.calls.length === 0) this.#keepAnswer(answer);
        this.#signal.throwIfAborted();
        if (isOver) return null;
        await this.#pause(this.#quirks.retryDelayMs);
      }
    }
  }

  /** Writes the error step where there is no further try. A cut stream has left its step. */
  #isWorthRetrying(error: unknown, attempt: number): boolean {
    const { modelRetries, retriesCut } = this.#quirks;
    if (error instanceof ModelCut) return retriesCut && attempt < modelRetries;
    const status = error instanceof ModelRefusal ? error.status : 500;
    if ((status === 429 || status === 503) && attempt < modelRetries) return true;
    this.#addError('ERROR', status === 429 ? 'The model is out of quota.' : 'The model failed.', status, String(error));
    return false;
  }

  async #attemptMain(answer: AnswerReader): Promise<AnswerReader> {
    const { cascade, agentSpec, maxOutputTokens, model } = this.#turn;
    const settings = { showsThoughts: !this.#quirks.lateThinking, maxOutputTokens };
    const body = mainCallBody(cascade.contents, shapeAgent(agentSpec, this.#quirks), settings);
    let planner: PlannerStep | null = null;
    try {
      for await (const chunk of this.#call('main', model.geminiModel, body)) {
        planner ??= this.#openPlanner();
        answer.add(chunk);
        planner.grow(answer);
        if (planner.isShrunk) await this.#pause(shrunkMs);
      }
    } catch (error) {
      if (!(error instanceof ModelRefusal)) (planner ?? this.#openPlanner()).finish(answer, 'CLIENT_STREAM_ERROR');
      throw error;
    }
    return this.#endAnswer(answer, planner ?? this.#openPlanner());
  }

  #endAnswer(answer: AnswerReader, planner: PlannerStep): AnswerReader {
    const { error, finishReason, calls } = answer;
    if (error !== null) {
      planner.finish(answer, 'ERROR');
      throw new ModelRefusal(Number(error['code'] ?? 500), JSON.stringify(error));
    }
    this.#thinkingTokens += answer.counts.thinking;
    this.#keepAnswer(answer);
    if (calls.length > 0) planner.finish(answer, 'FUNCTION_CALL');
    else if (finishReason === 'STOP') planner.finish(answer, 'STOP_PATTERN');
    else if (finishReason === 'MAX_TOKENS') planner.finish(answer, 'MAX_TOKENS');
    else {
      planner.finish(answer, 'ERROR');
      this.#addError('ERROR', `The model stopped: ${finishReason ?? 'blocked'}.`, 0);
    }
    return answer;
  }

  #keepAnswer({ parts }: AnswerReader): void {
    if (parts.length > 0) this.#cascade.contents.push({ role: 'model', parts });
  }

  #openPlanner(): PlannerStep {
    this.#planner = new PlannerStep(this.#cascade, this.#turn.model.enumName, this.#quirks);
    return this.#planner;
  }

  /** A call of a tool that is not there is answered with an error, so that the model can correct itself. */
  async #runTools(calls: readonly AnswerCall[]): Promise<void> {
    const responses: JsonObject[] = [];
    for (const { id, name, args } of calls) {
      const type = ownStepType(name);
      const response =
        type === null ? { error: `there is no tool ${name}` } : runOwnTool(name, args, this.#state.options.notes ?? {});
      responses.push({ functionResponse: { ...(id !== undefined && { id }), name, response } });
      if (type === null) {
        this.#addError('DONE', 'The model made an invalid tool call.', 0, `there is no tool ${name}`);
        continue;
      }
      const step = createStep(type, 'RUNNING', { result: '' });
      step.metadata['toolCall'] = { id: id ?? '', name, argumentsJson: JSON.stringify(args) };
      this.#cascade.addStep(step);
      await this.#pause(0);
      step.payload['result'] = JSON.stringify(response);
      step.status = 'DONE';
      this.#cascade.touch(step);
    }
    this.#cascade.contents.push({ role: 'user', parts: responses });
  }

  async #makeTitle(): Promise<void> {
    const quoted = this.#quirks.titleQuotes ? this.#turn.userText : '';
    const answer = await this.#callHelper(
      'title',
      'Write a title of at most five words for a conversation that begins like this:',
      quoted,
    );
    if (answer !== null) this.#cascade.annotations = { title: answer.text, ...this.#cascade.annotations };
  }

  async #makeCheckpoint(): Promise<void> {
    const quoted = this.#quirks.titleQuotes ? this.#turn.userText : '';
    const answer = await this.#callHelper('checkpoint', 'Sum up this request in one sentence:', quoted);
    if (answer === null) return;
    const step = createStep('CHECKPOINT', 'DONE', { summary: answer.text }, 'SYSTEM');
    step.metadata['modelUsage'] = usageMessage({ model: helperModel.enumName, ...answer.counts });
    this.#cascade.addStep(step);
  }

  async #tellThinking(): Promise<void> {
    await this.#pause(this.#quirks.thinkingDelayMs);
    const answer = await this.#callHelper(
      'thinking',
      'Sum up the thinking behind the answer to this request:',
      this.#turn.userText,
    );
    if (answer !== null && answer.thinking !== '') this.#planner?.addThinking(answer.thinking);
  }

  /** Null when it failed: an agent does without titles and summaries. */
  async #callHelper(purpose: ModelCallPurpose, task: string, quoted: string): Promise<AnswerReader | null> {
    const answer = new AnswerReader();
    const body = subCallBody(task, quoted, purpose === 'thinking');
    try {
      for await (const chunk of this.#call(purpose, helperModel.geminiModel, body)) answer.add(chunk);
      return answer;
    } catch {
      this.#signal.throwIfAborted();
      return null;
    }
  }

  #call(purpose: ModelCallPurpose, model: string, body: JsonObject): AsyncGenerator<JsonObject> {
    return callModel(this.#state, { cascadeId: this.#cascade.cascadeId, purpose, model, body, signal: this.#signal });
  }

  /** Waits until somebody allows or declines, or the run is cancelled. */
  async #askPermission(waiting: 'running' | 'busy' | 'idle'): Promise<void> {
    const step = createStep('RUN_COMMAND', 'WAITING', { commandLine: 'rm -r ./notes' });
    step.requestedInteraction = { permission: { reason: 'The agent wants to run a command.' } };
    step.metadata['toolCall'] = { id: 'own-1', name: 'run_command', argumentsJson: '{"CommandLine":"rm -r ./notes"}' };
    this.#cascade.addStep(step);
    if (waiting !== 'running') this.#cascade.status = waiting === 'busy' ? 'BUSY' : 'IDLE';
    try {
      step.status = (await this.#cascade.waitForAnswer(this.#signal)) ? 'DONE' : 'CANCELED';
    } catch (error) {
      step.status = 'CANCELED';
      throw error;
    } finally {
      delete step.requestedInteraction;
      this.#cascade.touch(step);
    }
  }

  #addError(status: 'DONE' | 'ERROR', user: string, code: number, model = user): void {
    this.#cascade.addStep(createErrorStep(status, { user, model, code }));
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await sleep(milliseconds, undefined, { signal: this.#signal });
    else await setImmediate();
    this.#signal.throwIfAborted();
  }

  /** Never resolves. */
  async #stall(): Promise<void> {
    if (this.#planner !== null) {
      this.#planner.step.status = 'GENERATING';
      this.#cascade.touch(this.#planner.step);
    }
    await this.#cascade.waitForAnswer(this.#signal);
  }
}
