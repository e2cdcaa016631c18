import type { ModelEvent } from '../../src/model/model-event.ts';
import type { ModelTap, TapTurn, TapTurnSettings, TapTurnState } from '../../src/model/model-tap.ts';

const nothingSeen: TapTurnState = {
  mainCalls: 0,
  running: 0,
  runningSubRequests: 0,
  hasClientCalls: false,
  hasOutput: false,
  hasThinking: false,
  thinkingTokens: 0,
  finish: null,
  failure: null,
};

/** A tap whose turns see what a test says. */
export class ScriptedTap implements ModelTap {
  readonly name = 'tap';
  readonly turns: ScriptedTapTurn[] = [];

  openTurn(settings: TapTurnSettings): TapTurn {
    const turn = new ScriptedTapTurn(settings);
    this.turns.push(turn);
    return turn;
  }
}

export class ScriptedTapTurn implements TapTurn {
  readonly settings: TapTurnSettings;
  state: TapTurnState = nothingSeen;
  isClosed = false;
  parts: { readonly block: string; readonly text: string } | null = null;
  #events: ModelEvent[] = [];

  constructor(settings: TapTurnSettings) {
    this.settings = settings;
  }

  markText(parts: { readonly block: string; readonly text: string }): string {
    this.parts = parts;
    return `MARK\n${parts.text}`;
  }

  takeEvents(): readonly ModelEvent[] {
    return this.#events.splice(0);
  }

  /** The model did something. */
  see(events: readonly ModelEvent[], state: Partial<TapTurnState>): void {
    this.#events.push(...events);
    this.state = { ...this.state, ...state };
    this.settings.onChange();
  }

  close(): void {
    this.isClosed = true;
  }
}
