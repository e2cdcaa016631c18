import type { AnswerReader } from './read-answer.ts';
import type { AgentQuirks } from './quirks.ts';
import { createPlannerStep, usageMessage, type Step } from './step.ts';
import type { Cascade } from './cascade.ts';

/** The PLANNER_RESPONSE step of one main call: grows in place from the chunks, as the quirks want it. */
export class PlannerStep {
  readonly step: Step;
  readonly #cascade: Cascade;
  readonly #quirks: AgentQuirks;
  readonly #enumName: string;
  #updates = 0;

  constructor(cascade: Cascade, enumName: string, quirks: AgentQuirks) {
    this.#cascade = cascade;
    this.#quirks = quirks;
    this.#enumName = enumName;
    this.step = createPlannerStep(enumName, `bot-${cascade.cascadeId}-${cascade.steps.length}`);
    cascade.addStep(this.step);
  }

  /** Whether less is to be seen just now than before: that must last long enough to be seen. */
  get isShrunk(): boolean {
    return this.#updates === 4 && (this.#quirks.textShrinks || this.#quirks.stepsShrink);
  }

  /** `modifiedResponse` alone grows; `response` comes at the end. */
  grow(answer: AnswerReader): void {
    const { payload } = this.step;
    this.#updates += 1;
    this.step.status = 'GENERATING';
    const shown = this.#quirks.textShrinks && this.#updates === 4 ? answer.text.slice(0, answer.text.length / 2) : answer.text;
    payload['modifiedResponse'] = shown;
    if (this.#quirks.growsResponse) payload['response'] = shown;
    this.#showThinking(answer.thinking);
    this.#cascade.hiddenSteps = this.#quirks.stepsShrink && this.#updates === 4 ? 1 : 0;
    this.#cascade.touch(this.step);
  }

  /** A step that was cut off is DONE as well; only its stop reason tells. */
  finish(answer: AnswerReader, stopReason: string): void {
    const { payload, metadata } = this.step;
    const text = this.#quirks.rewriteAtDone && answer.text !== '' ? `Edited: ${answer.text}` : answer.text;
    this.#cascade.hiddenSteps = 0;
    payload['response'] = text;
    payload['modifiedResponse'] = text;
    payload['stopReason'] = `STOP_REASON_${stopReason}`;
    this.#showThinking(answer.thinking);
    if (answer.signature !== null) payload['thinkingSignature'] = answer.signature;
    if (answer.counts.thinking > 0) payload['thinkingDuration'] = '0.250s';
    payload['toolCalls'] = answer.calls.map(({ id, name, args }, at) => ({
      id: id ?? `call-${at}`,
      name,
      argumentsJson: JSON.stringify(args),
    }));
    const usage = usageMessage({ model: this.#enumName, ...answer.counts });
    metadata['modelUsage'] = usage;
    this.#cascade.generatorMetadata.push({
      stepIndices: [this.#cascade.steps.indexOf(this.step)],
      chatModel: { model: this.#enumName, usage },
    });
    this.step.status = 'DONE';
    this.#cascade.touch(this.step);
  }

  /** The thinking of a summary that came late. */
  addThinking(text: string): void {
    this.#showThinking(text);
    this.#cascade.touch(this.step);
  }

  #showThinking(text: string): void {
    if (text !== '' && !this.#quirks.hidesThinking) this.step.payload['thinking'] = text;
  }
}
