interface CountedTask {
  readonly name: string;
  readonly result?: { readonly state?: string } | undefined;
  readonly tasks?: readonly CountedTask[];
}

const deviations = Array.from({ length: 24 }, (_, at) => at + 1);

/** `deviations: 0 of 24 left`: a deviation is left when a test that cites its number (`2.7 …`) has not passed, or no test does. Names them. */
export function countDeviations(tasks: readonly CountedTask[]): string {
  const tests = tasks.flatMap(testsOf);
  const left = deviations.filter((number) => {
    const cited = tests.filter(({ name }) => citedIn(name).includes(number));
    return cited.length === 0 || cited.some(({ result }) => result?.state !== 'pass');
  });
  const names = left.length === 0 ? '' : `: ${left.map((number) => `2.${String(number)}`).join(', ')}`;
  return `deviations: ${String(left.length)} of 24 left${names}`;
}

/** `2.3 2.7 …` cites both. */
function citedIn(name: string): readonly number[] {
  const [head = ''] = /^(2\.\d+ )*/.exec(name) ?? [];
  return head.split(' ').map((number) => Number(number.slice(2)));
}

function testsOf(task: CountedTask): readonly CountedTask[] {
  return task.tasks === undefined ? [task] : task.tasks.flatMap(testsOf);
}
