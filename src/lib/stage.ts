/** A synchronous step in a stream: each input yields zero or more outputs. Time exists only outside of stages. */
export interface Stage<In, Out> {
  push(input: In): readonly Out[];
  /** The input is over. Close whatever is still open. Called exactly once. */
  end(): readonly Out[];
}

/** Pushes a whole batch (what one upstream read brought) through a stage; the outputs stay one array. */
export function pushAll<In, Out>(stage: Stage<In, Out>, batch: readonly In[]): readonly Out[] {
  const first = batch[0];
  if (batch.length === 1 && first !== undefined) return stage.push(first);
  const out: Out[] = [];
  for (const input of batch) for (const output of stage.push(input)) out.push(output);
  return out;
}
