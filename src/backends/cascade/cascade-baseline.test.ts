import { expect, test } from 'vitest';
import { assistantItem, openCascadeBench, playTurn, turnOf, userItem } from '../../../test/doubles/cascade-turns.ts';
import { ManualClock } from '../../../test/doubles/manual-clock.ts';
import { answerStep, ScriptedAgentServer, userStep } from '../../../test/doubles/scripted-agent-server.ts';
import type { Trajectory } from './agent-server.ts';

/** Does not say how many steps there are, and shows only the first so many of them. */
class UncountedServer extends ScriptedAgentServer {
  readonly #pageSize: number;

  constructor(clock: ManualClock, pageSize: number) {
    super(clock);
    this.#pageSize = pageSize;
  }

  override async readTrajectory(cascadeId: string, signal: AbortSignal): Promise<Trajectory> {
    const trajectory = await super.readTrajectory(cascadeId, signal);
    return { ...trajectory, totalSteps: 0, listedSteps: Math.min(trajectory.listedSteps, this.#pageSize) };
  }
}

test.each([0, 1, 2, 100])(
  'of a cascade that does not count its steps and shows %d of them, old ones are not told again',
  async (pageSize) => {
    const clock = new ManualClock();
    const server = new UncountedServer(clock, pageSize);
    const { backend } = openCascadeBench({ server, now: clock.now, wait: clock.wait });
    server.answer = ({ text }) => [{ status: 'IDLE', steps: [userStep, answerStep(`To ${text}`)] }];
    const first = await playTurn(backend, turnOf('r1', null, { own: [userItem('one')] }));
    const history = [userItem('one'), assistantItem('To one')];
    const second = await playTurn(backend, turnOf('r2', 'r1', { history, own: [userItem('two')] }));
    expect([first.texts, second.texts]).toEqual([['To one'], ['To two']]);
    expect(server.cascades.size).toBe(1);
  },
);
