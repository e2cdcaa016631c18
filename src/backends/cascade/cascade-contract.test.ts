import { backendSuite, type OpenBackend } from '../../../test/backend-suite.ts';
import { openCascadeBench } from '../../../test/doubles/cascade-turns.ts';
import { answerStep, faultOf, growingStep, userStep, type AnswerMessage } from '../../../test/doubles/scripted-agent-server.ts';
import { ScriptedTap } from '../../../test/doubles/scripted-tap.ts';

/** An agent server that answers by model name; the tap sees what its model does. */
function open(): Promise<OpenBackend> {
  const tap = new ScriptedTap();
  const { backend, server } = openCascadeBench({ tap });
  server.models = ['text', 'call', 'stall', 'stall-text', 'refused'].map((id) => ({ id, enumName: `MODEL_${id}`, label: null }));
  const answer: AnswerMessage = ({ model, text, cascadeId }) => {
    // Turns and messages come in pairs: a turn is opened right before its message is sent.
    const turn = tap.turns.find(({ parts }) => parts !== null && `MARK\n${parts.text}` === text && !seen.has(parts));
    if (turn?.parts) seen.add(turn.parts);
    const said = `You said: ${turn?.parts?.text ?? ''}`;
    const first = { type: 'text-delta', delta: said.slice(0, 12) } as const;
    const rest = { type: 'text-delta', delta: said.slice(12) } as const;
    const usage = { type: 'usage', usage: { inputTokens: 9, outputTokens: 4 } } as const;
    const over = { running: 0, finish: 'stop', hasOutput: true } as const;
    switch (model) {
      case 'MODEL_refused':
        throw faultOf('rate', 'slow down');
      case 'MODEL_stall':
        return [{ status: 'RUNNING', steps: [userStep] }];
      case 'MODEL_stall-text':
        turn?.see([first], { mainCalls: 1, running: 0, hasOutput: true });
        return [{ status: 'RUNNING', steps: [userStep, growingStep('You')] }];
      case 'MODEL_call': {
        const callId = `call_${cascadeId}`;
        const call = [
          { type: 'call-start', callId, name: 'get_weather' },
          { type: 'call-delta', callId, delta: '{"city":"Oslo"}' },
          { type: 'call-end', callId },
        ] as const;
        turn?.see([...call, usage], { mainCalls: 1, hasClientCalls: true, ...over });
        return [{ status: 'IDLE', steps: [userStep, answerStep('(placeholder)')] }];
      }
      default:
        turn?.see([first], { mainCalls: 1, running: 0, hasOutput: true });
        turn?.see([rest, usage], over);
        return [
          { status: 'RUNNING', steps: [userStep, growingStep('You')] },
          { status: 'IDLE', steps: [userStep, answerStep(said)] },
        ];
    }
  };
  const seen = new Set<unknown>();
  server.answer = answer;
  return Promise.resolve({
    backend,
    models: { text: 'text', call: 'call', stall: 'stall', stallText: 'stall-text', refused: 'refused' },
    server: { requests: () => server.messages.length, idle: () => server.idle() },
    close: () => backend.close(),
  });
}

backendSuite('cascade', open);
